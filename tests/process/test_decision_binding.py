"""What a decision is bound to, and what becomes of those that are late, forged, replayed or raced (spec section 6)."""

from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.support.running import Running, body, running
from tests.support.warm import Warm
from tests.whole_desk.test_whole_desk import ANNA, BOB, JOE, PLAN, import_active, licence


@pytest.fixture
def desk(tmp_path: Path) -> Running:
    return running(tmp_path)


def of(desk: Running, kind: str, address: str = ANNA) -> EmailMessage:
    """The newest mail of that kind to that address."""
    found = [mail for mail, (one, to) in zip(desk.sent, desk.kinds(), strict=True) if (one, to) == (kind, address)]
    assert found, (kind, address, desk.kinds())
    return found[-1]


def details(desk: Running, kind: str, ref: str = "LIC-1") -> list[str]:
    from storage import tickets

    with desk.desk.store.read() as session:
        return [str(e.detail) for e in tickets.events(session, desk.ticket(ref).number) if e.kind == kind]


def alerts(desk: Running) -> list[tuple[str, str]]:
    return [one for one in desk.kinds() if one[0] == "alert"]


def test_a_request_that_changes_voids_its_keys_and_the_new_mail_marks_the_change(desk: Running) -> None:
    mails = desk.write(JOE, PLAN)
    desk.write(JOE, "Agents: 99", reply_to=mails[0])
    approval = of(desk, "approval")
    desk.write(ANNA, "APPROVE", reply_to=mails[1])
    assert (desk.ticket().state, licence(desk)) == ("waiting_staff", None)
    assert details(desk, "decision_late") == ["changed"]
    assert "99" in body(approval)
    assert "gents" in body(approval).partition("Who asks")[0]
    anew = of(desk, "approval")  # with the answer to her decision, which came too late
    assert anew is not approval
    assert "CHANGED since our last mail about it: Agents." in body(anew)
    assert str(of(desk, "already-decided")["Subject"]) == "[LIC-1] Your decision did not count, please decide again"
    desk.write(ANNA, "APPROVE", reply_to=anew)
    assert licence(desk).agents == 99


def test_a_digests_key_covers_a_version_and_only_its_member_is_asked_anew(desk: Running) -> None:
    from mailbot.process import digest

    digest.ensure_digest(desk.desk)
    mails = desk.write(JOE, PLAN)
    desk.later(hours=23)
    desk.write(JOE, "Agents: 99", reply_to=mails[0])
    bobs, before = of(desk, "approval", BOB), len(desk.kinds())
    desk.write(ANNA, "APPROVE LIC-1", reply_to=of(desk, "digest"))
    assert desk.kinds()[before:] == [("approval", ANNA), ("already-decided", ANNA)]
    assert "CHANGED since our last mail about it: Agents." in body(of(desk, "approval"))
    desk.write(BOB, "APPROVE", reply_to=bobs)
    assert licence(desk).agents == 99


def test_a_licence_that_changes_meanwhile_voids_a_decision_about_it(desk: Running) -> None:
    import_active(desk)
    form = "Request: contract\nLicense token: A1B2C3D4E5F6\nCustomer name: Acme\nI accept the License Agreement: yes\n"
    desk.write(JOE, form + "Support package: platinum\n")
    desk.write(JOE, form.replace("contract", "modify") + "Action: add\nReason: more agents\nAgents: 20\n")
    desk.write(ANNA, "APPROVE", reply_to=of(desk, "approval"))
    assert desk.ticket().state == "waiting_staff"
    desk.write(ANNA, "APPROVE", reply_to=of(desk, "approval"))
    assert desk.ticket().state == "done"


TERMS = "Request: contract\nLicense token: A1B2C3D4E5F6\nCustomer name: Acme\nI accept the License Agreement: yes\n"
ADD = TERMS.replace("contract", "modify") + "Action: add\nReason: more agents\nAgents: 20\n"


def test_what_the_same_mail_adds_does_not_void_the_approval_that_it_asks_for(desk: Running) -> None:
    import_active(desk)
    desk.write(JOE, f"{TERMS}Support package: platinum\n\n{ADD}")
    assert licence(desk).agents == 20
    assert "Agents             20" in body(of(desk, "approval"))
    desk.write(ANNA, "APPROVE", reply_to=of(desk, "approval"))
    assert desk.ticket().state == "done"


