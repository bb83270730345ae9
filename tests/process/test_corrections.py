"""A request put right by reply: one line, several rounds, a late file, a whole new form, another kind; the answer shows what changed."""

from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.support.letters import EXPIRED, LOG, NEW, TOKEN
from tests.support.running import Running, body, running
from tests.whole_desk.test_whole_desk import ANNA, JOE, PLAN, WHO, import_active

BAD = PLAN.replace("Voice Digital", "Voize").replace("Agents: 10", "Agents: ten")
ADD = f"Request: modify\nLicense token: {TOKEN}\nCustomer name: Acme\nI accept the License Agreement: yes\nAction: add\nReason: more agents\n"


@pytest.fixture
def desk(tmp_path: Path) -> Running:
    return running(tmp_path)


def of(mails: list[EmailMessage], to: str = JOE) -> EmailMessage:
    return next(mail for mail in mails if str(mail["To"]) == to)


def said(mail: EmailMessage) -> str:
    return " ".join(body(mail).split())


def faults(desk: Running) -> list[tuple[str, str]]:
    return [(p.field, str(p.code)) for p in desk.ticket().problems]


def test_the_first_answer_shows_no_correction(desk: Running) -> None:
    assert "What your correction replaced" not in said(of(desk.write(JOE, BAD)))


def test_several_rounds_each_showing_what_was_replaced_and_kept(desk: Running) -> None:
    first = of(desk.write(JOE, BAD))
    assert 'Did you mean "10"?' in said(first)
    second = of(desk.write(JOE, "Plan: Voice\n", reply_to=first))
    assert faults(desk) == [("agents", "not_a_number")]
    assert "What your correction replaced Plan Voize -> Voice Everything else stays the same." in said(second)
    assert "Plan: Voice" in body(second)  # the form as it is now
    third = of(desk.write(JOE, "Agents: 12\nUsers: 3\n", reply_to=second))
    assert faults(desk) == []
    assert "What your correction replaced Agents ten -> 12 Users none -> 3 Everything else stays the same." in said(
        third
    )
    assert desk.history().count("changed") == 2


def test_a_new_complete_form_in_the_reply_replaces_the_old_one(desk: Running) -> None:
    first = of(desk.write(JOE, BAD))
    answer = of(desk.write(JOE, "Once more:\n" + PLAN.replace("Silver", "Platinum"), reply_to=first))
    assert faults(desk) == []
    assert "Plan Voize -> Voice Digital Agents ten -> 10 Support package Silver -> Platinum" in said(answer)
    assert desk.ticket().comments == "Once more:"
    assert [kind for kind, _ in desk.kinds()].count("incomplete") == 1


def test_a_late_log_completes_the_ticket(desk: Running) -> None:
    import_active(desk, expires_on="2026-10-01")
    first = of(desk.write(JOE, EXPIRED))
    assert faults(desk) == [("log", "attachment_missing")]
    desk.write(JOE, "here it is\n", reply_to=first, files=(("license.log", LOG),))
    assert (faults(desk), desk.ticket().state) == ([], "waiting_staff")
    assert desk.ticket().diagnosis is not None


def test_a_repair_that_changes_the_action(desk: Running) -> None:
    import_active(desk)
    first = of(desk.write(JOE, ADD + "Agents: 8\n"))
    assert faults(desk) == [("agents", "not_above_current")]
    answer = of(desk.write(JOE, "Sorry, we want less.\nAction: remove\n", reply_to=first))
    assert (desk.ticket().action, faults(desk)) == ("remove", [])
    assert "What your correction replaced Action add -> remove Everything else stays the same." in said(answer)


def test_a_repair_that_changes_the_kind_of_request(desk: Running) -> None:
    import_active(desk)
    first = of(desk.write(JOE, ADD))
    assert faults(desk) == [("items", "missing")]
    mails = desk.write(JOE, "Request: contract\nSupport package: Platinum\n", reply_to=first)
    ticket = desk.ticket()
    assert (ticket.ref, ticket.request, ticket.action, ticket.state) == ("LIC-1", "contract", None, "waiting_staff")
    assert [item.item for item in ticket.items] == ["support"]
    assert "Support package none -> Platinum" in said(of(mails))
    assert of(mails, ANNA)


def test_an_edited_quoted_form_shows_the_edited_line_alone(desk: Running) -> None:
    first = of(desk.write(JOE, BAD.replace("Agents: ten", "Agents: 10")))
    quoted = "\n".join(f"> {line}" for line in body(first).splitlines()).replace("> Plan:", "> Plan: Digital")
    answer = of(desk.write(JOE, f"On Tue, 3 Nov 2026, Licence Desk wrote:\n{quoted}\n", reply_to=first))
    assert desk.ticket().fields["plan"] == "Digital"
    assert "What your correction replaced Plan Voize -> Digital Everything else stays the same." in said(answer)


