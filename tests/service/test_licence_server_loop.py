"""The licence server: a real HTTP server that takes, refuses, fails, hangs, and answers late and twice."""

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from mailbot.config.settings import LicenceServerSection
from mailbot.operations.audit import audit_books
from mailbot.operations.ledger_import import put_licences
from mailbot.process import invoicing
from mailbot.process.mapping import event_of, load_licence
from mailbot.servers.licence_server import EventAccepted, EventDeferred, EventRefused, LicenceServer
from mailbot.service import licence_server_loop
from mailbot.service.licence_server_loop import BACK_OFF, WORRYING, Posted, post_due
from storage import due, licence_posts, licences
from tests.process.test_due_things import rome
from tests.support.paths import DOCS
from tests.support.running import Running, body, running
from tests.whole_desk.test_whole_desk import ANNA, BOB, DEMO, JOE, PLAN, WHO

SECRET = "0123456789abcdef"
TOKEN = "A1B2C3D4E5F6"
MORE = f"Request: modify\nAction: add\n{WHO}Reason: more agents\nAgents: 15\n"
LESS = f"Request: modify\nAction: remove\n{WHO}Reason: cost\nAgents: 8\n"
HANG, BREAK = "hang", "break"


@dataclass
class Vendor:
    """The other side: ``answers`` are given in turn, the last one for ever; ``events`` and ``headers`` are what came."""

    answers: list[Any] = field(default_factory=lambda: [200])
    events: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def take(self, handler: BaseHTTPRequestHandler) -> None:
        raw = handler.rfile.read(int(handler.headers["Content-Length"]))
        self.raw.append(raw)
        self.events.append(json.loads(raw))
        self.headers.append(dict(handler.headers))
        answer = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
        if answer == HANG:
            self.released.wait(30)
            answer = 200
        if answer == BREAK:
            handler.close_connection = True
            return
        code, text = answer if isinstance(answer, tuple) else (answer, "")
        handler.send_response(code)
        handler.send_header("Content-Length", str(len(text.encode())))
        if 300 <= code < 400:
            handler.send_header("Location", "/elsewhere")
        handler.end_headers()
        handler.wfile.write(text.encode())

    @property
    def seen(self) -> list[tuple[str, int]]:
        return [(event["token"], event["revision"]) for event in self.events]


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    found = Vendor()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.take(self)

        def log_message(self, *words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_port}/events"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield found
    found.released.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def desk(tmp_path: Path, vendor: Vendor) -> Running:
    desk = running(tmp_path, rome("2026-11-20 10:00"))
    settings = LicenceServerSection(url=vendor.url, secret=SecretStr(SECRET))
    config = desk.desk.config.model_copy(update={"licence_server": settings})
    desk.desk = replace(desk.desk, config=config)
    return desk


def give(desk: Running, *tokens: str) -> None:
    row = {"status": "active", "plan": "voice_digital", "agents": "10", "billing": "monthly", "contacts": JOE}
    put_licences(desk.desk, [{"token": token, **row} for token in tokens or (TOKEN,)], "import", "a file")


def post(desk: Running, patience: float = 15.0) -> Posted:
    settings = desk.desk.config.licence_server
    server = LicenceServer(settings.url, SECRET, patience)
    try:
        return post_due(desk.desk, server)
    finally:
        server.close()


def today(desk: Running, token: str = TOKEN):
    with desk.desk.store.read() as session:
        return load_licence(session, token, desk.moment[0].astimezone(desk.desk.config.zone).date())


def kinds(desk: Running, token: str = TOKEN) -> list[str]:
    with desk.desk.store.read() as session:
        return [row.kind for row in licences.events(session, token)]


def test_an_item_is_applied_and_told_only_after_the_server_took_it(desk: Running, vendor: Vendor) -> None:
    give(desk)
    assert desk.write(JOE, MORE) == [], desk.quarantine()
    ticket = desk.ticket()
    assert (ticket.state, ticket.item("agents").status, ticket.item("agents").effective) == (
        "applying",
        "applying",
        None,
    )
    assert today(desk).agents == 10
    assert post(desk) == Posted(answered=1)
    assert (desk.ticket().state, desk.ticket().item("agents").effective) == ("done", date(2026, 11, 20))
    assert today(desk).agents == 15
    assert desk.kinds() == [("outcome", JOE)]
    assert desk.history() == ["opened", "applying", "accepted"]
    assert post(desk) == Posted()
    assert kinds(desk) == ["import", "modify/add", "accepted"]


