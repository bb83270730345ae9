"""What will happen and when: the open due things, and the dates that follow from the ledger and need no row."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from mailbot.core.desk.effects import DueKind
from mailbot.core.ledger.licence import Licence
from mailbot.core.ledger.period import next_month
from mailbot.process import mapping
from storage import due

KEYS = ("due_at", "kind", "ref", "token", "what")
#: The kinds of due things, in words.
WORDS: dict[str, str] = {
    DueKind.DIGEST: "staff get the digest",
    DueKind.ALERTS: "staff get the alerts collected since the last one",
    DueKind.DAY: "scheduled items take effect",
    DueKind.STAFF_REMINDER: "staff are reminded",
    DueKind.CUSTOMER_REMINDER: "the customer is reminded",
    DueKind.CLOSE: "the ticket is closed",
    DueKind.RETENTION: "the contents of mails older than raw_days are removed",
    DueKind.KEY_EXPIRY: "unused keys older than key_days expire",
    DueKind.APPLYING: "the customer is told that the licence server is slow",
    DueKind.DEMO_WARNING: "the customer is warned that the demo ends",
}


@dataclass(frozen=True)
class Thing:
    """``what`` happens at ``due_at`` to a ticket, a licence, or the desk."""

    due_at: datetime
    kind: str
    ref: str | None
    token: str | None
    what: str


def everything(session: Session, now: datetime, zone: ZoneInfo) -> list[Thing]:
    """Everything that will happen, the earliest first, late due things included."""
    today = now.astimezone(zone).date()
    things = [
        Thing(row.due_at, row.kind, row.ref, row.token, WORDS.get(row.kind, row.kind)) for row in due.open_(session)
    ]
    ends = next_month(today)
    things.append(Thing(_start(ends, zone), "invoice", None, None, f"the invoice of {today:%Y-%m} is final"))
    for licence in mapping.licences(session, today):
        things += _of_licence(licence, zone)
    return sorted(things, key=lambda thing: (thing.due_at, thing.kind, thing.ref or "", thing.token or ""))


def _of_licence(licence: Licence, zone: ZoneInfo) -> Iterator[Thing]:
    """The ends, renewals and scheduled changes of a licence."""
    if licence.status == "demo" and licence.demo_ends:
        yield Thing(_start(licence.demo_ends, zone), "demo_end", None, licence.token, "the demo ends")
    if licence.status == "active" and licence.expires_on:
        first = date.fromordinal(licence.expires_on.toordinal() + 1)
        yield Thing(_start(first, zone), "expiry", None, licence.token, "the licence expires")
    if licence.renews and licence.billing == "annual" and licence.renews_on:
        yield Thing(_start(licence.renews_on, zone), "renewal", None, licence.token, "the next year begins")
    for line in licence.scheduled:
        to = "empty" if line.to is None else line.to if not isinstance(line.to, bool) else "yes" if line.to else "no"
        what = f"{line.item} becomes {to}"
        yield Thing(_start(line.effective, zone), "scheduled", line.ticket, licence.token, what)


def _start(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of a business day, in UTC."""
    return datetime.combine(day, time(0), zone).astimezone(UTC)


def due_row(thing: Thing) -> dict[str, Any]:
    """The row that commands print."""
    return {key: thing.due_at.isoformat() if key == "due_at" else getattr(thing, key) for key in KEYS}
