"""What a template may say: plain words and rows, made from a mail's facts. Templates hold the order, sentences the words."""

from datetime import date
from functools import partial
from typing import Any
from urllib.parse import quote

from mailbot.core.base.address import same_address
from mailbot.core.catalogue.contents import Catalogue
from mailbot.core.catalogue.item_kinds import ItemKey, ItemKind
from mailbot.core.desk.effects import Facts, Send
from mailbot.core.desk.ticket import GRANTED, ITEM_FIELDS, Item, ItemStatus, Route, Ticket
from mailbot.core.form import blank_form
from mailbot.core.form.fields import TITLES, label
from mailbot.core.form.request_kinds import RequestKind
from mailbot.core.ledger.licence import Licence
from mailbot.core.ledger.period import decrease_day, next_period
from mailbot.core.outbound.compose import Envelope, Letterhead
from mailbot.core.outbound.readership import Reader
from mailbot.core.outbound.sanitise import harmless
from mailbot.core.outbound.text_layout import quoted_lines as words_of
from mailbot.core.outbound.words.item_rows import Days, groups, result_words, short, state, title, why
from mailbot.core.outbound.words.licence_rows import history, log, proof, terms, who
from mailbot.core.outbound.words.phrases import Speech
from mailbot.core.outbound.words.sentences import Words, problem_sentence

_TERMS = frozenset({"plan", "support", "billing", "whitelabel"})
#: The form that asks anew for what is settled already, and the fields that it is for.
ANEW = {RequestKind.MODIFY: ITEM_FIELDS - _TERMS, RequestKind.CONTRACT: _TERMS}
#: What was granted, even where the licence server has not answered yet.
_PROMISED = (*GRANTED, ItemStatus.APPLYING)
#: So much of a corrected value is shown.
_SHOWN = 120


def context(
    send: Send,
    ticket: Ticket | None,
    reader: Reader,
    catalogue: Catalogue,
    desk: Letterhead,
    words: Words,
    envelope: Envelope,
    licence: Licence | None = None,
    new_licence: Licence | None = None,
) -> dict[str, Any]:
    """Everything that the templates of that mail may use; every text of other people in it is harmless."""
    speech = Speech(words, catalogue, desk.language, desk.zone)
    facts = harmless(send.facts)
    known = {
        "desk": desk,
        "lang": desk.language,
        "say": speech.say,
        "ticket": None,
        "facts": facts,
        "links": catalogue.links,
        "catalogue": catalogue,
        "staff": reader.staff,
        "marker": words.sentences["marker"] if envelope.key else "",
        "why": why(facts.why, speech) if facts.why else "",
        "text": words_of(facts.text, fields=reader.staff),
        "on": speech.day(facts.on) if facts.on else "",
        "forms": blank_form.titles(),
        "form_title": TITLES[facts.form_key] if facts.form_key else "",
        "form": () if facts.quiet or not facts.form else tuple(facts.form.split("\n")),
        "plugins": [catalogue.plugins[i.key] for i in facts.items if i.kind is ItemKind.PLUGIN],
        "results": [result_words(result, speech) for result in facts.results],
        "tickets": [short(t, reader, speech) for t in facts.tickets],
        "licences": [(entry.token, terms(entry, speech)) for entry in facts.licences],
        "unbilled": [f"{entry.token}  {entry.customer_name or ''}".strip() for entry in facts.licences],
        "mailto": partial(mailto, envelope, ticket, desk),
        "write": partial(mailto, None, None, desk),
    }
    return known | _of_ticket(harmless(ticket), facts, reader, speech, desk, licence, new_licence) if ticket else known


def _of_ticket(
    ticket: Ticket,
    facts: Facts,
    reader: Reader,
    speech: Speech,
    desk: Letterhead,
    licence: Licence | None,
    new_licence: Licence | None,
) -> dict[str, Any]:
    """What there is to say of the mail's ticket."""
    reads = reader.may_read(ticket)
    items = reader.items(ticket)
    mine = frozenset(facts.items)
    now = new_licence if new_licence and _moved(ticket) else licence
    days = _days(ticket, ticket.received_at.astimezone(desk.zone).date(), licence)
    return {
        "ticket": ticket,
        "reads": reads,
        "title": title(ticket, speech),
        "state": state(ticket, reader, speech),
        "ending": ending(ticket),
        "outcome": _outcome(ticket, reads, speech),
        "groups": groups(items, reads, facts.changed, days, speech),
        "named": speech.listed(speech.item(i.item) for i in items if i.item in mine),
        "these": groups(tuple(i for i in items if i.item in mine), reads, (), days, speech) if mine else (),
        "anew": [
            (speech.say("status_mail.settled_button", form=TITLES[key]), mailto(None, None, desk, "", f"form {key}"))
            for key in ANEW
            if frozenset(facts.changed) & ANEW[key]
        ],
        "changed": speech.listed(_name(key, speech) for key in facts.changed),
        "problems": [(label(p.field), _problem(p, tells, facts, speech)) for p, tells in reader.problems(ticket)],
        "prepared": blank_form.prepared(ticket.problems),
        "replaced": () if facts.quiet or (not reads and not ticket.problems) else _replaced(facts, speech),
        "who": who(ticket, speech),
        "licence": terms(licence, speech) if licence and reads else (),
        "new_licence": terms(new_licence, speech) if new_licence and reader.staff else (),
        "ahead": terms(now, speech, only=("demo_ends", "expires_on", "renews_on")) if now and reads else (),
        "history": history(licence, speech) if licence and reader.staff else (),
        "comments": words_of(ticket.comments or "", fields=reader.staff),
        "question": words_of(ticket.question or "", fields=reader.staff),
        "description": words_of(ticket.description or "", fields=reader.staff),
        "log": log(ticket, speech),
        "proof": proof(ticket, speech),
        "asked_by": "" if same_address(reader.address, ticket.sender) else ticket.sender,
        "case": _case(ticket, facts, reader),
        "begins": (ticket.token or "")[:4],
        "activated": _activated(ticket),
        "ai": any(_ai(item, speech.catalogue) for item in ticket.items),
    }


