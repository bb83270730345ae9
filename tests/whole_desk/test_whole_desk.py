"""Conversations with a whole desk, from the raw mail to the mails that go out, the ticket and the ledger."""

from pathlib import Path

import pytest

from mailbot.process import digest
from tests.support.running import Running, body, running

WHO = "License token: A1B2C3D4E5F6\nCustomer name: Acme\nI accept the License Agreement: yes\n"
DEMO = f"Request: activate\n{WHO}30 days free demo: yes\n"
PLAN = f"Request: activate\n{WHO}demo: no\nPlan: Voice Digital\nAgents: 10\nBilling frequency: monthly\nSupport package: Silver\nPlugins: Botify, Queue manager\n"
JOE = "joe@acme.example"
ANNA, BOB = "anna@vendor.example", "bob@vendor.example"


@pytest.fixture
def desk(tmp_path: Path) -> Running:
    return running(tmp_path)


def kinds(mails: list) -> list[str]:
    return [str(mail["To"]) for mail in mails]


def test_a_demo_is_given_at_once(desk: Running) -> None:
    desk.write(JOE, DEMO)
    assert desk.kinds() == [("outcome", JOE), ("plugins", JOE)], desk.quarantine()
    ticket = desk.ticket()
    assert (ticket.state, ticket.request, ticket.action) == ("done", "activate", "demo")
    assert [i.item for i in ticket.items][:4] == ["admin", "plan", "agents", "telephones"]
    assert all(i.status == "applied" and i.from_ is None for i in ticket.items)


def import_active(desk: Running, token: str = "A1B2C3D4E5F6", **terms: object) -> None:
    """An active licence in the ledger, as an import leaves it, with joe as its contact."""
    from datetime import date

    from storage import licences, people

    changes = {
        "product": "motion", "status": "active", "plan": "voice_digital", "agents": 10, "billing": "monthly",
        "support": "silver", "plugin:botify": True, "addon:quality_analysis": True, **terms,
    }  # fmt: skip
    with desk.desk.store.write() as session:
        licences.append(
            session,
            licences.NewEvent(
                token=token,
                at=desk.moment[0],
                effective=date(2026, 1, 1),
                kind="import",
                changes=changes,
                catalogue_version="x",
            ),
        )
        people.add_contact(session, token, JOE, desk.moment[0], True)
        people.set_name(session, token, "Acme")


def licence(desk: Running, token: str = "A1B2C3D4E5F6"):
    from mailbot.process.mapping import load_licence as of

    with desk.desk.store.read() as session:
        return of(session, token, desk.moment[0].date())


def test_a_new_plan_of_a_known_customer_is_split_and_staff_approve_the_rest_by_reply(desk: Running) -> None:
    import_active(desk, "OTHERTOKEN12")
    mails = desk.write(JOE, PLAN)
    assert desk.kinds() == [("confirmation", JOE), ("plugins", JOE), ("approval", ANNA), ("approval", BOB)]
    assert desk.ticket().state == "waiting_staff"
    assert (licence(desk).status, licence(desk).agents, licence(desk).support) == ("active", 10, None)
    waiting = {i.item for i in desk.ticket().items if i.status == "waiting_staff"}
    assert waiting == {"support", "billing"}
    approval = mails[2]
    answers = desk.write(ANNA, "APPROVE\n\n> earlier words: REJECT no\n", reply_to=approval)
    assert [k for k, _ in desk.kinds()[4:]] == ["outcome", "receipt"]
    assert desk.ticket().state == "done"
    assert (licence(desk).support, licence(desk).billing) == ("silver", "monthly")
    assert "APPROVE" not in body(answers[0])
    late = desk.write(BOB, "REJECT too dear", reply_to=mails[3])
    assert "already been decided" in body(late[0])
    assert desk.ticket().state == "done"


