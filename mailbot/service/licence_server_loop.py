"""Posts every event of the ledger to the licence server, in order per licence, until it answers; an answer is an event too."""

import functools
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlmodel import Session

from mailbot import json_shapes
from mailbot.core.desk.events import LicenceServerAccepted, LicenceServerRefused
from mailbot.core.ledger.licence import LicenceEvent, from_day, state_on
from mailbot.core.ledger.rule import Rule
from mailbot.core.outbound.text_layout import first_line
from mailbot.environment import Desk
from mailbot.process import mapping
from mailbot.process.unit_of_work import UnitOfWork
from mailbot.servers.licence_server import EventAccepted, EventDeferred, EventRefused, LicenceServer, PostOutcome
from mailbot.service.runner import Runs, alert_once, failure_text, here, skip, skipped_rows
from storage import licence_posts, licences
from storage.faults import StoreError
from storage.licence_posts import LicencePost, PostState
from storage.queue import back_off

#: How long an event is leased for posting; longer than a request may take.
LEASE = timedelta(seconds=60)
#: Seconds before the next attempt; the last delay repeats.
BACK_OFF = (5, 15, 60, 300, 900, 3600)
#: Consecutive failures after which staff are alerted, once.
WORRYING = 5
SCHEMA = "licence-event/1"
#: The fields of a licence that are posted: its terms, no names or addresses.
TERMS = tuple(key for key in json_shapes.LICENCE if key not in ("customer_name", "contacts"))


@dataclass(frozen=True)
class Posted:
    """How many events the server answered, and how many attempts failed."""

    answered: int = 0
    failed: int = 0


def server_of(desk: Desk) -> LicenceServer | None:
    """The configured server."""
    settings = desk.config.licence_server
    return None if settings is None else LicenceServer(settings.url, settings.secret.get_secret_value())


def post_due(desk: Desk, server: LicenceServer, run: Runs = here) -> Posted:
    """Post everything that is due now."""
    answered = failed = 0
    while (row := run(functools.partial(_claim, desk))) is not None:
        if _post(desk, server, row, run):
            answered += 1
        else:
            failed += 1
    return Posted(answered, failed)


def _claim(desk: Desk) -> LicencePost | None:
    now, skipped = desk.clock(), skipped_rows(desk, "post")
    try:
        with desk.store.write() as session:
            return licence_posts.claim(session, now, now + LEASE, skipped)
    except StoreError:
        raise
    except Exception as error:
        with desk.store.read() as session:
            row = licence_posts.next_post(session, now, skipped)
        if row is None:
            return None
        skip(desk, "post", row.id, error)
        return _claim(desk)


def _post(desk: Desk, server: LicenceServer, row: LicencePost, run: Runs) -> bool:
    """Post one event. Returns whether the server answered it. A failure does not stop the events of other licences."""
    try:
        event, body = run(functools.partial(_read, desk, row))
        outcome = server.post(body, desk.clock())
        return run(functools.partial(_note, desk, row, event, outcome))
    except StoreError:
        raise
    except Exception as error:
        run(functools.partial(_failed, desk, row, error))
        return False


def _failed(desk: Desk, row: LicencePost, error: Exception) -> None:
    """After a bug, or an answer that cannot be applied: post the event again later, and tell staff once."""
    reason, now = failure_text(error), desk.clock()
    desk.log.post_failed(token=row.token, revision=row.revision, error=first_line(reason))
    try:
        with desk.store.write() as session:
            licence_posts.defer(session, row.id, reason, now + back_off(BACK_OFF, row.attempts))
    except StoreError:
        raise
    except Exception as fault:  # it is posted again when its lease ends
        desk.log.not_recorded(row=f"post {row.id}", error=first_line(failure_text(fault)))
    said = {"revision": row.revision, "token": row.token, "reason": first_line(reason)}
    alert_once(desk, f"post:{row.id}", desk.say("alert.post_failed", **said))


def _read(desk: Desk, row: LicencePost) -> tuple[LicenceEvent, dict[str, Any]]:
    with desk.store.read() as session:
        return _body(desk, session, row)


def _note(desk: Desk, row: LicencePost, event: LicenceEvent, outcome: PostOutcome) -> bool:
    """Record the outcome. Returns whether it was an answer."""
    with desk.store.write() as session:
        if isinstance(outcome, EventDeferred):
            _later(desk, session, row, outcome)
            return False
        _settle(desk, session, row, event, outcome)
    return True