def _days(ticket: Ticket, asked_on: date, licence: Licence | None) -> Days:
    """What the bill's sentences need; where the billing frequency is about to change, the next period is not known."""
    terms = ("billing", "renews_on", "status")
    if licence is None or ticket.item(ItemKey.BILLING) or any(line.item in terms for line in licence.scheduled):
        return Days(asked_on, ticket.activated_on)
    lower = next_period(licence.billing, licence.renewal, decrease_day(asked_on))
    return Days(asked_on, ticket.activated_on, lower)


def ending(ticket: Ticket) -> str:
    """How the items ended: applied, scheduled, mixed (of these two), partly (some refused), refused, cancelled, open."""
    statuses = {item.status for item in ticket.items if item.route is not Route.IMPLIED} or {
        i.status for i in ticket.items
    }
    granted, refused = statuses & set(_PROMISED), ItemStatus.REFUSED in statuses
    if statuses & {None, ItemStatus.WAITING_STAFF} or not statuses:
        return "open"
    if refused:
        return "partly" if granted else "refused"
    if not granted:
        return "cancelled"
    if granted == {ItemStatus.SCHEDULED}:
        return "scheduled"
    return "mixed" if ItemStatus.SCHEDULED in granted else "applied"


def _outcome(ticket: Ticket, reads: bool, speech: Speech) -> str:
    """The sentence that opens an outcome: that of the request where it has one of its own, else that of its ending."""
    found = ending(ticket)
    if not reads:
        return speech.say(f"outcome_private.{found}")
    own = f"outcome.{ticket.request}_{ticket.action}_{found}"
    return speech.say(own if speech.has(own) else f"outcome.{found}", ref=ticket.ref)


def _name(key: str, speech: Speech) -> str:
    """An item or a field by its name."""
    named = speech.item(key)
    return named if named != key else label(key)


def _replaced(facts: Facts, speech: Speech) -> tuple[tuple[str, str], ...]:
    """What a correction replaced, as (field, "before -> now")."""
    nothing = speech.say("none")

    def shown(text: str) -> str:
        return nothing if not text else text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."

    return tuple((label(key), f"{shown(old)} -> {shown(new)}") for key, old, new in facts.replaced)


def _problem(problem: Any, tells: bool, facts: Facts, speech: Speech) -> str:
    if not tells:
        return speech.say("problem.private")
    return problem_sentence(problem, speech.words, quiet=facts.quiet)


def _case(ticket: Ticket, facts: Facts, reader: Reader) -> str:
    """Which of the challenges it is: another e-mail address, a question, the asker himself, or a contact."""
    if facts.why == "email":
        return "email"
    if ticket.is_question:
        return "question"
    himself = same_address(reader.address, ticket.sender)
    return "contact" if not himself else "himself" if reader.licences else "new"


def _activated(ticket: Ticket) -> bool:
    """Whether there is a licence now to be put on a server."""
    plan = ticket.item(ItemKey.PLAN)
    return ticket.request is RequestKind.ACTIVATE and plan is not None and plan.status is ItemStatus.APPLIED


def _moved(ticket: Ticket) -> bool:
    token = ticket.item(ItemKey.TOKEN)
    return token is not None and token.status is ItemStatus.APPLIED


def _ai(item: Item, catalogue: Catalogue) -> bool:
    addon = catalogue.addons.get(item.item.key) if item.item.kind is ItemKind.ADDON else None
    return bool(item.to and item.status in _PROMISED and addon and addon.ai)


def mailto(envelope: Envelope | None, ticket: Ticket | None, desk: Letterhead, body: str, subject: str = "") -> str:
    """A link that opens a ready reply to the mail of that envelope, or without one a new mail to the desk.

    Line ends are CR LF, as RFC 6068 section 5 wants them and Outlook needs them. A body too long for a link of LINK
    characters becomes a shorter form.
    """
    tag = (envelope.tag if envelope else "") or (f"[{ticket.ref}]" if ticket else "")
    about = subject or f"Re: {tag}".strip()
    to = quote((envelope.reply_to if envelope else None) or desk.address, safe="@+.")
    link = f"mailto:{to}?subject={quote(about)}"
    for text in blank_form.shorter(body) if body else ():
        whole = f"{link}&body={quote(text.replace(chr(10), chr(13) + chr(10)))}"
        if len(whole) <= blank_form.LINK:
            return whole
    return link
