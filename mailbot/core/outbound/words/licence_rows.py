"""Who asks and how a licence stands, as rows of words. Pure."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from itertools import groupby

from mailbot.core.base.address import same_address
from mailbot.core.catalogue.item_kinds import ItemKey
from mailbot.core.desk.ticket import Ticket
from mailbot.core.ledger.licence import ABOUT, DATES, Licence, LicenceEvent
from mailbot.core.logs.diagnosis import Diagnosis
from mailbot.core.outbound.words.phrases import Speech

Rows = tuple[tuple[str, str], ...]
#: The terms of a licence in the order in which they are told.
TERMS = ("plan", "agents", "users", "telephones", "mobile_agents", "addons", "plugins", "support", "billing", "whitelabel", "demo_ends", "expires_on", "renews_on")  # fmt: skip
#: What a line of a log proves, by the name of its row.
_PROVES = {"token": "tokens", "previous_token": "previous", "days_left": "left", "expires_at": "expires", "last_contact": "contact"}  # fmt: skip
#: An event of the ledger that names these tells nothing in words.
_QUIET = ABOUT | {"product"}


def who(ticket: Ticket, speech: Speech) -> Rows:
    """Who asks and how sure that is, for staff."""
    say = speech.say
    name = f"{ticket.sender_name} <{ticket.sender}>" if ticket.sender_name else ticket.sender
    other = (
        ticket.customer_email
        if ticket.customer_email and not same_address(ticket.customer_email, ticket.sender)
        else ""
    )
    rows = (
        (say("who.from"), name),
        (say("who.proof"), say(f"verdict.{ticket.sender_verdict}")),
        (say("who.standing"), _standing(ticket, speech)),
        (say("who.confirmed"), ticket.confirmed_by or ""),
        (say("who.forwarded"), ticket.forwarded_from or ""),
        (say("who.customer"), ticket.customer_name or ""),
        (say("who.email"), other),
        (say("who.token"), ticket.token or ""),
        (say("who.new_token"), ticket.new_token or ""),
        (say("who.product"), speech.catalogue.products.get(ticket.product, "") if ticket.product != "motion" else ""),
        (say("who.reason"), _reason(ticket, speech)),
        (say("who.agreement"), ticket.agreement_version or ""),
        (say("who.received"), speech.at(ticket.received_at)),
        (say("who.linked"), ", ".join(ticket.linked)),
        (say("who.files"), "" if ticket.diagnosis else ", ".join(ticket.files)),
    )
    return tuple((label, value) for label, value in rows if value)


def _standing(ticket: Ticket, speech: Speech) -> str:
    marks = (
        ("contact", ticket.sender_is_contact),
        ("partner", ticket.sender_is_partner),
        ("known", ticket.sender_known and not ticket.sender_is_contact and not ticket.sender_is_partner),
    )
    found = [speech.say(f"standing.{key}") for key, holds in marks if holds]
    return speech.listed(found) if found else speech.say("standing.unknown")


def _reason(ticket: Ticket, speech: Speech) -> str:
    """The reason by the catalogue's label, or the customer's own words."""
    text = ticket.reason or ""
    labels = {key: words for group in speech.catalogue.reasons.values() for key, words in group.items()}
    return labels.get(text, text.removeprefix("other: "))


def terms(licence: Licence, speech: Speech, only: tuple[str, ...] = ()) -> Rows:
    """The licence as it stands, and what is registered for later."""
    rows = [] if only else [(speech.item("status"), speech.value("status", licence.status))]
    if not only and licence.product != "motion":
        rows.append((speech.say("who.product"), speech.catalogue.products.get(licence.product, licence.product)))
    rows += [(speech.item(key), said) for key in only or TERMS if (said := _term(licence, key, speech))]
    if not only:
        rows += [
            (speech.day(line.effective), f"{speech.item(line.item)}  {speech.value(line.item, line.to)}")
            for line in licence.scheduled
            if line.item not in _QUIET and not (line.to is None and line.item in DATES)
        ]
    return tuple(rows)


def _term(licence: Licence, key: str, speech: Speech) -> str:
    match key:
        case "addons":
            return speech.listed(speech.item(ItemKey.addon(entry)) for entry in licence.addons)
        case "plugins":
            return speech.listed(speech.item(ItemKey.plugin(entry)) for entry in licence.plugins)
        case "renews_on" if not licence.renews:
            return ""
        case "demo_ends" | "expires_on" | "renews_on":
            day = getattr(licence, key)
            return speech.day(day) if day else ""
        case "billing" if licence.status == "active" and licence.billing is None:
            return speech.say("unsettled")
        case _:
            value = licence.value(ItemKey(key))
            return speech.value(key, value) if value else ""


def history(licence: Licence, speech: Speech) -> Rows:
    """The events of the ledger: (day, what happened by whom), one line for those that were one decision for one day."""
    groups = groupby(licence.whole_history, lambda e: (e.token, e.at, e.effective, e.kind, e.ticket, e.decider))
    return tuple((speech.day(one.effective), _event(one, speech)) for one in (_together(g) for _, g in groups))


def _together(group: Iterable[LicenceEvent]) -> LicenceEvent:
    first, *others = group
    changes = first.changes
    for event in others:
        changes = changes | event.changes
    return replace(first, changes=changes)


def _event(event: LicenceEvent, speech: Speech) -> str:
    key = f"history.{event.kind.replace('/', '_')}"
    what = speech.say(key) if speech.has(key) else event.kind
    changes = ", ".join(
        f"{speech.item(item)} {speech.value(item, to)}"
        for item, to in event.changes.items()
        if item not in _QUIET and not (to is None and item in DATES)
    )
    by = speech.say("history_line.by", by=event.decider) if event.decider else ""
    about = f" [{event.ticket}]" if event.ticket else ""
    return f"{what}{about}{' ' + by if by else ''}" + (f"  {changes}" if changes else "")


def log(ticket: Ticket, speech: Speech) -> Rows:
    """What a re-activation's log says, value by value."""
    found = ticket.diagnosis
    if found is None:
        return ()
    rows = (
        ("tokens", ", ".join(found.tokens)),
        ("previous", ", ".join(found.previous_tokens)),
        ("changes", "; ".join(found.changes)),
        ("status", found.status or ""),
        ("reason", (found.reason or "").replace("_", " ")),
        ("since", _since(found, speech)),
        ("left", "" if found.days_left is None else speech.number(found.days_left)),
        ("expires", _day(found.expires_at, speech)),
        ("version", found.version or ""),
        ("contact", _day(found.last_contact, speech)),
        ("span", " - ".join(dict.fromkeys(day for at in (found.first_at, found.last_at) if (day := _day(at, speech))))),
        ("files", ", ".join(found.files)),
    )
    return tuple((speech.say(f"log.{key}"), value) for key, value in rows if value)


def _since(found: Diagnosis, speech: Speech) -> str:
    day = _day(found.since, speech)
    return speech.say("log.or_before", date=day) if day and found.since_or_before else day


def proof(ticket: Ticket, speech: Speech) -> tuple[str, ...]:
    """The lines that prove what the log says, and what each of them proves."""
    lines = []
    for one in ticket.diagnosis.proof if ticket.diagnosis else ():
        what = ", ".join(speech.say(f"log.{_PROVES.get(key, key)}") for key in one.proves)
        place = speech.say("approval.proof_line", file=one.file, line=one.line)
        lines += [f"{place} ({what})" if what else place, f"    {one.text}"]
    return tuple(lines)


def _day(at: str | None, speech: Speech) -> str:
    """The day of a time as a log writes it; as it stands where it is none."""
    try:
        return speech.day(date.fromisoformat(at[:10])) if at else ""
    except ValueError:
        return at or ""