def test_what_is_posted_is_signed_and_says_what_will_hold(desk: Running, vendor: Vendor) -> None:
    give(desk)
    desk.write(JOE, MORE)
    post(desk)
    (event,), (headers,), (raw,) = vendor.events, vendor.headers, vendor.raw
    assert {key: event[key] for key in ("schema", "id", "token", "revision", "effective", "kind", "changes", "ticket", "rule")} == {
        "schema": "licence-event/1", "id": f"{TOKEN}-2", "token": TOKEN, "revision": 2, "effective": "2026-11-20",
        "kind": "modify/add", "changes": {"agents": 15}, "ticket": "LIC-1", "rule": "increase",
    }  # fmt: skip
    assert (event["licence"]["agents"], event["licence"]["status"]) == (15, "active")
    assert "joe" not in raw.decode().lower(), "people are not told"
    assert headers["Idempotency-Key"] == f"{TOKEN}-2"
    stamp = headers["Mailbot-Timestamp"]
    assert int(stamp) == int(desk.moment[0].timestamp())
    told = hmac.new(SECRET.encode(), f"{stamp}.".encode() + raw, hashlib.sha256).hexdigest()
    assert headers["Mailbot-Signature"] == f"v1={told}"


@pytest.mark.parametrize("answer", [500, 503, 307, 401, 429, HANG, BREAK])
def test_an_event_without_an_answer_is_posted_again_with_its_key_and_counts_from_the_answer(
    desk: Running, vendor: Vendor, answer: Any
) -> None:
    give(desk)
    desk.write(JOE, MORE)
    vendor.answers = [answer, 200]
    assert post(desk, patience=0.5) == Posted(failed=1)
    assert desk.ticket().state == "applying"
    assert post(desk) == Posted(), "not before the back-off"
    desk.later(days=2)
    assert post(desk) == Posted(answered=1)
    item = desk.ticket().item("agents")
    assert (item.status, item.effective, item.billing.fraction) == ("applied", date(2026, 11, 22), "9/30")
    assert [headers["Idempotency-Key"] for headers in vendor.headers] == [f"{TOKEN}-2"] * 2
    assert today(desk).agents == 15
    with desk.desk.store.read() as session:
        assert load_licence(session, TOKEN, date(2026, 11, 21)).agents == 10


def test_the_customer_is_told_once_that_the_licence_server_is_slow(desk: Running, vendor: Vendor) -> None:
    give(desk)
    desk.write(JOE, MORE)
    vendor.answers = [503, 503, 200]
    post(desk)
    assert desk.later(minutes=9) == []
    assert [str(mail["To"]) for mail in desk.later(minutes=2)] == [JOE]
    assert desk.kinds() == [("confirmation", JOE)]
    post(desk)
    assert desk.later(hours=5) == []
    post(desk)
    assert desk.kinds() == [("confirmation", JOE), ("outcome", JOE)]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((422, '{"reason": "this token is blocked"}'), "this token is blocked"),
        ((422, '{"reason": "blocked\\r\\n\\u001b[31m\\u202e"}'), "blocked [31m"),
        ((403, "<html>no</html>"), "403 Forbidden"),
        ((400, '{"reason": ["a", "list"]}'), "400 Bad Request"),
    ],
)
def test_a_refusal_for_good_reverses_the_event_and_tells_everybody(
    desk: Running, vendor: Vendor, answer: Any, reason: str
) -> None:
    give(desk)
    desk.write(JOE, MORE)
    vendor.answers = [answer]
    assert post(desk) == Posted(answered=1)
    item = desk.ticket().item("agents")
    assert (desk.ticket().state, item.status, item.reason, item.effective) == ("rejected", "refused", reason, None)
    assert (today(desk).agents, kinds(desk)) == (10, ["import", "modify/add", "refused"])
    assert sorted(desk.kinds()) == [("alert", ANNA), ("alert", BOB), ("outcome", JOE)]
    desk.work()
    assert reason in body(next(mail for mail in desk.sent if str(mail["To"]) == ANNA))
    assert reason in " ".join(body(next(mail for mail in desk.sent if str(mail["To"]) == JOE)).split())
    assert post(desk) == Posted()


def test_events_go_in_order_per_licence_and_do_not_wait_for_other_licences(desk: Running, vendor: Vendor) -> None:
    give(desk, TOKEN, "F6E5D4C3B2A1")
    desk.write(JOE, MORE)
    desk.write(JOE, LESS)
    desk.write(JOE, MORE.replace(TOKEN, "F6E5D4C3B2A1"))
    vendor.answers = [503, 200]
    assert post(desk) == Posted(answered=1, failed=1)
    assert vendor.seen == [(TOKEN, 2), ("F6E5D4C3B2A1", 2)]
    desk.later(seconds=BACK_OFF[0])
    assert post(desk) == Posted(answered=2)
    assert vendor.seen[2:] == [(TOKEN, 2), (TOKEN, 3)]
    assert today(desk).agents == 8


