"""From a draft to the view that its templates read: plain words and rows, every text of other people made harmless.

What a ticket looks like is in ``ticket_view``, single rows and sentences in ``words``.
"""

from functools import partial

from mailbot.core.base.frozen import replace
from mailbot.core.catalogue.item_kinds import ItemKind
from mailbot.core.desk.effects import Facts
from mailbot.core.desk.mail_kind import MailKind
from mailbot.core.desk.ticket import ITEM_FIELDS, State
from mailbot.core.form.fields import TITLES, field_label
from mailbot.core.form.request import RequestKind
from mailbot.core.ledger.licence import Licence
from mailbot.core.outbound.draft import Draft
from mailbot.core.outbound.reply_links import new_mail_link, reply_link
from mailbot.core.outbound.sanitise import harmless
from mailbot.core.outbound.text_layout import quoted_lines
from mailbot.core.outbound.ticket_view import ticket_view
from mailbot.core.outbound.view_records import (
    DeskView,
    DigestView,
    FactsView,
    FormView,
    LicenceRow,
    MailView,
    Rows,
    WaitingList,
)
from mailbot.core.outbound.words.item_rows import explanation, result_view, ticket_row, waiting_row
from mailbot.core.outbound.words.licence_rows import terms
from mailbot.core.outbound.words.phrases import Phrases
from mailbot.core.outbound.words.sentences import Words

_CONTRACT_FIELDS = frozenset({"plan", "support", "billing", "whitelabel"})
#: The forms that change settled items, and the fields that each is for.
_FORMS_FOR = {RequestKind.MODIFY: ITEM_FIELDS - _CONTRACT_FIELDS, RequestKind.CONTRACT: _CONTRACT_FIELDS}
#: The lists of the digest, in their order.
_WAITING = (State.WAITING_STAFF, State.WAITING_CONFIRMATION, State.WAITING_CUSTOMER)


def mail_view(draft: Draft, words: Words) -> MailView:
    """All that the templates of that mail can say."""
    desk, catalogue = draft.letterhead, draft.catalogue
    phrases = Phrases(words, catalogue, desk.language, desk.zone)
    facts = harmless(draft.send.facts)
    shown = replace(draft, send=replace(draft.send, facts=facts), ticket=harmless(draft.ticket))
    return MailView(
        say=phrases.say,
        reply_link=partial(reply_link, draft),
        new_mail_link=partial(new_mail_link, desk.address),
        desk=DeskView(desk.name, desk.address, desk.language),
        to_staff=draft.reader.staff,
        marker=str(words.sentences["marker"]) if draft.envelope.key else "",
        links=catalogue.links,
        agreement_version=catalogue.agreement_version,
        ai_note=catalogue.ai_note,
        forms=tuple(TITLES.items()),
        facts=_facts_view(shown, phrases),
        ticket=ticket_view(shown, shown.ticket, phrases) if shown.ticket else None,
        digest=_digest_view(facts, phrases) if draft.send.kind is MailKind.DIGEST else DigestView(0, (), (), ""),
    )


def _facts_view(draft: Draft, phrases: Phrases) -> FactsView:
    kind, facts, catalogue = draft.send.kind, draft.send.facts, draft.catalogue
    listed = kind is not MailKind.DIGEST  # which has lists of its own
    plugins = (item.key for item in facts.items if item.kind is ItemKind.PLUGIN)
    return FactsView(
        code=facts.why,
        explanation=explanation(facts.why, phrases) if facts.why else "",
        words=quoted_lines(facts.text, fields=draft.reader.staff),
        by=facts.by,
        decided_by=facts.decided_by,
        changed=phrases.listed(_name(key, phrases) for key in facts.changed),
        request_forms=_request_forms(draft, phrases),
        lines=facts.lines,
        date=phrases.day(facts.on) if facts.on else "",
        days=facts.days,
        demo_token=facts.text if kind is MailKind.DEMO_ENDING else "",
        form=_form_view(facts),
        plugins=tuple(catalogue.plugins[key] for key in plugins),
        results=tuple(result_view(result, phrases) for result in facts.results),
        tickets=tuple(ticket_row(t, draft.reader, phrases) for t in facts.tickets) if listed else (),
        licences=tuple(LicenceRow(one.token, terms(one, phrases)) for one in facts.licences) if listed else (),
    )


def _form_view(facts: Facts) -> FormView:
    lines = () if facts.quiet or not facts.form else tuple(facts.form.split("\n"))
    return FormView(facts.form_key or "", TITLES[facts.form_key] if facts.form_key else "", lines)


def _name(key: str, phrases: Phrases) -> str:
    """The name of an item or a field."""
    name = phrases.item(key)
    return name if name != key else field_label(key)


def _request_forms(draft: Draft, phrases: Phrases) -> Rows:
    """(label, link) of the forms with which the changed fields can be requested."""
    changed = frozenset(draft.send.facts.changed)
    return tuple(
        (
            phrases.say("status_mail.settled_button", form=TITLES[key]),
            new_mail_link(draft.letterhead.address, "", f"form {key}"),
        )
        for key, fields in _FORMS_FOR.items()
        if changed & fields
    )


def _digest_view(facts: Facts, phrases: Phrases) -> DigestView:
    by_state = [(state, [t for t in facts.tickets if t.state is state]) for state in _WAITING]
    lists = (
        WaitingList(phrases.say(f"digest.{state}"), tuple(waiting_row(ticket, phrases) for ticket in tickets))
        for state, tickets in by_state
        if tickets
    )
    waiting_for_staff = by_state[0][1]
    example = next(iter((*waiting_for_staff, *facts.tickets)), None)
    return DigestView(
        count=len(facts.tickets),
        lists=tuple(lists),
        unbilled=tuple(_unbilled(licence) for licence in facts.licences),
        example_ref=example.ref if example else "",
    )


def _unbilled(licence: Licence) -> str:
    return f"{licence.token}  {licence.customer_name or ''}".strip()