def test_a_new_plan_of_a_new_customer_is_staffs_whole(desk: Running) -> None:
    mails = desk.write(JOE, PLAN)
    assert desk.kinds() == [("confirmation", JOE), ("approval", ANNA), ("approval", BOB)]
    assert licence(desk) is None
    assert {i.rule for i in desk.ticket().items} == {"by_staff"}
    desk.write(ANNA, "APPROVE plan", reply_to=mails[1])
    assert desk.kinds()[-1] == ("not-understood", ANNA)
    assert licence(desk) is None
    desk.write(ANNA, "REJECT support: not sold here\nAPPROVE plan, agents, billing, plugin:botify", reply_to=mails[1])
    assert licence(desk).plan == "voice_digital"
    assert licence(desk).support is None
    assert [i.item for i in desk.ticket().open_items] == ["admin", "webrtc", "phonebar", "plugin:queue_manager"]


@pytest.mark.parametrize(
    ("sender", "verified", "keyed", "text"),
    [
        ("mallory@evil.example", True, True, "APPROVE"),
        (ANNA, False, False, "APPROVE"),
        (JOE, True, True, "APPROVE"),
        (BOB, True, True, "APPROVE"),  # anna's key
        (ANNA, True, True, "Yes, please.\nAPPROVE"),
        (ANNA, True, True, "> APPROVE"),
        (ANNA, True, True, "approve?"),
        (ANNA, True, True, ""),
        (ANNA, False, True, "APPROVE"),  # asked to confirm first
    ],
)
def test_what_is_not_all_of_key_member_and_proof_decides_nothing(
    desk: Running, sender: str, verified: bool, keyed: bool, text: str
) -> None:
    approval = desk.write(JOE, PLAN)[1]
    if keyed:
        desk.write(sender, text, verified=verified, reply_to=approval)
    else:
        desk.write(sender, text, verified=verified, subject="Re: [LIC-1]")
    assert desk.ticket().state == "waiting_staff"
    assert licence(desk) is None


def test_a_member_without_a_verdict_confirms_and_then_it_counts(desk: Running) -> None:
    approval = desk.write(JOE, PLAN)[1]
    again = desk.write(ANNA, "APPROVE", verified=False, reply_to=approval)
    assert [str(m["To"]) for m in again] == [ANNA]
    desk.write(ANNA, "CONFIRM", verified=False, reply_to=again[0])
    assert desk.ticket().state == "done"


def test_a_form_with_faults_is_repaired_by_a_reply_with_the_corrected_lines(desk: Running) -> None:
    bad = (
        PLAN.replace("10", "ten")
        .replace("Voice Digital", "Voize")
        .replace("monthly", "weekly")
        .replace("Silver", "Gold")
    )
    (mail,) = desk.write(JOE, bad)
    assert desk.ticket().state == "waiting_customer"
    assert {(p.field, p.code) for p in desk.ticket().problems} == {
        ("agents", "not_a_number"), ("plan", "unknown_value"), ("billing", "unknown_value"), ("support", "unknown_value"),
    }  # fmt: skip
    assert "Voize" in body(mail)
    desk.write(JOE, "Agents: 10\nPlan: Voice\nBilling: annual\nSupport: Silver\n", reply_to=mail)
    assert desk.ticket().state == "waiting_staff"
    assert desk.ticket().version == 2


def test_another_customer_email_is_asked_once(desk: Running) -> None:
    boss = "boss@acme.example"
    mails = desk.write(JOE, f"{DEMO}Customer email: {boss}\n")
    assert desk.kinds() == [("confirm-you", boss), ("outcome", JOE), ("plugins", JOE)]
    desk.write(boss, "CONFIRM", verified=False, reply_to=mails[0])
    assert licence(desk).contacts == (boss, JOE)
    mails = desk.write(JOE, f"{PLAN}Customer email: {boss}\n")
    desk.write(ANNA, "APPROVE", reply_to=mails[2])
    assert [kind for kind, to in desk.kinds() if to == boss] == ["confirm-you", "confirmation", "outcome", "plugins"]