def test_staff_hear_once_of_a_server_that_stays_away(desk: Running, vendor: Vendor) -> None:
    give(desk)
    desk.write(JOE, MORE)
    vendor.answers = [500]
    for _ in range(WORRYING + 3):
        post(desk)
        desk.moment[0] += timedelta(hours=1)
    assert [kind for kind, _ in desk.kinds()].count("alert") == 2  # one for each member


def test_a_demo_counts_its_days_from_the_answer(desk: Running, vendor: Vendor) -> None:
    vendor.answers = [503, 200]
    desk.write(JOE, DEMO)
    assert desk.kinds() == [], desk.quarantine()
    assert today(desk) is None
    post(desk)
    desk.later(days=3)
    post(desk)
    assert (today(desk).status, today(desk).demo_ends) == ("demo", date(2026, 12, 23))
    assert [event["licence"]["demo_ends"] for event in vendor.events] == ["2026-12-20", "2026-12-23", "2026-12-23"]
    assert [event["effective"] for event in vendor.events] == ["2026-11-20", "2026-11-23", "2026-11-23"]
    assert [kind for kind, _ in desk.kinds()] == ["confirmation", "outcome", "plugins"]
    with desk.desk.store.read() as session:
        assert [row.due_at for row in due.open_(session, "demo_warning")] == [
            rome("2026-12-16 08:00"),
            rome("2026-12-22 08:00"),
        ]


def test_a_split_plan_asks_staff_at_once_and_tells_the_customer_after_the_answer(desk: Running, vendor: Vendor) -> None:
    give(desk, "OTHERTOKEN12")
    mails = desk.write(JOE, PLAN)
    assert desk.kinds() == [("approval", ANNA), ("approval", BOB)]
    post(desk)
    desk.work()
    assert desk.kinds()[2:] == [("confirmation", JOE), ("plugins", JOE)]
    assert desk.ticket().state == "waiting_staff"
    desk.write(ANNA, "APPROVE", reply_to=mails[0])
    assert desk.kinds()[4:] == [("receipt", ANNA)]
    assert desk.ticket().state == "applying"
    post(desk)
    assert desk.kinds()[5:] == [("outcome", JOE)]
    assert (desk.ticket().state, today(desk).billing, today(desk).support) == ("done", "monthly", "silver")


def test_a_plan_that_is_refused_takes_the_rest_of_the_request_with_it(desk: Running, vendor: Vendor) -> None:
    give(desk, "OTHERTOKEN12")
    desk.write(JOE, PLAN.replace("Plugins:", "Add-ons: Real-time translator\nPlugins:"))
    vendor.answers = [(422, '{"reason": "unknown installation"}')]
    post(desk)
    granted = [i for i in desk.ticket().items if i.status in ("applying", "applied")]
    assert granted == []
    assert today(desk) is None
    assert len(vendor.events) == 1


def test_what_is_set_by_hand_is_posted_too_and_what_is_imported_is_not(desk: Running, vendor: Vendor) -> None:
    give(desk)
    put_licences(desk.desk, [{"token": TOKEN, "agents": "12"}], "set", "by phone")
    assert today(desk).agents == 10
    post(desk)
    assert (today(desk).agents, vendor.seen) == (12, [(TOKEN, 2)])
    put_licences(desk.desk, [{"token": TOKEN, "agents": "13"}], "set", "by phone")
    vendor.answers = [(409, '{"reason": "no"}')]
    post(desk)
    assert (today(desk).agents, kinds(desk)[-1]) == (12, "refused")


def test_an_answer_that_comes_twice_counts_once(desk: Running, vendor: Vendor) -> None:
    """Two desks had the same event, as after a lease that ran out: the second answer changes nothing."""
    give(desk)
    desk.write(JOE, MORE)
    with desk.desk.store.write() as session:
        row = licence_posts.claim(session, desk.moment[0], desk.moment[0])
    with desk.desk.store.read() as session:
        event = event_of(licences.events(session, TOKEN)[1])
    assert post(desk) == Posted(answered=1)
    for outcome in (EventAccepted("200 OK"), EventRefused("422", "no")):
        with desk.desk.store.write() as session:
            licence_server_loop._settle(desk.desk, session, row, event, outcome)
    assert kinds(desk) == ["import", "modify/add", "accepted"]
    assert desk.kinds() == [("outcome", JOE)]


