"""A requester, a licence with its history, and what a log says, as rows of words."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from itertools import groupby

from mailbot.core.base.address import same_address
from mailbot.core.catalogue.item_kinds import ItemKey
from mailbot.core.desk.ticket import Ticket
from mailbot.core.ledger.licence import ABOUT, DATES, Licence, LicenceEvent
from mailbot.core.logs.diagnosis import Diagnosis
from mailbot.core.outbound.view_records import LogView, Rows
from mailbot.core.outbound.words.phrases import Phrases

#: The terms of a licence, in the order of their rows.
TERMS = ("plan", "agents", "users", "telephones", "mobile_agents", "addons", "plugins", "support", "billing", "whitelabel", "demo_ends", "expires_on", "renews_on")  # fmt: skip
#: The row of ``log`` sentences that names a field of a diagnosis, where it is not of the same name.
_ROW_OF = {"token": "tokens", "previous_token": "previous", "days_left": "left", "expires_at": "expires", "last_contact": "contact"}  # fmt: skip
#: Changes that the rows of scheduled changes and of the history leave out.
_UNLISTED = ABOUT | {"product"}


def requester(ticket: Ticket, phrases: Phrases) -> Rows:
    """Who asks and how sure that is, for staff; rows without a value are left out."""
    say = phrases.say
    name = f"{ticket.sender_name} <{ticket.sender}>" if ticket.sender_name else ticket.sender
    other = (
        ticket.customer_email
        if ticket.customer_email and not same_address(ticket.customer_email, ticket.sender)
        else ""
    )
    rows = (
        (say("who.from"), name),
        (say("who.proof"), say(f"verdict.{ticket.sender_verdict}")),
        (say("who.standing"), _standing(ticket, phrases)),
        (say("who.confirmed"), ticket.confirmed_by or ""),
        (say("who.forwarded"), ticket.forwarded_from or ""),
        (say("who.customer"), ticket.customer_name or ""),
        (say("who.email"), other),
        (say("who.token"), ticket.token or ""),
        (say("who.new_token"), ticket.new_token or ""),
        (say("who.product"), phrases.catalogue.products.get(ticket.product, "") if ticket.product != "motion" else ""),
        (say("who.reason"), _reason(ticket, phrases)),
        (say("who.agreement"), ticket.agreement_version or ""),
        (say("who.received"), phrases.at(ticket.received_at)),
        (say("who.linked"), ", ".join(ticket.linked)),
        (say("who.files"), "" if ticket.diagnosis else ", ".join(ticket.files)),
    )
    return tuple((label, value) for label, value in rows if value)


def _standing(ticket: Ticket, phrases: Phrases) -> str:
    marks = (
        ("contact", ticket.sender_is_contact),
        ("partner", ticket.sender_is_partner),
        ("known", ticket.sender_known and not ticket.sender_is_contact and not ticket.sender_is_partner),
    )
    found = [phrases.say(f"standing.{key}") for key, holds in marks if holds]
    return phrases.listed(found) if found else phrases.say("standing.unknown")


def _reason(ticket: Ticket, phrases: Phrases) -> str:
    """The reason by the catalogue's label, or the customer's own words."""
    text = ticket.reason or ""
    labels = {key: words for group in phrases.catalogue.reasons.values() for key, words in group.items()}
    return labels.get(text, text.removeprefix("other: "))


def terms(licence: Licence, phrases: Phrases, only: tuple[str, ...] = ()) -> Rows:
    """The terms of the licence today, then the scheduled changes by day; with ``only`` just those terms."""
    rows = [] if only else [(phrases.item("status"), phrases.value("status", licence.status))]
    if not only and licence.product != "motion":
        rows.append((phrases.say("who.product"), phrases.catalogue.products.get(licence.product, licence.product)))
    rows += [(phrases.item(key), value) for key in only or TERMS if (value := _term(licence, key, phrases))]
    if not only:
        rows += [
            (phrases.day(line.effective), f"{phrases.item(line.item)}  {phrases.value(line.item, line.to)}")
            for line in licence.scheduled
            if line.item not in _UNLISTED and not (line.to is None and line.item in DATES)
        ]
    return tuple(rows)


def _term(licence: Licence, key: str, phrases: Phrases) -> str:
    match key:
        case "addons":
            return phrases.listed(phrases.item(ItemKey.addon(entry)) for entry in licence.addons)
        case "plugins":
            return phrases.listed(phrases.item(ItemKey.plugin(entry)) for entry in licence.plugins)
        case "renews_on" if not licence.renews:
            return ""
        case "demo_ends" | "expires_on" | "renews_on":
            day = getattr(licence, key)
            return phrases.day(day) if day else ""
        case "billing" if licence.status == "active" and licence.billing is None:
            return phrases.say("unsettled")
        case _:
            value = licence.value(ItemKey(key))
            return phrases.value(key, value) if value else ""


def history(licence: Licence, phrases: Phrases) -> Rows:
    """The events of the ledger as (day, what happened and by whom); events of one decision for one day share a row."""
    groups = groupby(licence.whole_history, lambda e: (e.token, e.at, e.effective, e.kind, e.ticket, e.decider))
    return tuple((phrases.day(one.effective), _event(one, phrases)) for one in (_merged(g) for _, g in groups))


def _merged(group: Iterable[LicenceEvent]) -> LicenceEvent:
    first, *others = group
    changes = first.changes
    for event in others:
        changes = changes | event.changes
    return replace(first, changes=changes)


def _event(event: LicenceEvent, phrases: Phrases) -> str:
    key = f"history.{event.kind.replace('/', '_')}"
    what = phrases.say(key) if phrases.has(key) else event.kind
    changes = ", ".join(
        f"{phrases.item(item)} {phrases.value(item, to)}"
        for item, to in event.changes.items()
        if item not in _UNLISTED and not (to is None and item in DATES)
    )
    by = phrases.say("history_line.by", by=event.decider) if event.decider else ""
    about = f" [{event.ticket}]" if event.ticket else ""
    return f"{what}{about}{' ' + by if by else ''}" + (f"  {changes}" if changes else "")


def log_view(diagnosis: Diagnosis, phrases: Phrases) -> LogView:
    """What a re-activation's log says; every text in ``diagnosis`` is harmless already."""
    return LogView(
        sentence=diagnosis.sentence,
        disagreements=diagnosis.disagreements,
        rows=_log_rows(diagnosis, phrases),
        proof=_proof(diagnosis, phrases),
        unreadable=diagnosis.unreadable,
    )


