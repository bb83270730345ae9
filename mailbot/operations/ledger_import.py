"""Changes of the ledger by an operator: compares rows with the ledger and writes what differs, all or nothing; reverses an event.

``operations.ledger_csv`` reads and checks the rows.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from sqlmodel import Session

from mailbot.core.base.address import fold_case
from mailbot.core.catalogue.contents import Catalogue
from mailbot.core.catalogue.item_kinds import CHOSEN, SEATS, ItemKey, item_key
from mailbot.core.desk.events import EventReversed
from mailbot.core.ledger.invariants import first_broken_invariant
from mailbot.core.ledger.licence import DATES, Licence, LicenceEvent
from mailbot.core.ledger.licence import state_on as state
from mailbot.environment import Desk
from mailbot.operations.ledger_csv import Progress, cell_parts
from mailbot.process import mapping
from mailbot.process.unit_of_work import UnitOfWork
from storage import licence_posts, licences, people

#: Up to this many licences are loaded one by one; for more, the whole ledger is read once.
FEW = 50
#: Licences written per statement.
BATCH = 2000


@dataclass(frozen=True)
class Difference:
    """What a row changes: the ``terms`` in the ledger, and the name and contacts, which are outside it."""

    token: str
    before: Licence | None
    terms: Mapping[str, Any]
    name: str | None = None
    contacts: tuple[str, ...] | None = None
    #: The contacts count as known customers: an operator has made the licence active.
    makes_known: bool = False

    @property
    def lines(self) -> list[tuple[str, Any, Any]]:
        """(name, old value, new value) of each change."""
        found = [(key, _current(self.before, key), to) for key, to in self.terms.items()]
        if self.name is not None:
            found.append(("customer_name", self.before.customer_name if self.before else None, self.name))
        if self.contacts is not None:
            found.append(("contacts", ";".join(self.before.contacts) if self.before else None, ";".join(self.contacts)))
        return found

    def first_broken_invariant(self, day: date, catalogue: Catalogue) -> tuple[date, str] | None:
        """The first date from ``day`` on when the changed licence breaks an invariant, with its code."""
        if not self.terms:
            return None
        history = self.before.history if self.before else ()
        at = datetime.combine(day, time(), UTC)
        change = LicenceEvent(
            token=self.token, revision=len(history) + 1, at=at, effective=day, kind="set", changes=dict(self.terms)
        )
        return first_broken_invariant((*history, change), day, catalogue)


def differences(desk: Desk, rows: Sequence[Mapping[str, str]]) -> list[Difference]:
    """What the rows would change, in their order, without rows that change nothing."""
    with desk.store.read() as session:
        return _differences(desk, session, rows, iter)


def put_licences(
    desk: Desk,
    rows: Iterable[Mapping[str, str]],
    kind: str,
    why: str,
    comparing: Progress = iter,
    writing: Progress = iter,
) -> list[Difference]:
    """Write what differs to the ledger in one transaction, and return it.

    ``kind`` is that of the events ("set", "import"), ``why`` their reason.
    """
    now = desk.clock()
    with desk.store.write() as session:
        found = _differences(desk, session, list(rows), comparing)
        for part in writing([found[n : n + BATCH] for n in range(0, len(found), BATCH)]):
            _write(desk, session, part, kind, why, now)
    return found


def reverse(desk: Desk, token: str, revision: int, why: str) -> str | None:
    """Undo one event by a new event that credits what was billed for it. A scheduled change is withdrawn.

    Returns None, or the reason why not: no such event, not accepted yet, or a later event changed the same.
    """
    now = desk.clock()
    today = now.astimezone(desk.config.zone).date()
    with desk.store.write() as session:
        history = [mapping.event_of(row) for row in licences.events(session, token)]
        wrong = next((event for event in history if event.revision == revision), None)
        if wrong is None:
            return f"there is no event {revision} of {token}"
        if wrong.pending and not any(
            revision in (e.changes.get("accepts"), e.changes.get("reverses")) for e in history
        ):
            return f"event {revision} is waiting for the licence server: reverse it after it is accepted"
        later = [event for event in history if event.revision > revision]
        clash = next((e for e in later if "reverses" in e.changes or e.changes.keys() & wrong.changes.keys()), None)
        if clash is not None:
            return f"event {clash.revision} ({clash.kind}) changed the same later: reverse that one first, or set the right values"
        changes: dict[str, Any] = {"reverses": revision}
        if wrong.effective <= today:
            before = state([event for event in history if event.revision < revision], today)
            changes |= {key: _current(before, key) for key in wrong.changes} if before else {"status": "deactivated"}
        put_back = licences.append(session, licences.NewEvent(token=token, at=now, effective=today, kind="reversed", changes=changes, decider="operator", rule="reversal", catalogue_version=desk.catalogue.version, why=why, ticket=wrong.ticket))  # fmt: skip
        if desk.config.licence_server is not None:
            licence_posts.add(session, token, put_back, now)
        with UnitOfWork(desk, session, now, f"reverse:{token}:{revision}") as work:
            _note_on_ticket(work, wrong)
    return None


def _note_on_ticket(work: UnitOfWork, wrong: LicenceEvent) -> None:
    """Apply the reversal to the ticket that the event came from."""
    ticket = work.ticket(wrong.ticket) if wrong.ticket else None
    if ticket is not None:
        items = tuple(key for key in wrong.changes if ticket.item(key))
        work.apply(ticket, EventReversed(items, wrong.effective))


def _differences(
    desk: Desk, session: Session, rows: Sequence[Mapping[str, str]], progress: Progress
) -> list[Difference]:
    today = desk.clock().astimezone(desk.config.zone).date()
    if len(rows) <= FEW:
        known = {row["token"]: mapping.load_licence(session, row["token"], today) for row in rows}
    else:
        known = {licence.token: licence for licence in mapping.licences(session, today)}
    compared = (_difference(row, known.get(row["token"]), desk.catalogue, today) for row in progress(rows))
    return [one for one in compared if one.lines]


def _difference(row: Mapping[str, str], before: Licence | None, catalogue: Catalogue, day: date) -> Difference:
    name = row.get("customer_name") or None
    if before is not None and before.customer_name == name:
        name = None
    contacts = tuple(dict.fromkeys(cell_parts(row["contacts"]))) if "contacts" in row else None
    current = before.contacts if before else ()
    if contacts is not None and {fold_case(c) for c in contacts} == {fold_case(c) for c in current}:
        contacts = None
    terms = _terms(row, before, catalogue)
    if before is not None and before.status == "expired" and _has_ended(terms, before, day):
        del terms["status"]
    status = terms.get("status") or row.get("status") or (before.status if before else "active")
    return Difference(row["token"], before, terms, name, contacts, status == "active")


def _has_ended(terms: Mapping[str, Any], before: Licence, day: date) -> bool:
    """Whether the new status has ended by its own date, so that the licence stays expired and nothing changes."""
    ends = {"active": "expires_on", "demo": "demo_ends"}.get(str(terms.get("status")))
    if ends is None:
        return False
    until = terms[ends] if ends in terms else _current(before, ends)
    return until is not None and (until < day.isoformat() if ends == "expires_on" else until <= day.isoformat())


def _terms(row: Mapping[str, str], today: Licence | None, catalogue: Catalogue) -> dict[str, Any]:
    """The terms of a row that differ from the licence as it is today."""
    wanted: dict[str, Any] = {
        k: v or None for k, v in row.items() if k in ("status", "plan", "support", "billing", *DATES)
    }
    if row.get("product"):
        wanted["product"] = row["product"]
    wanted |= {k: int(row[k] or 0) for k in SEATS if k in row}
    if "whitelabel" in row:
        wanted["whitelabel"] = row["whitelabel"] == "true"
    if "addons" in row:
        wanted |= {ItemKey.addon(key): key in cell_parts(row["addons"]) for key in catalogue.addons}
    if "plugins" in row:
        wanted |= {ItemKey.plugin(key): key in cell_parts(row["plugins"]) for key in catalogue.plugins}
    return {k: v for k, v in wanted.items() if _current(today, k) != v}


def _current(today: Licence | None, key: str) -> Any:
    item = item_key(key)
    if today is None:
        return False if item and item.kind in CHOSEN else 0 if key in SEATS else None
    if key in DATES:
        value = getattr(today, key)
        return value.isoformat() if value else None
    return today.value(item) if item else getattr(today, key)


def _write(desk: Desk, session: Session, found: Sequence[Difference], kind: str, why: str, now: datetime) -> None:
    today = now.astimezone(desk.config.zone).date()
    # An imported file describes what the licence server already has: only licences set by hand are posted to it.
    asks = desk.config.licence_server is not None and kind != "import"
    licences.append_many(
        session,
        [
            {
                "token": one.token,
                "revision": (one.before.revision if one.before else 0) + 1,
                "at": now,
                "effective": today,
                "kind": kind,
                "changes": dict(one.terms),
                "rule": kind,
                "decider": "operator",
                "catalogue_version": desk.catalogue.version,
                "why": why,
                "pending": asks,
            }
            for one in found
            if one.terms
        ],
    )
    for one in found:
        if asks and one.terms:
            licence_posts.add(session, one.token, (one.before.revision if one.before else 0) + 1, now)
    people.set_names(session, {one.token: one.name for one in found if one.name is not None})
    new = {one.token: one.contacts for one in found if one.contacts is not None}
    known = frozenset(one.token for one in found if one.makes_known)
    people.replace_contacts(session, new, now, known)
    for one in found:
        if one.makes_known and one.before is not None and "status" in one.terms:
            people.mark_known(session, one.token)