def test_lines_below_the_quoted_mail_count_too(desk: Running) -> None:
    first = of(desk.write(JOE, BAD))
    quoted = "\n".join(f"> {line}" for line in body(first).splitlines())
    desk.write(JOE, f"On Tue, 3 Nov 2026, Licence Desk wrote:\n{quoted}\n\nPlan: Voice\nAgents: 11\n", reply_to=first)
    assert faults(desk) == []


def below(mail: EmailMessage, words: str) -> str:
    """A reply with its words below the whole quoted mail."""
    quoted = "\n".join(f"> {line}" for line in body(mail).splitlines())
    return f"On Tue, 3 Nov 2026, Licence Desk <desk@vendor.example> wrote:\n{quoted}\n\n{words}\n"


def test_words_below_the_quoted_mail_reach_staff(desk: Running) -> None:
    first = of(desk.write(JOE, BAD))
    told = of(desk.write(JOE, below(first, "How many are there now? Please call me."), reply_to=first), ANNA)
    assert "| How many are there now? Please call me." in body(told)


def test_a_word_for_the_desk_is_heard_below_the_quoted_mail_too(desk: Running) -> None:
    first = of(desk.write(JOE, BAD))
    assert "Status of your requests" in str(of(desk.write(JOE, below(first, "Status."), reply_to=first))["Subject"])
    desk.write(JOE, below(first, "cancel"), reply_to=first)
    assert desk.ticket().state == "cancelled"


def test_what_was_attached_to_a_question_is_named_to_staff(desk: Running) -> None:
    asked = desk.write(JOE, "Please see the order.\n", subject="Order", files=(("PO-2026-11.pdf", b"%PDF-1.4"),))
    assert "Attached PO-2026-11.pdf" in said(of(asked, ANNA))


def test_a_stranger_s_words_are_not_shown_back(desk: Running) -> None:
    first = of(desk.write("eve@new.example", BAD, verified=False), "eve@new.example")
    answer = of(
        desk.write("eve@new.example", "Plan: buy my watches\n", verified=False, reply_to=first), "eve@new.example"
    )
    assert "watches" not in body(answer)
    assert "replaced" not in body(answer)


FORWARD = f"""For you, please.

---------- Forwarded message ---------
From: Ann Client <ann@client.example>
Date: Tue, Nov 3, 2026 at 8:00 AM
Subject: license
To: Joe <joe@acme.example>


{PLAN}"""


def test_who_wrote_a_forwarded_request_is_shown_to_staff_and_has_no_say(desk: Running) -> None:
    mails = desk.write(JOE, FORWARD, subject="Fwd: license")
    assert (desk.ticket().sender, desk.ticket().forwarded_from) == (JOE, "ann@client.example")
    assert "Forwarded from" in body(of(mails, ANNA))
    assert "ann@client.example" in body(of(mails, ANNA))
    assert "ann@client.example" not in [to for _, to in desk.kinds()]


def test_a_mail_that_is_not_forwarded_names_nobody(desk: Running) -> None:
    desk.write(JOE, "From: our office\n" + PLAN)
    assert desk.ticket().forwarded_from is None


def test_the_new_token_of_a_move_can_be_corrected(desk: Running) -> None:
    import_active(desk)
    text = f"Request: reactivate/token_change\nCustomer name: Acme\nOld token: {TOKEN}\nNew token: short\n"
    first = of(desk.write(JOE, text, files=(("license.log", LOG),)))
    assert faults(desk) == [("new_token", "token_malformed")]
    answer = of(desk.write(JOE, f"New token\n{NEW}\n", reply_to=first))
    assert (faults(desk), desk.ticket().new_token) == ([], NEW)
    assert f"New token short -> {NEW}" in said(answer)


def test_a_correction_beside_the_items_leaves_the_request_s_date(tmp_path: Path) -> None:
    desk = running(tmp_path, datetime(2026, 11, 20, 9, 0, tzinfo=UTC))
    import_active(desk)
    first = of(desk.write(JOE, f"Request: contract\n{WHO}Plan: voice\n"))
    desk.later(days=1)
    desk.write(JOE, "Comments: please hurry\n", reply_to=first)
    assert (desk.ticket().items[0].rule, desk.ticket().received_at.day) == ("decrease_by_20th", 20)
    desk.write(JOE, "Plan: digital\n", reply_to=first)
    assert (desk.ticket().items[0].rule, desk.ticket().received_at.day) == ("decrease_after_20th", 21)
