"""The mails of a desk by their facts: `Recording` keeps what the real composition made each of, `Mail` puts it in one line.

`unsaid_words` holds the rendered text and page against these facts.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from html import unescape
from typing import Any

from mailbot.core.desk.effects import Facts
from mailbot.core.desk.ticket import Item, ItemStatus, Ticket
from mailbot.core.inbound.reply_keys import key_digest
from mailbot.wording import Wording
from tests.support.screenplay import how, items, word

DAY = re.compile(r"\b\d{1,2}\s+(?:[JFMASOND][a-z]{2,8})\s+20\d\d")


@dataclass(frozen=True)
class Made:
    """A mail as it was composed: from ``context``, into these words."""

    kind: str
    context: Mapping[str, Any]
    subject: str
    text: str
    html: str


class Recording(Wording):
    """The wording as it is; ``made`` keeps what each mail was made from."""

    def __init__(self, wording: Wording) -> None:
        self.__dict__.update(wording.__dict__)
        self.made: list[Made] = []

    def render(self, kind: str, context: dict[str, Any]) -> tuple[str, str, str]:
        rendered = super().render(kind, context)
        self.made.append(Made(kind, context, *rendered))
        return rendered


@dataclass(frozen=True)
class Mail:
    """One mail that went out, and what the outbox and the keys have of it."""

    made: Made
    ref: str | None
    to: str
    null_path: bool
    purpose: str | None
    answers: str

    def line(self, now: Ticket | None) -> str:
        """Everything but whom it went to; ``now`` is its ticket after the step."""
        key = [f"key {self.purpose}"] if self.purpose else []
        path = ["null path"] if self.null_path else []
        answers = [f"re {self.answers}"] if self.answers else []
        return ", ".join([*key, *path, *answers, *self._view(now), *self._said()])

    def _view(self, now: Ticket | None) -> Iterator[str]:
        """How its ticket looks in it: what is hidden, which items are shown, and what differs from the end of the step."""
        context, shown = self.made.context, self.made.context["ticket"]
        if not shown or not now:
            return
        if not context["reads"]:
            yield "without licence data"
        if shown.state is not now.state:
            yield f"as {shown.state.value}"
        rows = [row.key for row in _rows(self.made)]
        every = [item.item for item in shown.items]
        if rows:
            yield "all items" if rows == every or set(rows) == set(every) else f"items {word(rows)}"
        if rows and context["reads"]:
            kept = {item.item: item for item in now.items}
            differ = [i for i in shown.items if i.item in rows and i.item in kept and how(kept[i.item]) != how(i)]
            yield from items(differ)
        private = self.made.context["say"]("problem.private")
        hidden = [p.field for p, (_, said) in zip(shown.problems, context["problems"], strict=True) if said == private]
        if hidden:
            yield f"untold problems {word(hidden)}"

    def _said(self) -> Iterator[str]:
        facts: Facts = self.made.context["facts"]
        for field in fields(Facts):
            value, name = getattr(facts, field.name), field.name
            own = name == "by" and value == self.to.partition("@")[0].title()
            if value in (field.default, ()) or own or (name == "form" and facts.form_key):
                continue
            yield f"{'about' if name == 'items' else name} {word(value)}" if value is not True else name


def _rows(made: Made) -> list[Any]:
    """The rows of items that stand in the text."""
    rows = [row for group in made.context["groups"] for row in group.rows]
    text = _flat(made.text)
    return [row for row in rows if f"{row.label} {_flat(row.change)}" in text]


def _flat(text: str) -> str:
    return " ".join(text.replace("→", "->").split())


def visible(html: str) -> str:
    """What is read of a page or a piece of one, on one line."""
    return _flat(unescape(re.sub(r"<[^>]*>", " ", html)))


def purpose_of(key: str | None) -> str | None:
    """The digest of the key in an address such as ``desk+lic-1.KEY@vendor.example``."""
    found = re.search(r"\.([A-Z2-7]{26})@", key or "")
    return key_digest(found[1]) if found else None


def unsaid_words(made: Made) -> list[str]:
    """What the text or the page of a mail should say of its facts and does not."""
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
    """Words that both parts must hold: items with their dates, bills and reasons, decisions, free words, dates."""
    context = made.context
    facts: Facts = context["facts"]
    if found := context["ticket"]:
        shown = {row.key: row for row in _rows(made)}
        for item in found.items:
            if item.item not in shown:
                continue
            yield shown[item.item].label
            yield shown[item.item].change
            if context["reads"] and made.kind != "status":  # that lists them with their status alone
                yield from _item_words(item)
    if made.kind == "approval":
        yield from (value for name in ("who", "licence", "new_licence") for _, value in context[name])
        yield from context["comments"]
    if facts.on and context["on"]:
        yield context["on"]
    yield from facts.lines
    for result in facts.results:
        yield from (result.word, result.ref)
        yield from result.sent.splitlines()


def _item_words(item: Item) -> Iterator[str]:
    if item.reason and " " in item.reason:
        yield item.reason
    if item.effective and item.status in (ItemStatus.APPLIED, ItemStatus.SCHEDULED):
        yield f"{item.effective.day} {item.effective:%B %Y}"
    if item.billing and item.billing.invoice_on and item.billing.kind == "increase":
        yield f"{item.billing.invoice_on:%B}"