def test_an_addition_holds_at_once_and_is_billed_for_the_rest_of_the_month(desk: Running) -> None:
    import_active(desk)
    desk.write(
        JOE, f"Request: modify\n{WHO}Action: add\nReason: more agents\nAgents: 15\nAdd-ons: Real-time Translator\n"
    )
    assert desk.kinds() == [("outcome", JOE), ("plugins", JOE)]
    agents = desk.ticket().item("agents")
    assert (agents.from_, agents.to, agents.rule, agents.status) == (10, 15, "increase", "applied")
    assert (agents.billing.fraction, str(agents.billing.invoice_on)) == ("28/30", "2026-11-30")
    assert "live_call_translator" in licence(desk).plugins
    assert desk.ticket().item("plugin:live_call_translator").rule == "implied"


@pytest.mark.parametrize("terms", [{"addon:realtime_translator": True}, {"plugin:live_call_translator": True}], ids=str)
def test_what_an_import_put_amiss_is_left_by_those_who_ask_for_something_else(desk: Running, terms: dict) -> None:
    import_active(desk, **terms)
    before = (licence(desk).addons, licence(desk).plugins)
    desk.later(days=18)
    desk.write(JOE, f"Request: modify\n{WHO}Action: remove\nReason: cost\nAgents: 8\n")
    assert [item.item for item in desk.ticket().items] == ["agents"]
    desk.later(days=10)
    assert (licence(desk).agents, licence(desk).addons, licence(desk).plugins) == (8, *before)


def test_a_removal_after_the_20th_holds_from_the_1st(desk: Running) -> None:
    import_active(desk)
    desk.later(days=18)
    desk.write(JOE, f"Request: modify\n{WHO}Action: remove\nReason: cost\nAgents: 8\nPlugins: Botify\n")
    assert desk.ticket().state == "scheduled"
    assert {str(i.effective) for i in desk.ticket().items} == {"2026-12-01"}
    assert licence(desk).agents == 10
    desk.later(days=10)
    assert desk.ticket().state == "done"
    assert (licence(desk).agents, licence(desk).plugins) == (8, ())
    assert desk.kinds() == [("outcome", JOE), ("done", JOE)]


def test_a_deactivation_comes_with_the_next_period_and_can_be_taken_back(desk: Running) -> None:
    import_active(desk)
    (mail,) = desk.write(JOE, f"Request: modify\n{WHO}Action: deactivate\nReason: cost\n")
    assert [(s.item, s.to, str(s.effective)) for s in licence(desk).scheduled] == [
        ("status", "deactivated", "2026-12-01")
    ]
    desk.write(JOE, "cancel", reply_to=mail)
    assert desk.ticket().state == "cancelled"
    desk.later(days=60)
    assert licence(desk).status == "active"


def test_a_contract_change_waits_for_staff(desk: Running) -> None:
    import_active(desk)
    mails = desk.write(JOE, f"Request: contract\n{WHO}Support package: platinum\nBilling frequency: annual\n")
    desk.write(ANNA, "approve.", reply_to=mails[1])
    assert [(i.item, i.rule, i.status, str(i.effective)) for i in desk.ticket().items] == [
        ("support", "increase", "applied", "2026-11-03"),
        ("billing", "next_period", "scheduled", "2026-12-01"),
    ]


LOG = b"[2026-11-03 08:15:00] [WARN] license - [LICENSE:CHECK] token=B1B2C3D4E5F6 previousToken=A1B2C3D4E5F6 status=grace reason=token_change daysLeft=10\n"


