"""Effects that are no mails, written as rows: events of the ledger, people, due things."""

from datetime import UTC
from typing import assert_never

from mailbot.core.desk.effects import (
    AddContact,
    ChangeLicence,
    MarkKnown,
    MovePeople,
    Schedule,
    SetName,
    Unschedule,
)
from mailbot.core.desk.on_licence_server import ANSWERS
from mailbot.process.transaction import Transaction
from storage import due, licence_posts, licences, people

#: The effects that become rows at once; mails, alerts and keys are the unit of work's own.
RowEffect = ChangeLicence | AddContact | SetName | MarkKnown | MovePeople | Schedule | Unschedule


def write_effect(transaction: Transaction, ref: str | None, effect: RowEffect) -> None:
    """Write what follows for the ticket ``ref`` (None: for none)."""
    session, now = transaction.session, transaction.now
    match effect:
        case ChangeLicence():
            _append(transaction, ref, effect)
        case AddContact():
            people.add_contact(session, effect.token, effect.address, now, effect.known)
        case SetName():
            people.set_name(session, effect.token, effect.name)
        case MarkKnown():
            people.mark_known(session, effect.token)
        case MovePeople():
            people.move(session, effect.old, effect.new)
        case Schedule():
            at, payload = effect.at.astimezone(UTC), {"text": effect.payload}
            due.add(session, kind=effect.kind, due_at=at, made_at=now, ref=ref, token=effect.token, payload=payload)
        case Unschedule():
            for kind in effect.kinds:
                due.drop(session, kind=kind, ref=ref, at=now)
        case _:
            assert_never(effect)


def _append(transaction: Transaction, ref: str | None, change: ChangeLicence) -> None:
    """Append an event to the ledger; with a licence server it is pending, and queued for it."""
    asks = transaction.desk.config.licence_server is not None and change.kind not in ANSWERS
    revision = licences.append(
        transaction.session,
        licences.NewEvent(
            token=change.token,
            at=transaction.now,
            effective=change.effective,
            kind=change.kind,
            changes=change.changes,
            ticket=change.ticket or ref,
            mail=transaction.mail,
            rule=str(change.rule),
            decider=change.decider,
            catalogue_version=transaction.desk.catalogue.version,
            why=change.why,
            asked_on=change.asked_on,
            pending=asks,
        ),
    )
    if asks:
        licence_posts.add(transaction.session, change.token, revision, transaction.now)
