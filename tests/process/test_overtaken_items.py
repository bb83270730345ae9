"""What waits is told and granted as it is on the day: the licence may have changed meanwhile, by hand or by the calendar."""

from tests.support.running import Running, body
from tests.whole_desk.test_whole_desk import ANNA, JOE, desk, import_active  # noqa: F401 - desk is a fixture

CONTRACT = "Request: contract\nLicense token: A1B2C3D4E5F6\nCustomer name: Acme\nI accept the License Agreement: yes\n"


def test_an_option_that_came_meanwhile_costs_nothing_more(desk: Running) -> None:  # noqa: F811
    import_active(desk)
    mails = desk.write(JOE, CONTRACT + "Plan: Voice\nSupport package: platinum\n")
    import_active(desk, plan="voice")  # an operator was faster
    changed = desk.write(ANNA, "APPROVE", reply_to=next(m for m in mails if m["To"] == ANNA))
    assert [str(mail["Subject"]) for mail in changed] == [
        "[LIC-1] Changed, please decide: a contract change (Acme)",
        "[LIC-1] Changed, please decide: a contract change (Acme)",
        "[LIC-1] Your decision did not count, please decide again",
    ]
    desk.write(ANNA, "APPROVE", reply_to=changed[0])
    plan, support = desk.ticket().items
    assert (plan.from_, plan.to, plan.rule, plan.billing.kind) == ("voice", "voice", "by_staff", "none")
    assert (support.from_, support.rule, support.billing.kind) == ("silver", "increase", "increase")


def test_a_reminder_forecasts_from_its_own_day(desk: Running) -> None:  # noqa: F811
    import_active(desk)
    desk.write(JOE, CONTRACT + "Support package: platinum\n")
    mail = desk.later(days=2)[0]
    assert "If approved today, in effect from 5 November 2026." in body(mail)
    assert "(26 of 30 days)" in " ".join(body(mail).split())
