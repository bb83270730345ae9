"""The order of the cases keeps the desk safe: a mail that is several things at once is handled as the first of them."""

from pathlib import Path

import pytest

from mailbot.process.outcome import Outcome
from storage import inbox
from tests.support.running import Running, running
from tests.whole_desk.test_whole_desk import ANNA, JOE, PLAN

#: What a mail can be besides everything below it, and what then becomes of it, the first case at the top.
ORDER = {
    "unusable": Outcome.UNUSABLE,
    "our own": Outcome.OURS,
    "delivery report": Outcome.FOREIGN_REPORT,
    "automatic": Outcome.AUTOMATIC,
    "spam": Outcome.SPAM,
    "staff key": Outcome.DECISION_REFUSED,
    "customer key": Outcome.STRANGERS_COMMENT,
    "refused sender": Outcome.REFUSED_SENDER,
    "decision of a member": Outcome.DECISION_WITHOUT_KEY,
    "words": Outcome.QUESTION,
}
FIELDS = {
    "unusable": "X-Split: here\rBcc: there@evil.example",
    "our own": "X-Mailbot: 1",
    "automatic": "Auto-Submitted: auto-replied",
    "spam": "X-Spam-Flag: YES",
}
TEXT = "APPROVE\n"
REPORT = (
    'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
    f"--b\r\nContent-Type: text/plain\r\n\r\n{TEXT}\r\n"
    "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.a.example\r\n\r\n"
    "Final-Recipient: rfc822; x@a.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
    "--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <unknown@a.example>\r\n\r\n--b--\r\n"
)


@pytest.fixture
def desk(tmp_path: Path) -> Running:
    return running(tmp_path, replace={"[smtp]": 'spam_header = "X-Spam-Flag: YES"\n[smtp]'})


@pytest.mark.parametrize("first", ORDER)
def test_a_mail_that_is_several_things_is_handled_as_the_first_of_them(desk: Running, first: str) -> None:
    confirmation, approval, *_ = desk.write(JOE, PLAN)
    names = list(ORDER)
    traits = set(names[names.index(first) :])
    to = {"staff key": approval["Reply-To"], "customer key": confirmation["Reply-To"]}
    key = next((name for name in names if name in traits & to.keys()), "")  # two keys that disagree are none
    sender = ANNA if "decision of a member" in traits else JOE
    verdict = "fail" if "refused sender" in traits else "pass"
    lines = [
        f"Authentication-Results: mx.vendor.example; dmarc={verdict} header.from={sender.rpartition('@')[2]}",
        *(FIELDS[name] for name in names if name in traits & FIELDS.keys()),
        f"From: {sender}",
        f"To: {to.get(key, 'desk@vendor.example')}",
        "Message-ID: <everything@once.example>",
        "MIME-Version: 1.0",
        REPORT if "delivery report" in traits else f"Content-Type: text/plain\r\n\r\n{TEXT}",
    ]
    mails = desk.take("\r\n".join(lines).encode())
    with desk.desk.store.read() as session:
        found = inbox.listing(session)[0].intake
    assert (found or "").partition(": ")[0] == ORDER[first]
    assert desk.ticket().state == "waiting_staff"
    if first in names[: names.index("staff key")]:
        assert mails == [], "nobody wrote it, so nobody is answered"