def test_one_line_of_a_decision_does_not_void_the_next_about_the_same_licence(desk: Running) -> None:
    from mailbot.process import digest

    digest.ensure_digest(desk.desk)
    import_active(desk)
    desk.write(JOE, f"{TERMS}Support package: platinum\n")
    desk.write(JOE, f"{TERMS}Whitelabel: yes\n")
    desk.later(hours=23)
    both = of(desk, "digest"), of(desk, "digest", BOB)
    desk.write(ANNA, "APPROVE LIC-1\nAPPROVE LIC-2", reply_to=both[0])
    assert (desk.ticket("LIC-1").state, desk.ticket("LIC-2").state) == ("done", "done")
    assert (licence(desk).support, licence(desk).whitelabel) == ("platinum", True)
    desk.write(BOB, "REJECT LIC-2 no", reply_to=both[1])
    assert desk.kinds()[-1] == ("already-decided", BOB)


def test_a_member_cannot_decide_his_own_request(desk: Running) -> None:
    desk.write(ANNA, PLAN)
    assert [to for kind, to in desk.kinds() if kind == "approval"] == [BOB]
    desk.write(ANNA, "APPROVE", reply_to=of(desk, "approval", BOB))
    assert (desk.ticket().state, licence(desk)) == ("waiting_staff", None)
    assert len(details(desk, "decision_refused")) == 1


def test_a_member_cannot_decide_his_own_request_by_the_key_of_a_digest(desk: Running) -> None:
    from mailbot.process import digest

    digest.ensure_digest(desk.desk)
    desk.write(ANNA, PLAN)
    desk.later(hours=23)
    receipt = desk.write(ANNA, "APPROVE LIC-1", reply_to=of(desk, "digest"))
    assert (desk.ticket().state, licence(desk)) == ("waiting_staff", None)
    assert "own request" in body(receipt[0])


@pytest.mark.parametrize("sender", ["mallory@evil.example", JOE, BOB, "carl@vendor.example"])
def test_a_foreign_key_changes_nothing_is_recorded_and_alerts_once(desk: Running, sender: str) -> None:
    approval = desk.write(JOE, PLAN)[1]
    for word in ("APPROVE", "approve", "APPROVE LIC-1", "REJECT no"):
        desk.write(sender, word, reply_to=approval)
    assert (desk.ticket().state, licence(desk)) == ("waiting_staff", None)
    assert details(desk, "decision_refused") == [f"the decision key of {ANNA} was used by {sender}"] * 4
    desk.later(hours=2)
    assert alerts(desk) == [("alert", ANNA), ("alert", BOB)]


def test_a_thousand_names_with_one_key_are_one_incident(desk: Running) -> None:
    approval = desk.write(JOE, PLAN)[1]
    for number in range(20):
        desk.write(f"m{number}@evil{number}.example", "APPROVE", reply_to=approval)
    desk.later(hours=2)  # within an hour there is one alert mail, whatever happens
    assert alerts(desk) == [("alert", ANNA), ("alert", BOB)]


def test_a_replayed_decision_hears_that_it_is_decided_and_is_not_answered_without_end(desk: Running) -> None:
    approval = desk.write(JOE, PLAN)[1]
    desk.write(ANNA, "APPROVE", reply_to=approval)
    before = licence(desk)
    for _ in range(15):
        desk.write(ANNA, "APPROVE", reply_to=approval, verified=False)
    assert desk.kinds().count(("already-decided", ANNA)) == 10
    assert len(details(desk, "decision_late")) == 15
    assert licence(desk) == before


def test_a_member_without_a_verdict_alone_is_asked_to_confirm_his_decision(desk: Running) -> None:
    approval = desk.write(JOE, PLAN)[1]
    asked = desk.write(ANNA, "APPROVE agents, plan, billing", verified=False, reply_to=approval)
    assert [str(mail["To"]) for mail in asked] == [ANNA]
    for sender in (BOB, JOE, "mallory@evil.example"):
        desk.write(sender, "CONFIRM", reply_to=asked[0])
    assert licence(desk) is None
    desk.write(ANNA, "CONFIRM", verified=False, reply_to=asked[0])
    assert licence(desk).agents == 10
    assert [item.item for item in desk.ticket().open_items if item.item in ("agents", "plan", "billing")] == []


