"""What a template may say: plain words and rows, made from a mail's facts. Templates hold sentences, no logic of the desk."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from mailbot.core import blank
from mailbot.core.catalogue import Catalogue
from mailbot.core.compose import Desk, Envelope
from mailbot.core.effects import Send
from mailbot.core.forms import label
from mailbot.core.licence import Licence
from mailbot.core.say import Words, item_label, problem_sentence, value_word
from mailbot.core.ticket import Billing, Item, Ticket


@dataclass(frozen=True)
class Row:
    """One item in words."""

    key: str
    label: str
    today: str
    to: str
    status: str
    on: str
    rule: str
    billing: str
    reason: str


def context(
    send: Send,
    ticket: Ticket | None,
    licence: Licence | None,
    catalogue: Catalogue,
    desk: Desk,
    words: Words,
    envelope: Envelope,
) -> dict[str, Any]:
    """Everything that the templates of that mail may use."""
    facts = send.facts
    quiet = facts.quiet
    return {
        "desk": desk,
        "ticket": ticket,
        "facts": facts,
        "links": catalogue.links,
        "catalogue": catalogue,
        "sentences": words.sentences,
        "marker": words.sentences["marker"] if envelope.key else "",
        "state": words.sentences["state"][ticket.state.value] if ticket else "",
        "verdict": words.sentences["verdict"][ticket.sender_verdict] if ticket else "",
        "why": words.sentences["why"].get(facts.why, facts.why) if facts.why else "",
        "rows": [row(item, catalogue, words) for item in ticket.items] if ticket else [],
        "problems": [(_name(p.field), problem_sentence(p, words, quiet=quiet)) for p in ticket.problems]
        if ticket
        else [],
        "plugins": [catalogue.plugins[i.removeprefix("plugin:")] for i in facts.items if i.startswith("plugin:")],
        "named": [item_label(i, catalogue, words) for i in facts.items],
        "licence": licence,
        "history": [f"{e.effective.isoformat()}  {e.kind}  {_terms(e.changes)}" for e in licence.history]
        if licence
        else [],
        "ai": bool(ticket) and any(_ai(item, catalogue) for item in ticket.items if item.to),  # type: ignore[union-attr]
        "form": "" if quiet else facts.form,
        "forms": blank.titles(),
        "choices": blank.choices(facts.form_key, catalogue) if facts.form_key else [],
        "mailto": lambda body: mailto(envelope, ticket, desk, body),
        "results": [(r, words.sentences["why"].get(r.why, r.why)) for r in facts.results],
        "tickets": [(t, words.sentences["state"][t.state.value]) for t in facts.tickets],
    }


def row(item: Item, catalogue: Catalogue, words: Words) -> Row:
    """An item in words."""
    return Row(
        key=item.item,
        label=item_label(item.item, catalogue, words),
        today=value_word(item.item, item.from_, catalogue, words),
        to=value_word(item.item, item.to, catalogue, words),
        status=words.sentences["status"][item.status.value if item.status else "new"],
        on=(item.effective or item.expected).isoformat() if item.effective or item.expected else "",  # type: ignore[union-attr]
        rule=words.sentences["rule"][item.rule],
        billing=_billing(item.billing),
        reason=item.reason or "",
    )


def _billing(billing: Billing | None) -> str:
    if billing is None or billing.kind != "increase":
        return ""
    amount = f" = {billing.amount} {billing.currency}" if billing.amount else ""
    return f"{billing.fraction} of the period{amount}, invoiced on {billing.invoice_on}"


def _name(field: str) -> str:
    return label(field)


def _terms(changes: dict[str, Any]) -> str:
    return ", ".join(f"{key} = {value}" for key, value in changes.items())


def _ai(item: Item, catalogue: Catalogue) -> bool:
    key = item.item.removeprefix("addon:")
    return item.item.startswith("addon:") and key in catalogue.addons and catalogue.addons[key].ai


def mailto(envelope: Envelope, ticket: Ticket | None, desk: Desk, body: str) -> str:
    """A link that opens a ready reply to this mail."""
    tag = envelope.tag or (f"[{ticket.ref}]" if ticket else "")
    return f"mailto:{quote(envelope.reply_to or desk.address, safe='@+.')}?subject={quote(f'Re: {tag}')}&body={quote(body)}"
