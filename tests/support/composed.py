"""Describes the mails of a desk by their facts.

`Recording` keeps the input and the output of each render, and `Mail` describes a mail in one line.
`unsaid_words` compares the rendered text and page with these facts.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from html import unescape

from mailbot.core.desk.effects import Facts
from mailbot.core.desk.ticket import Item, ItemStatus, Ticket
from mailbot.core.inbound.reply_keys import key_digest
from mailbot.core.outbound.compose import Rendered
from mailbot.core.outbound.draft import Draft
from mailbot.core.outbound.mail_view import mail_view
from mailbot.core.outbound.readership import Sight
from mailbot.core.outbound.sanitise import harmless
from mailbot.core.outbound.view_records import MailView
from mailbot.core.outbound.words.item_rows import BillingDays, item_groups
from mailbot.core.outbound.words.phrases import Phrases
from mailbot.wording import Wording, load_wording
from tests.support.screenplay import how, items, word

DAY = re.compile(r"\b\d{1,2}\s+(?:[JFMASOND][a-z]{2,8})\s+20\d\d")


@dataclass(frozen=True)
class Made:
    """A composed mail: its draft, its view and its rendered text."""

    draft: Draft
    view: MailView
    subject: str
    text: str
    html: str

    @property
    def kind(self) -> str:
        """The name of the mail's templates."""
        return self.draft.send.kind.value

    @property
    def facts(self) -> Facts:
        """The facts that the mail contains besides its ticket."""
        return harmless(self.draft.send.facts)

    @property
    def sight(self) -> Sight | None:
        """The ticket as the reader sees it."""
        return self.draft.reader.sees(harmless(self.draft.ticket)) if self.draft.ticket else None


class Recording(Wording):
    """The unchanged wording. ``made`` records each rendered mail."""

    def __init__(self, wording: Wording) -> None:
        self.__dict__.update(wording.__dict__)
        self.made: list[Made] = []

    def render(self, draft: Draft) -> Rendered:
        rendered = super().render(draft)
        self.made.append(Made(draft, mail_view(draft, self), *vars(rendered).values()))
        return rendered


@dataclass(frozen=True)
class Mail:
    """One outgoing mail with its data from the outbox and the keys."""

    made: Made
    ref: str | None
    to: str
    null_path: bool
    purpose: str | None
    answers: str

    def line(self, now: Ticket | None) -> str:
        """Describes everything except the recipient. ``now`` is the ticket after the step."""
        key = [f"key {self.purpose}"] if self.purpose else []
        path = ["null path"] if self.null_path else []
        answers = [f"re {self.answers}"] if self.answers else []
        return ", ".join([*key, *path, *answers, *self._view(now), *self._said()])

    def _view(self, now: Ticket | None) -> Iterator[str]:
        """Describes the ticket in the mail: hidden data, shown items, and differences from the end of the step."""
        sight = self.made.sight
        if not sight or not now:
            return
        shown = sight.ticket
        if not sight.licence_data:
            yield "without licence data"
        if shown.state is not now.state:
            yield f"as {shown.state.value}"
        rows = [key for key, _, _ in _rows(self.made)]
        every = [item.item for item in shown.items]
        if rows:
            yield "all items" if rows == every or set(rows) == set(every) else f"items {word(rows)}"
        if rows and sight.licence_data:
            kept = {item.item: item for item in now.items}
            differ = [i for i in shown.items if i.item in rows and i.item in kept and how(kept[i.item]) != how(i)]
            yield from items(differ)
        hidden = [problem.field for problem, told in sight.problems if not told]
        if hidden:
            yield f"untold problems {word(hidden)}"

    def _said(self) -> Iterator[str]:
        facts = self.made.facts
        for field in fields(Facts):
            value, name = getattr(facts, field.name), field.name
            own = name == "by" and value == self.to.partition("@")[0].title()
            if value in (field.default, ()) or own or (name == "form" and facts.form_key):
                continue
            yield f"{'about' if name == 'items' else name} {word(value)}" if value is not True else name


def _rows(made: Made) -> list[tuple[str, str, str]]:
    """(key, label, change) of the items in the text."""
    draft, sight, view = made.draft, made.sight, made.view.ticket
    if sight is None or view is None:
        return []
    phrases = Phrases(load_wording("en"), draft.catalogue, draft.letterhead.language, draft.letterhead.zone)
    days = BillingDays(draft.envelope.date.date())
    keys = {
        row: item.item
        for item in sight.items
        for group in item_groups((item,), sight.licence_data, made.facts.changed, days, phrases)
        for row in group.rows
    }
    text = _flat(made.text)
    rows = [(keys[row], *row) for group in view.items for row in group.rows]
    return [(key, label, change) for key, label, change in rows if f"{label} {_flat(change or '')}" in text]


def _flat(text: str) -> str:
    return " ".join(text.replace("→", "->").split())


def visible(html: str) -> str:
    """The visible text of a page or a part of it, on one line."""
    return _flat(unescape(re.sub(r"<[^>]*>", " ", html)))


def purpose_of(key: str | None) -> str | None:
    """The digest of the key in an address such as ``desk+lic-1.KEY@vendor.example``."""
    found = re.search(r"\.([A-Z2-7]{26})@", key or "")
    return key_digest(found[1]) if found else None


def unsaid_words(made: Made) -> list[str]:
    """The facts that are missing from the text or the page of a mail."""
    text, page = _flat(made.text), visible(made.html)
    missing = [f"only in one part: {day}" for day in set(DAY.findall(text)) ^ set(DAY.findall(page))]
    wanted = [*_words_of(made)]
    return missing + [
        f"not in {name}: {one}"
        for one in wanted
        for name, part in (("text", text), ("page", page))
        if _flat(one) not in part
    ]


def _words_of(made: Made) -> Iterator[str]:
    """The words that both parts must contain: item data, decisions, free text and dates."""
    facts, sight, view = made.facts, made.sight, made.view
    if sight:
        shown = {key: (label, change) for key, label, change in _rows(made)}
        for item in sight.ticket.items:
            if item.item not in shown:
                continue
            yield from shown[item.item]
            if sight.licence_data and made.kind != "status":  # a status mail shows only the status of each item
                yield from _item_words(item)
    if made.kind == "approval" and view.ticket and (staff := view.ticket.staff):
        yield from (value for _, value in (*staff.requester, *staff.licence, *staff.new_licence))
        yield from staff.comments
    if facts.on:
        yield view.facts.date
    yield from facts.lines
    for result in facts.results:
        yield from (result.word or "", result.ref)
        yield from result.sent.splitlines()


def _item_words(item: Item) -> Iterator[str]:
    if item.reason and " " in item.reason:
        yield item.reason
    if item.effective and item.status in (ItemStatus.APPLIED, ItemStatus.SCHEDULED):
        yield f"{item.effective.day} {item.effective:%B %Y}"
    if item.billing and item.billing.invoice_on and item.billing.kind == "increase":
        yield f"{item.billing.invoice_on:%B}"