def _later(desk: Desk, session: Session, row: LicencePost, outcome: EventDeferred) -> None:
    now = desk.clock()
    licence_posts.defer(session, row.id, outcome.reply, now + back_off(BACK_OFF, row.attempts))
    desk.log.server_failed(token=row.token, revision=row.revision, reply=outcome.reply)
    if row.attempts == WORRYING:
        said = {"revision": row.revision, "token": row.token, "reply": outcome.reply}
        with UnitOfWork(desk, session, now, f"post:{row.id}:{row.attempts}") as work:
            work.alert(f"licence-server:{work.today}", desk.say("alert.server_waits", **said))


def _settle(
    desk: Desk, session: Session, row: LicencePost, event: LicenceEvent, outcome: EventAccepted | EventRefused
) -> None:
    now = desk.clock()
    taken = isinstance(outcome, EventAccepted)
    if not licence_posts.settle(
        session, row.id, PostState.ACCEPTED if taken else PostState.REFUSED, now, outcome.reply
    ):
        return
    desk.log.server_answered(token=row.token, revision=row.revision, reply=outcome.reply)
    with UnitOfWork(desk, session, now, f"post:{row.id}") as work:
        _take_answer(work, event, outcome)


def _take_answer(work: UnitOfWork, event: LicenceEvent, outcome: EventAccepted | EventRefused) -> None:
    """Apply the answer to the event's ticket; an event without a ticket is an operator's."""
    ticket = work.ticket(event.ticket) if event.ticket and event.kind != "reversed" else None
    items = tuple(event.changes)
    if ticket is not None and isinstance(outcome, EventAccepted):
        work.apply(ticket, LicenceServerAccepted(event.token, event.revision, items))
    elif ticket is not None and isinstance(outcome, EventRefused):
        work.apply(ticket, LicenceServerRefused(event.token, event.revision, items, outcome.reason))
        _withdraw_dependents(work, event, outcome)
    else:
        _by_hand(work, event, outcome)


def _withdraw_dependents(work: UnitOfWork, event: LicenceEvent, outcome: EventRefused) -> None:
    """Withdraw what makes no sense without the refused event: the rest of a new plan or move, implied plugins."""
    whole = event.kind.startswith(("activate", "moved"))
    rows = {(row.token, row.revision): row for row in licence_posts.listing(work.session, PostState.WAITING)}
    for other in (mapping.event_of(row) for row in licences.events_of_ticket(work.session, event.ticket or "")):
        row = rows.get((other.token, other.revision))
        later = (other.token, other.revision) > (event.token, event.revision) or other.token != event.token
        if row is None or not later or not (whole or other.rule == Rule.IMPLIED):
            continue
        licence_posts.settle(
            work.session, row.id, PostState.REFUSED, work.now, f"not sent: event {event.revision} was refused"
        )
        ticket = work.ticket(event.ticket or "")
        if ticket is not None:
            work.apply(ticket, LicenceServerRefused(other.token, other.revision, tuple(other.changes), outcome.reason))


def _by_hand(work: UnitOfWork, event: LicenceEvent, outcome: EventAccepted | EventRefused) -> None:
    """Record the answer to an operator's event, which has no ticket; staff are alerted to a refusal."""
    refusal = outcome.reason if isinstance(outcome, EventRefused) else None
    if event.pending:
        licences.append(
            work.session,
            licences.NewEvent(
                token=event.token,
                at=work.now,
                effective=work.today,
                kind="refused" if refusal else "accepted",
                changes={"reverses" if refusal else "accepts": event.revision},
                rule="refused" if refusal else "accepted",
                decider="licence server",
                catalogue_version=work.desk.catalogue.version,
                why=refusal,
            ),
        )
    if refusal:
        said = {"revision": event.revision, "kind": event.kind, "token": event.token, "reason": refusal}
        text = work.desk.say("alert.server_refused", **said)
        work.alert(f"licence-server:{event.token}:{event.revision}", text)


def _body(desk: Desk, session: Session, row: LicencePost) -> tuple[LicenceEvent, dict[str, Any]]:
    """The event, and what is posted: the event as if accepted today, and the licence with it in effect."""
    history = [mapping.event_of(one) for one in licences.events(session, row.token)]
    event = next(one for one in history if one.revision == row.revision)
    today = desk.clock().astimezone(desk.config.zone).date()
    now = replace(from_day(event, today), pending=False) if event.pending else event
    others = [one for one in history if one.revision != row.revision]
    after = state_on([*others, now], max(today, now.effective))
    shape = json_shapes.licence_shape(after) if after else {}
    return event, {
        "schema": SCHEMA,
        "id": f"{event.token}-{event.revision}",
        "token": event.token,
        "revision": event.revision,
        "at": event.at.isoformat(),
        "effective": now.effective.isoformat(),
        "kind": event.kind,
        "changes": now.changes,
        "ticket": event.ticket,
        "rule": event.rule,
        "catalogue_version": event.catalogue_version,
        "licence": {key: shape.get(key) for key in TERMS} if shape else None,
    }