def test_a_token_change_is_diagnosed_and_moves_the_licence_on_approval(desk: Running) -> None:
    import_active(desk)
    text = "Request: reactivate\nCustomer name: Acme\nReason: token change\nOld token: A1B2C3D4E5F6\nNew token: B1B2C3D4E5F6\n"
    mails = desk.write(JOE, text, files=(("license.log", LOG),))
    assert "confirms a token change" in body(mails[1])
    desk.write(ANNA, "APPROVE", reply_to=mails[1])
    assert desk.ticket().state == "done", desk.kinds()
    assert (licence(desk).status, licence(desk, "B1B2C3D4E5F6").agents) == ("replaced", 10)
    assert licence(desk, "B1B2C3D4E5F6").contacts == (JOE,)


def test_a_question_is_done_with_the_answer(desk: Running) -> None:
    mails = desk.write(JOE, "What does a licence cost?\n", subject="Prices")
    assert [k for k, _ in desk.kinds()] == ["confirmation", "approval", "approval", "help"]
    (answer, _) = desk.write(ANNA, "ANSWER 10 Euro each.\nBest, Anna", reply_to=mails[1])
    assert "10 Euro each." in body(answer)
    assert desk.ticket().state == "done"


def test_a_shuttle_transfer_moves_the_licence(desk: Running) -> None:
    import_active(desk, product="shuttle")
    mails = desk.write(
        JOE,
        "Product: Shuttle\nAction: transfer\nLicense token: A1B2C3D4E5F6\nCustomer name: Acme\nDescription: new server\nMotion token: M1B2C3D4E5F6\n",
    )
    desk.write(ANNA, "APPROVE", reply_to=mails[1])
    assert licence(desk, "M1B2C3D4E5F6").product == "motion"


def test_a_stranger_on_somebody_elses_token_hears_the_same_as_on_an_unknown_one(desk: Running) -> None:
    import_active(desk)
    form = f"Request: modify\n{WHO}Action: add\nReason: more agents\nAgents: 15\n"
    theirs = desk.write("eve@evil.example", form)
    unknown = desk.write("eve@evil.example", form.replace("A1B2C3D4E5F6", "UNKNOWN12345").replace("15", "16"))
    assert desk.kinds() == [("confirm-you", JOE), ("neutral", "eve@evil.example"), ("neutral", "eve@evil.example")]
    assert body(theirs[1]).replace("LIC-1", "LIC-2") == body(unknown[0])
    desk.write(JOE, "CONFIRM", reply_to=theirs[0])
    assert licence(desk).agents == 15


def test_an_unverified_demo_is_confirmed_by_its_sender(desk: Running) -> None:
    (challenge,) = desk.write(JOE, DEMO, verified=False)
    assert desk.ticket().state == "waiting_confirmation"
    desk.write(JOE, "Confirm", verified=False, reply_to=challenge)
    assert desk.ticket().state == "done"


def test_the_same_mail_twice_and_the_same_form_twice_have_no_second_effect(desk: Running) -> None:
    import_active(desk, "OTHERTOKEN12")
    desk.write(JOE, PLAN)
    before = len(desk.kinds())
    desk.written -= 1
    desk.write(JOE, PLAN)
    assert len(desk.kinds()) == before
    desk.write(JOE, PLAN)
    assert desk.kinds()[before:] == [("status", JOE)]


def test_two_requests_in_one_mail_are_two_linked_tickets(desk: Running) -> None:
    import_active(desk)
    desk.write(
        JOE, f"{WHO}Request: modify\nAction: add\nReason: more agents\nAgents: 15\nRequest: contract\nPlan: voice\n"
    )
    assert (desk.ticket("LIC-1").linked, desk.ticket("LIC-2").linked) == (("LIC-2",), ("LIC-1",))
    assert desk.ticket("LIC-2").state == "waiting_staff"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"Subject: x\r\n\r\nhello\r\n",
        b"From: a@b.c\r\nFrom: d@e.f\r\n\r\nhello\r\n",
        b"From: a@b.c\r\nSubject: x\rBcc: d@e.f\r\n\r\nhello\r\n",
    ],
    ids=["empty", "no From", "two From", "bare CR"],
)
def test_what_has_no_one_sender_is_quarantined_and_the_next_mail_is_handled(desk: Running, raw: bytes) -> None:
    desk.take(raw)
    assert desk.states() == {"quarantined": 1}
    desk.write(JOE, DEMO)
    assert desk.ticket().state == "done"