def test_a_confirmation_of_a_decision_does_not_count_after_the_request_changed(desk: Running) -> None:
    mails = desk.write(JOE, PLAN)
    asked = desk.write(ANNA, "APPROVE", verified=False, reply_to=mails[1])
    desk.write(JOE, "Agents: 99", reply_to=mails[0])
    desk.write(ANNA, "CONFIRM", verified=False, reply_to=asked[0])
    assert licence(desk) is None


@pytest.mark.parametrize(
    "text", ["ANSWER {}", "ASK Is it {}?", "REJECT because {}", "ANSWER see desk+lic-1.{}@vendor.example"]
)
def test_words_that_hold_a_live_key_are_never_sent_on(desk: Running, text: str) -> None:
    mails = desk.write(JOE, PLAN)
    key = str(mails[2]["Reply-To"]).partition(".")[2].partition("@")[0]
    desk.write(ANNA, text.format(key.lower()), reply_to=mails[1])
    assert [to for _, to in desk.kinds()[3:]] == [ANNA]


@pytest.mark.parametrize("line", ["Customer name: Acme\nComments: use {}", "Customer name: {}"])
def test_a_customers_words_bring_no_key_to_anybody(desk: Running, line: str) -> None:
    mails = desk.write(JOE, PLAN)
    key = str(mails[1]["Reply-To"]).partition(".")[2].partition("@")[0]
    before = len(desk.sent)
    desk.write(
        "sue@other.example",
        PLAN.replace("A1B2C3D4E5F6", "ANOTHER12345").replace("Customer name: Acme", line.format(key)),
    )
    desk.write("sue@other.example", f"What is {key}?")
    desk.write("sue@other.example", f"What is {key}?", subject="[LIC-1]")
    desk.write("sue@other.example", f"What is {key}?", reply_to=of(desk, "confirmation", "sue@other.example"))
    assert len(desk.sent) > before + 6
    assert not any(key in body(mail) or key in str(mail["Subject"]) for mail in desk.sent[before:])
    assert not any(key in mail.as_string() for mail in desk.sent[before:] if mail["To"] != ANNA)


CONTRACT = (
    "Request: contract\nLicense token: A1B2C3D4E5F6\nCustomer name: Acme\nI accept the License Agreement: yes\n"
    "Support package: platinum\nBilling frequency: annual\n"
)


@pytest.mark.parametrize("subject", ["hello", "Re: [LIC-1] Please decide"])
@pytest.mark.parametrize("own", ["APPROVE", "approve LIC-1", "Reject"])
def test_a_decision_without_the_key_of_a_mail_is_no_question_and_no_comment(
    desk: Running, own: str, subject: str
) -> None:
    desk.write(JOE, PLAN)
    before = len(desk.sent)
    desk.write(ANNA, own, subject=subject)
    assert desk.ticket().state == "waiting_staff"
    assert desk.kinds()[before:] == [("alert", ANNA), ("alert", BOB), ("not-understood", ANNA)]
    assert "which mail you answered" in " ".join(body(of(desk, "not-understood")).split())
    assert len(details(desk, "decision_refused")) == ("LIC-1" in subject)
    assert ("[LIC-1]" in str(of(desk, "not-understood")["Subject"])) == ("LIC-1" in subject)
    desk.write(ANNA, own, subject=subject)
    assert len(alerts(desk)) == 2, "one incident"


def test_a_question_of_a_member_that_begins_with_a_decision_word_is_a_question(desk: Running) -> None:
    desk.write(ANNA, "Ask whom about the prices, please?", subject="prices")
    assert desk.ticket().request == "information"


