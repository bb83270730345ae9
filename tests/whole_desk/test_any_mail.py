"""Any mail, however damaged, is handled, and the tickets that it leaves go on working: every mail that the desk then
composes has exactly the headers that are meant. ``make fuzz`` tries far more of them.
"""

import email.utils
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import select

from mailbot.core.base.frozen import replace
from mailbot.core.desk.ticket import Ticket
from mailbot.core.mail.message import parse
from mailbot.process import mapping
from mailbot.process.decision_lines import Decisions
from mailbot.process.outcome import Outcome
from mailbot.process.unit_of_work import UnitOfWork
from storage import outbox, tickets
from storage.inbox import Inbox
from tests.support import mailgen
from tests.support.paths import TESTS
from tests.support.running import Running, running
from tests.whole_desk.test_whole_desk import ANNA, JOE, PLAN, import_active

#: A trial takes the whole desk, so they are fewer than those of the parsers.
TRIALS = max(int(os.environ.get("FUZZ_TRIALS", "0")) // 20, 40)
MAILS = [path.read_bytes() for path in sorted((TESTS / "mails").glob("*.eml"))]
MAILS += [made.raw for made in mailgen.mails(seed=7, count=60)]
FIELDS = ("Message-ID", "Subject", "In-Reply-To", "References", "From", "To", "Reply-To", "Date", "Content-Type")
HEADERS = re.compile(
    r"From To Subject Date Message-ID (Reply-To )?(In-Reply-To References )?Auto-Submitted X-Auto-Response-Suppress "
    r"X-Mailbot MIME-Version Content-Type"
)

#: What a field of the sender's may hold that no field should.
VALUES = st.sampled_from(
    [
        b"", b" ", b"<>", b"<\xe9\xff@x.example>", "<grün@x.example>".encode(), b"<a b@x.example>", b"<\x00@x.example>",
        b"<\x1b[2J@x.example>", b"<" + b"m" * 5000 + b"@x.example>", b"<a@x> <b@y>", b"no brackets", b"\xff\xfe\xfd",
        "\u202e\u2066evil".encode(), b"\xed\xa0\x80\xed\xb0\x80", b"=?utf-8?q?a=0ABcc:_x?=", b"=?utf-8?b?////?=",
        b"=?utf-16?b?2AA=?=", b"x" * 9000, b"<a@x.example>\n\tX-Evil: 1", b'"joe\xff" <joe@acme.example>',
        "\U0001f600 <joe@acme.example>".encode(), b"=?utf-8?b?7aCA?= <joe@acme.example>", b"joe@acme.example, x@y.example",
        b"<\xc2\xa0@x.example>", b"[LIC-1] =?", "\u2028\u2029\x85".encode(),
    ]
)  # fmt: skip
REPLACED = st.dictionaries(st.sampled_from(FIELDS), VALUES | st.binary(max_size=60), max_size=4)
#: Pieces of bytes that are put into the body.
PIECES = st.lists(st.tuples(st.floats(0, 1), VALUES | st.binary(max_size=40)), max_size=3)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A mail with fields replaced and its body damaged, as the border delivers it: mostly with a verdict."""
    raw = draw(st.sampled_from(MAILS)).replace(b"\r\n", b"\n")
    head, _, body = raw.partition(b"\n\n")
    fields = re.split(rb"\n(?![ \t])", head)
    replaced = {
        name.lower().encode(): b" " + re.sub(rb"\n(?![ \t])", b"", value) for name, value in draw(REPLACED).items()
    }
    fields = [one for one in fields if one.partition(b":")[0].lower() not in replaced]
    fields += [name + b":" + value for name, value in replaced.items()]
    for where, piece in draw(PIECES):
        at = int(where * len(body))
        body = body[:at] + piece + body[at:]
    raw = b"\n".join(fields) + b"\n\n" + body
    domain = (parse(raw).sender or "").rpartition("@")[2]
    if domain and draw(st.integers(0, 3)):
        raw = f"Authentication-Results: mx.vendor.example; dmarc=pass header.from={domain}\n".encode() + raw
    return raw


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    found = running(tmp_path_factory.mktemp("desk"))
    found.configure("limits", replies_per_sender_per_day=1_000_000, replies_to_unknown_per_hour=1_000_000)
    import_active(found)
    yield found
    found.desk.store.close()


@given(raw=damaged())
@settings(max_examples=TRIALS, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_mail_is_handled_and_its_ticket_goes_on_working(desk: Running, raw: bytes) -> None:
    before, desk.sent = _newest_ticket(desk), []
    desk.take(raw)
    _all_is_well(desk)
    for number in range(before + 1, _newest_ticket(desk) + 1):
        _go_on(desk, f"LIC-{number}")
    _all_is_well(desk)


@pytest.mark.parametrize(
    "message_id", [b"<\xe9@acme.example>", b"<a b@acme.example>", b"<" + b"m" * 2000 + b"@acme.example>", b"<\x07@x>"]
)
def test_a_comment_with_an_unusable_message_id_does_not_stop_its_ticket(tmp_path: Path, message_id: bytes) -> None:
    desk = running(tmp_path)
    mail = desk.write(JOE, PLAN)[0]
    comment = desk.raw(JOE, "When will it be done?", reply_to=mail)
    desk.take(re.sub(rb"(?m)^Message-ID: .*$", lambda _: b"Message-ID: " + message_id, comment))
    assert desk.history()[-1] == "commented"
    _go_on(desk, "LIC-1")
    _all_is_well(desk)


def test_threads_that_hold_an_unusable_message_id_already_are_answered_without_it(tmp_path: Path) -> None:
    desk = running(tmp_path)
    desk.write(JOE, PLAN)
    with desk.desk.store.write() as session:
        row = tickets.load(session, "LIC-1")
        assert row is not None
        old = Ticket.from_json(row.body)
        threads = {address: (*ids, "<gr\xfcn\x07@acme.example>") for address, ids in old.threads.items()}
        mapping.save_ticket(session, replace(old, threads=threads), desk.moment[0], row)
    _go_on(desk, "LIC-1")
    _all_is_well(desk)
    assert all("gr" not in str(mail["References"]) for mail in desk.sent)


def _go_on(desk: Running, ref: str) -> None:
    """Staff write to the customer, the customer asks how it stands, time passes, staff decide."""
    _decide(desk, ref, "ANSWER Thank you.")
    sender = desk.ticket(ref).sender
    desk.write(sender, "status", to=f"desk+{ref.lower()}@vendor.example", subject=f"[{ref}]")
    desk.later(hours=25)
    _decide(desk, ref, "NOTE seen")
    _decide(desk, ref, "REJECT not sold here")
    approval = next((mail for mail in reversed(desk.sent) if str(mail["To"]) == ANNA and mail["Reply-To"]), None)
    if approval is not None:
        desk.write(ANNA, "HOLD", reply_to=approval)


def _decide(desk: Running, ref: str, words: str) -> None:
    label = f"decide:{ref}:{words}:{desk.written}"
    with desk.desk.store.write() as session, UnitOfWork(desk.desk, session, desk.moment[0], label) as work:
        Decisions(work, "operator", None).carry_out(words, (ref,))
    desk.work()


def _newest_ticket(desk: Running) -> int:
    with desk.desk.store.read() as session:
        return max((row.number for row in tickets.listing(session)), default=0)


def _all_is_well(desk: Running) -> None:
    """No mail failed, none is in quarantine for a reason of ours, and every new finished mail reads back as meant."""
    with desk.desk.store.read() as session:
        rows = session.exec(select(Inbox)).all()
        failed = [
            row.last_result for row in rows if row.state == "kept" or (row.state == "quarantined" and not row.intake)
        ]
        raws = [outbox.raw(session, row.id) for row in outbox.listing(session)[: max(len(desk.sent), 1)]]
    assert failed == []
    assert {row.intake for row in rows if row.state == "quarantined"} <= {Outcome.UNUSABLE, Outcome.SAME_ID}
    for raw in raws:
        assert raw.isascii()
        assert max(map(len, raw.split(b"\r\n"))) <= 998
        mail = parse(raw)
        assert HEADERS.fullmatch(" ".join(name for name, _ in mail.headers)), mail.headers
        assert mail.fault is None
        assert email.utils.parsedate_to_datetime(mail.date or "")
