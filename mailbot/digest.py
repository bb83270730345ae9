"""The digest: once a day what waits for staff, since when, and which mails were left without an answer, a line each."""

from datetime import UTC, datetime, timedelta

from mailbot.core.effects import Audience, Facts, Purpose, Send
from mailbot.desk import Desk
from mailbot.post import Post
from mailbot.work import Work
from storage import due, inbox, tickets

KIND = "digest"
#: Mails that got no answer, by what they turned out to be.
UNANSWERED = ("refused sender", "words of a stranger", "status of a stranger", "stray", "marked as spam")
WAITING = ("waiting_staff", "waiting_customer", "waiting_confirmation")


def ensure(desk: Desk) -> None:
    """The next digest stands among the due things."""
    with desk.store.write() as session:
        if not due.open_(session, KIND):
            _remember(Work(desk, session, desk.clock(), KIND))


def _remember(work: Work) -> None:
    scene = work.scene()
    today = scene.morning_of(work.today)
    at = today if today > work.now else scene.morning_of(work.today + timedelta(days=1))
    due.add(work.session, kind=KIND, due_at=_utc(at), made_at=work.now)


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def send(work: Work) -> None:
    """The digest to every member, when there is anything to say; the next one is remembered."""
    rows = tickets.waiting(work.session, WAITING)
    waiting = tuple(ticket for row in rows if (ticket := work.ticket(row.ref)))
    since = work.now - timedelta(days=1)
    left = [
        row
        for row in inbox.listing(work.session, limit=1000)
        if row.state == "quarantined" or (row.intake in UNANSWERED and row.received_at > since)
    ]
    lines = tuple(f"mail {row.id} of {row.sender or 'nobody'}: {row.reason or row.intake}"[:200] for row in left[:50])
    if waiting or lines:
        Post(work).send(Send(KIND, Audience.STAFF, Facts(tickets=waiting, lines=lines), Purpose.DIGEST), None)
    _remember(work)