def test_a_licence_server_that_is_down_gives_no_answer(tmp_path: Path) -> None:
    server = LicenceServer("http://127.0.0.1:9/events", SECRET)
    outcome = server.post({"id": "x"}, rome("2026-11-20 10:00"))
    server.close()
    assert isinstance(outcome, EventDeferred)


def test_the_page_for_the_other_side_shows_what_is_posted(desk: Running, vendor: Vendor) -> None:
    page = (DOCS / "licence-server.md").read_text("utf-8")
    shown = json.loads(page[page.index('    {"schema"') : page.index("\n- `id`, also")])
    put_licences(
        desk.desk,
        [{"token": TOKEN, "status": "active", "plan": "voice_digital", "agents": "10", "billing": "monthly",
          "plugins": "botify", "support": "silver", "contacts": JOE, "product": "motion"}],
        "import", "a file",
    )  # fmt: skip
    desk.write(JOE, MORE)
    post(desk)
    (event,) = vendor.events
    version = {"catalogue_version": event["catalogue_version"]}
    assert event == shown | version
    assert list(event) == list(shown)
    for wait in BACK_OFF[:5]:
        assert f"{wait // 60 or wait}" in page


def test_the_audit_agrees_while_events_wait_and_after_late_answers_and_refusals(desk: Running, vendor: Vendor) -> None:
    give(desk, TOKEN, "OTHERTOKEN12")
    vendor.answers = [503, 200, (422, "{}"), 200]
    desk.write(JOE, MORE)
    post(desk)
    agree(desk)
    desk.later(days=3)
    post(desk)
    desk.write(JOE, LESS.replace(TOKEN, "OTHERTOKEN12"))
    post(desk)
    desk.write(JOE, LESS)
    post(desk)
    assert [desk.ticket(f"LIC-{n}").state for n in (1, 2, 3)] == ["done", "rejected", "scheduled"]
    agree(desk)


def agree(desk: Running) -> None:
    with desk.desk.store.read() as session:
        report = audit_books(session, rome("2027-06-01 10:00"), desk.desk.config.zone)
    assert report.disagreement is None


def test_an_event_with_a_late_answer_is_invoiced_from_the_day_of_the_answer(desk: Running, vendor: Vendor) -> None:
    give(desk)
    vendor.answers = [503, 200]
    desk.write(JOE, MORE)
    post(desk)
    desk.later(days=11)
    post(desk)
    with desk.desk.store.read() as session:
        found = {
            month: [(x.item, x.quantity, x.fraction) for x in invoicing.lines_of(session, date(2026, month, 1), desk.desk.config.zone)]
            for month in (11, 12)
        }  # fmt: skip
    assert found == {
        11: [("plan", 1, "31/31"), ("agents", 10, "31/31")],
        12: [("plan", 1, "31/31"), ("agents", 5, "31/31"), ("agents", 15, "31/31")],
    }


def test_a_moved_licence_needs_both_answers(desk: Running, vendor: Vendor) -> None:
    give(desk)
    new = "F6E5D4C3B2A1"
    log = f"[2026-11-03 08:15:00] [WARN] license - [LICENSE:CHECK] token={new} previousToken={TOKEN} status=grace reason=token_change daysLeft=10\n"
    text = f"Request: reactivate\nCustomer name: Acme\nReason: token change\nOld token: {TOKEN}\nNew token: {new}\n"
    mails = desk.write(JOE, text, files=(("license.log", log.encode()),))
    desk.write(ANNA, "APPROVE", reply_to=next(mail for mail in mails if str(mail["To"]) == ANNA))
    assert (desk.ticket().state, today(desk).status) == ("applying", "active")
    assert post(desk) == Posted(answered=2)
    assert (desk.ticket().state, today(desk).status, today(desk, new).agents) == ("done", "replaced", 10)
    assert [kind for kind, to in desk.kinds() if to == JOE] == ["confirmation", "outcome"]
    agree(desk)


def test_events_that_the_server_accepts_do_not_void_the_approval_of_the_same_mail(desk: Running) -> None:
    give(desk)
    contract = f"Request: contract\n{WHO}Support package: platinum\n"
    approval = next(mail for mail in desk.write(JOE, f"{contract}\n{MORE}") if mail["To"] == ANNA)
    post(desk)
    desk.work()
    desk.write(ANNA, "APPROVE", reply_to=approval)
    assert desk.kinds()[-1] == ("receipt", ANNA)