def test_a_late_decision_with_a_live_key_is_told_who_decided(desk: Running) -> None:
    """The key of a digest lives on, and its tickets are decided by other mails."""
    from mailbot.process import digest

    digest.ensure_digest(desk.desk)
    import_active(desk)
    approvals = [mail for mail in desk.write(JOE, CONTRACT) if str(mail["To"]) == BOB]
    desk.write(JOE, PLAN.replace("A1B2C3D4E5F6", "B1B2C3D4E5F6"))
    desk.later(hours=23)
    desk.write(BOB, "APPROVE", reply_to=approvals[0])
    for own in ("APPROVE LIC-1", "REJECT LIC-1 no", "APPROVE LIC-1 support", "APPROVE LIC-1 support, billing"):
        (mail,) = desk.write(ANNA, own, reply_to=of(desk, "digest"))
        assert desk.kinds()[-1] == ("already-decided", ANNA), own
        assert f"by {BOB}" in body(mail)
    desk.write(ANNA, "APPROVE LIC-1\nHOLD LIC-2", reply_to=of(desk, "digest"))
    assert "already been decided" in body(of(desk, "receipt")), "beside a line that counts it stands in the receipt"


def test_the_customer_of_a_ticket_that_is_over_is_answered_by_replying_to_what_says_so(desk: Running) -> None:
    approval = desk.write(JOE, PLAN)[1]
    desk.write(ANNA, "REJECT not for you", reply_to=approval)
    (already,) = desk.write(ANNA, "ANSWER Call us, please.", reply_to=approval)
    told = desk.write(ANNA, "ANSWER Call us, please.", reply_to=already)
    assert [str(mail["To"]) for mail in told] == [JOE, ANNA]
    assert "Call us, please." in body(told[0])
    assert desk.write(ANNA, "APPROVE", reply_to=already)
    assert desk.kinds()[-1] == ("already-decided", ANNA)
    assert desk.ticket().state == "rejected"


def test_an_expired_key_of_a_question_that_waits_brings_a_new_mail(desk: Running) -> None:
    approval = desk.write(JOE, "What does a licence cost?", subject="Prices")[1]
    assert str(approval["To"]) == ANNA
    desk.later(days=31)
    mails = desk.write(ANNA, "ANSWER 10 Euro", reply_to=approval)
    assert desk.kinds()[-2:] == [("already-decided", ANNA), ("approval", ANNA)]
    assert "That mail is too old to be answered." in body(mails[0])
    desk.write(ANNA, "ANSWER 10 Euro", reply_to=mails[1])
    assert desk.ticket().state == "done"


def test_a_second_confirmation_is_told_that_the_tickets_it_names_are_decided(desk: Running) -> None:
    approval = desk.write(JOE, PLAN)[1]
    (again,) = desk.write(ANNA, "NOTE look at it", reply_to=approval, verified=False)
    desk.write(ANNA, "CONFIRM", reply_to=again, verified=False)
    told = desk.write(ANNA, "CONFIRM", reply_to=again, verified=False)
    assert "already been made" in body(told[0])
    assert "It is still waiting" in body(told[0])
    assert desk.kinds()[-1] == ("approval", ANNA)


def test_words_without_a_verdict_that_are_no_decision_are_not_asked_to_be_confirmed(desk: Running) -> None:
    approval = desk.write(JOE, PLAN)[1]
    (told,) = desk.write(ANNA, "Yes, please", reply_to=approval, verified=False)
    assert "CONFIRM" not in body(told)
    assert "does not begin with" in body(told)
    (again,) = desk.write(ANNA, "APPROVE", reply_to=told, verified=False)
    assert "CONFIRM" in body(again)
    assert desk.ticket().state == "waiting_staff"


@pytest.mark.parametrize(("own", "why"), [("APPROVE", "Somebody else"), ("REJECT no", "Somebody else")])
def test_staff_cannot_decide_what_waits_for_a_confirmation(desk: Running, own: str, why: str) -> None:
    from mailbot.process import digest

    digest.ensure_digest(desk.desk)
    import_active(desk)
    desk.write("eve@evil.example", CONTRACT)
    desk.later(hours=23)
    (told,) = desk.write(ANNA, own, reply_to=of(desk, "digest"))
    assert why in body(told)
    assert desk.ticket().state == "waiting_confirmation"


def test_the_customers_answer_comes_with_the_way_to_decide(desk: Running) -> None:
    import_active(desk)
    asked = desk.write(ANNA, "ASK Which day?", reply_to=desk.write(JOE, CONTRACT)[1])
    comment = desk.write(JOE, "Monday.", reply_to=asked[0])[0]
    assert "APPROVE LIC-1" in body(comment)
    desk.write(ANNA, "APPROVE", reply_to=comment)
    assert desk.ticket().open_items == ()