def test_a_mail_with_30_megabytes_attached_is_handled_like_any_other(desk: Running) -> None:
    desk.write(JOE, DEMO, files=(("big.bin", bytes(30_000_000)),))
    assert desk.ticket().state == "done"


def test_automatic_mail_is_never_answered(desk: Running) -> None:
    raw = (
        b"From: joe@acme.example\r\nTo: desk@vendor.example\r\nAuto-Submitted: auto-replied\r\nSubject: away\r\n\r\n"
        + DEMO.encode()
    )
    desk.take(raw)
    assert [k for k, _ in desk.kinds()] == ["alert", "alert"]


def test_help_and_blank_forms(desk: Running) -> None:
    (mail,) = desk.write(JOE, "help", verified=False)
    assert "form activate" in body(mail)
    (mail,) = desk.write(JOE, "hi", subject="form contract", verified=False)
    assert "License token:" in body(mail)


@pytest.mark.parametrize(
    ("subject", "verified", "came"),
    [("Modify your license", True, ["form"]), ("Modify your license", False, []), ("Re: Modify your license", True, []), ("Hello", True, [])],
)  # fmt: skip
def test_a_title_above_no_words_asks_for_its_form(desk: Running, subject: str, verified: bool, came: list) -> None:
    desk.write(JOE, "", subject=subject, verified=verified)
    assert [kind for kind, _ in desk.kinds()] == came


def test_a_silent_customer_is_reminded_and_the_ticket_is_closed(desk: Running) -> None:
    desk.write(JOE, DEMO.replace("A1B2C3D4E5F6", "short"))
    desk.later(days=4)
    desk.later(days=11)
    assert [k for k, _ in desk.kinds()] == ["incomplete", "reminder", "closed"]
    assert desk.ticket().state == "closed"


def test_the_digest_names_what_waits_and_a_reply_to_it_decides(desk: Running) -> None:
    digest.ensure_digest(desk.desk)
    desk.write(JOE, PLAN)
    desk.write("eve@evil.example", "buy my watches", verified=False)
    mails = [mail for mail in desk.later(hours=22) if "Open requests" in str(mail["Subject"])]
    assert [str(mail["To"]) for mail in mails] == [ANNA, BOB]
    assert "LIC-1" in body(mails[0])
    assert "mail 2 from eve@evil.example: a message from somebody we do not know" in " ".join(body(mails[0]).split())
    desk.write(ANNA, "APPROVE LIC-1", reply_to=mails[0])
    assert desk.ticket().state == "done"


def test_a_demo_is_warned_of_its_end_and_expires_on_its_day(desk: Running) -> None:
    desk.write(JOE, DEMO)
    for _ in range(31):
        desk.later(days=1)
    assert [k for k, _ in desk.kinds()] == ["outcome", "plugins", "demo-ending", "demo-ending"]
    assert licence(desk).status == "expired"


def test_a_picture_is_no_log_and_what_could_not_be_read_is_told_once(desk: Running) -> None:
    import_active(desk)
    form = "Request: reactivate\nCustomer name: Acme\nReason: expired\nOld token: A1B2C3D4E5F6\n"
    (mail,) = desk.write(JOE, form, files=(("logo.png", b"\x89PNG\r\n\x1a\n" + bytes(500)),))
    assert [(p.field, p.code) for p in desk.ticket().problems] == [("log", "attachment_missing")]
    mails = desk.write(
        JOE, "Here it is.\n", reply_to=mail, files=(("license.log", LOG), ("setup.zip", b"MZ" + bytes(500)))
    )
    assert "reply to this mail and attach" in " ".join(body(mails[0]).split())
    assert desk.ticket().state == "waiting_staff"