def _log_rows(found: Diagnosis, phrases: Phrases) -> Rows:
    rows = (
        ("tokens", ", ".join(found.tokens)),
        ("previous", ", ".join(found.previous_tokens)),
        ("changes", "; ".join(found.changes)),
        ("status", found.status or ""),
        ("reason", (found.reason or "").replace("_", " ")),
        ("since", _since(found, phrases)),
        ("left", "" if found.days_left is None else phrases.number(found.days_left)),
        ("expires", _day(found.expires_at, phrases)),
        ("version", found.version or ""),
        ("contact", _day(found.last_contact, phrases)),
        (
            "span",
            " - ".join(dict.fromkeys(day for at in (found.first_at, found.last_at) if (day := _day(at, phrases)))),
        ),
        ("files", ", ".join(found.files)),
    )
    return tuple((phrases.say(f"log.{key}"), value) for key, value in rows if value)


def _since(found: Diagnosis, phrases: Phrases) -> str:
    day = _day(found.since, phrases)
    return phrases.say("log.or_before", date=day) if day and found.since_or_before else day


def _proof(diagnosis: Diagnosis, phrases: Phrases) -> tuple[str, ...]:
    """The lines that prove what the log says, each below its place and what it proves."""
    lines = []
    for one in diagnosis.proof:
        what = ", ".join(phrases.say(f"log.{_ROW_OF.get(key, key)}") for key in one.proves)
        place = phrases.say("approval.proof_line", file=one.file, line=one.line)
        lines += [f"{place} ({what})" if what else place, f"    {one.text}"]
    return tuple(lines)


def _day(at: str | None, phrases: Phrases) -> str:
    """The day of a log's time stamp, or the time stamp itself where it has no date."""
    try:
        return phrases.day(date.fromisoformat(at[:10])) if at else ""
    except ValueError:
        return at or ""