@pytest.mark.parametrize("change", ["decided in part", "answered by the customer"])
def test_a_hold_lasts_until_the_ticket_changes(desk: Running, change: str) -> None:
    import_active(desk)
    mails = desk.write(JOE, CONTRACT)
    asked = desk.write(ANNA, "HOLD" if change == "decided in part" else "ASK Which day?\nHOLD", reply_to=mails[1])
    desk.later(hours=30)
    assert ("reminder", ANNA) not in desk.kinds()
    if change == "decided in part":
        desk.write(ANNA, "APPROVE support", reply_to=mails[1])
    else:
        desk.write(JOE, "Monday.", reply_to=asked[0])
    desk.later(hours=25)
    assert desk.kinds().count(("reminder", ANNA)) == 1


def test_a_question_is_answered_and_not_approved(desk: Running) -> None:
    approval = desk.write(JOE, "What does a licence cost?", subject="Prices")[1]
    assert "APPROVE" not in body(approval)
    (told,) = desk.write(ANNA, "APPROVE", reply_to=approval)
    assert "A question cannot be approved" in body(told)


#: A second desk on the same database keeps its mail and works off whatever is there.
OTHER = """
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from mailbot.assembly import assemble
from mailbot.clock import fixed
from mailbot.config.settings import load_config
from mailbot.service.runner import keep_mail, work_off
from mailbot.ids import RepeatableIds
moment = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)
desk = assemble(load_config(Path(sys.argv[1]), {}), fixed(moment), RepeatableIds(b"test"))
print("ready", flush=True)
while not Path(sys.argv[3]).exists():
    time.sleep(0.01)
keep_mail(desk, Path(sys.argv[2]).read_bytes(), moment, "inject")
work_off(desk)
"""


@pytest.mark.parametrize(
    "words", [("APPROVE", "REJECT too dear"), ("APPROVE", "APPROVE"), ("REJECT no", "REJECT never")]
)
def test_of_two_decisions_in_two_processes_at_once_one_counts(
    tmp_path: Path, words: tuple[str, str], warm: Warm
) -> None:
    desk = running(tmp_path)
    mails = desk.write(JOE, PLAN)
    (other := tmp_path / "other.py").write_text(OTHER)
    sides = []
    for number, (word, mail) in enumerate(zip(words, mails[1:], strict=True)):
        head = f"Authentication-Results: mx.vendor.example; dmarc=pass header.from=vendor.example\r\nFrom: {mail['To']}\r\n"
        head += f"To: {mail['Reply-To']}\r\nMessage-ID: <race{number}@vendor.example>\r\n\r\n"
        (raw := tmp_path / f"{number}.eml").write_bytes((head + word + "\r\n").encode())
        sides.append(warm.start(other, tmp_path / "mailbot.toml", raw, go := tmp_path / "go"))
    for side in sides:
        side.until("ready")
    go.touch()
    assert [side.end().returncode for side in sides] == [0, 0]
    desk.work()
    told = [kind for kind, _ in desk.kinds()]
    assert (told.count("receipt"), told.count("already-decided"), told.count("outcome")) == (1, 1, 1)
    history = [kind for kind in desk.history() if kind in ("approved", "rejected", "decision_late")]
    assert history in (["approved", "decision_late"], ["rejected", "decision_late"])
    assert desk.states() == {"handled": 3}


def test_a_member_hears_that_only_his_words_are_sent_on(desk: Running) -> None:
    approval = desk.write(JOE, PLAN)[1]
    files = (("price list.pdf", b"%PDF-"), ("image001.png", b"x"))
    question, receipt = desk.write(ANNA, "ASK Is the attached list right?", reply_to=approval, files=files)
    assert list(question.iter_attachments()) == []
    assert "These attachments were not" in body(receipt)
    assert "price list.pdf" in body(receipt)
    assert "image001" not in body(receipt)
    (noted,) = desk.write(ANNA, "NOTE see the file", reply_to=approval, files=files)
    assert "price list" not in body(noted)
