"""The grammar of decisions: what staff wrote, line by line, into decisions, or why a line was not understood.

In the text of a REJECT, ASK, ANSWER or NOTE a line begins another decision if its word is in capitals, if it is followed by a
reference or a colon, or if the whole line is a decision ("approve agents"); so "Ask your reseller." stays in a text for the
customer. A NOTE, which no customer may read, begins wherever it occurs with a capital letter.

Lines directly below an APPROVE or HOLD belong to it. Below a blank line only a signature may stand: any other sentence could be
a condition, so the decision above it is not understood.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, assert_never

from mailbot.core.base.characters import without_invisible
from mailbot.core.catalogue.item_kinds import ItemKey
from mailbot.core.inbound.decision_tail import is_closing, is_farewell
from mailbot.core.inbound.decision_word import ConfirmationWord, DecisionWord

#: Most decisions in one mail.
_DECISIONS_MAX = 1000
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_UNTIL = re.compile(r"\buntil\s+(\S+)\s*\Z", re.IGNORECASE)
_PLAIN_CHARACTERS = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2019": "'"})
_DECISION_WORDS = {word.value: word for word in DecisionWord}
_CONFIRMATION_WORDS = {word.value: word for word in ConfirmationWord}
_LOWER_CASE_WORDS = frozenset(word.lower() for word in DecisionWord)
#: The open items of each ticket: reference -> {key or lower-case label -> item key}.
Items = Mapping[str, Mapping[str, ItemKey]]


@dataclass(frozen=True)
class DecisionLine:
    """One decision; ``read`` is its text. No ``refs``: the only ticket of the mail. No ``items``: all open ones."""

    word: DecisionWord
    refs: tuple[str, ...] = ()
    items: tuple[ItemKey, ...] = ()
    until: date | None = None
    text: str = ""
    read: str = ""


@dataclass(frozen=True)
class NotUnderstood:
    """Lines that are no decision; ``why`` is a code with a sentence in the templates."""

    why: str
    read: str
    refs: tuple[str, ...] = ()


ReadDecision = DecisionLine | NotUnderstood


def begins_decision(own: str, prefix: str) -> bool:
    """Whether the text begins with a decision, not with a sentence that begins with such a word."""
    word, rest, capitals = _split_word(_first_line(own))
    return word is not None and (capitals or not rest or bool(_split_refs(rest, prefix)[0]))


def confirmation_word(own: str) -> ConfirmationWord | None:
    """CONFIRM or NO if it is all of the first line, punctuation at its end aside; else None."""
    word = _first_line(own).rstrip(" .,;:!")
    return _CONFIRMATION_WORDS.get(word.upper()) if word.isascii() else None


def _plain(own: str) -> str:
    return without_invisible(own).translate(_PLAIN_CHARACTERS)


def _first_line(own: str) -> str:
    return next((line.strip() for line in _plain(own).splitlines() if line.strip()), "")


def read_decisions(own: str, prefix: str, items: Items) -> tuple[ReadDecision, ...]:
    """The decisions in the own text, each with its own outcome; ``prefix`` is that of references ("LIC")."""
    grammar = _Grammar(prefix, items)
    blocks = grammar.blocks(_plain(own))
    if not blocks:
        return (NotUnderstood("no_decision_word", own.strip()[:200]),)
    if len(blocks) > _DECISIONS_MAX:
        return (NotUnderstood("unknown_words", _joined(blocks[0])),)
    outcomes: list[ReadDecision] = []
    spoilt = False  # words below a blank line make the decisions on both sides of them unclear
    for number, lines in enumerate(blocks):
        spoilt = spoilt or (number + 1 < len(blocks) and _has_words_below(lines))
        one = grammar.read(lines)
        outcomes.append(NotUnderstood("unknown_words", _joined(lines), one.refs) if spoilt else one)
    unclear = [one.read for one in outcomes if isinstance(one, NotUnderstood) and grammar.may_restrict(one.read)]
    return tuple(_unless_restricted(one, unclear, grammar) for one in outcomes)


def _unless_restricted(one: ReadDecision, unclear: Sequence[str], grammar: "_Grammar") -> ReadDecision:
    """``one``, unless a line that was not understood may have restricted it."""
    if isinstance(one, NotUnderstood) or not one.word.is_binding:
        return one
    restricted = any(grammar.may_be_about(text, one) for text in unclear)
    return NotUnderstood("contradiction", one.read, one.refs) if restricted else one


class _WordSplit(NamedTuple):
    """The decision word at the beginning of a line, None without one; what follows; whether it was in capitals."""

    word: DecisionWord | None
    rest: str
    capitals: bool


def _split_word(line: str) -> _WordSplit:
    first, *rest = line.split(None, 1) or [""]
    bare = first.rstrip(".,;:!")
    word = _DECISION_WORDS.get(bare.upper()) if bare.isascii() else None  # the capital of a long s is an S
    return _WordSplit(word, rest[0].strip() if rest else "", bare.isupper()) if word else _WordSplit(None, line, False)


def _split_refs(rest: str, prefix: str) -> tuple[tuple[str, ...], str]:
    """(the references at the beginning, what follows them)."""
    pattern = re.compile(rf"[\s,;]*\[?({re.escape(prefix)}-[0-9]{{1,9}})\]?(?![\w-])[,;:]?", re.IGNORECASE | re.ASCII)
    refs: list[str] = []
    end = 0
    while match := pattern.match(rest, end):
        refs.append(match[1].upper())
        end = match.end()
    return tuple(dict.fromkeys(refs)), rest[end:].strip()


def _joined(lines: Sequence[str]) -> str:
    return "\n".join(lines).strip()


def _has_words_below(lines: list[str]) -> bool:
    """Whether words stand below an APPROVE or HOLD after a blank line."""
    word = _split_word(lines[0]).word
    return not (word and word.takes_text) and bool(_split_at_blank(lines)[1])


def _split_at_blank(lines: list[str]) -> tuple[list[str], list[str]]:
    """(the lines directly below the first one, those with words after a blank line)."""
    gap = next((number for number, line in enumerate(lines) if not line), len(lines))
    return lines[1:gap], [line for line in lines[gap:] if line]


@dataclass(frozen=True)
class _Grammar:
    """Reads decisions about the tickets in ``items``, whose references begin with ``prefix``."""

    prefix: str
    items: Items

    def blocks(self, own: str) -> list[list[str]]:
        """The lines of each decision; [] if the text does not begin with one."""
        blocks: list[list[str]] = []
        in_text = False  # whether the lines may be the text of the decision above
        for line in map(str.strip, own.splitlines()):
            word = _split_word(line).word
            if word and (not in_text or self._begins_within_text(line)):
                in_text = word.takes_text
                blocks.append([line])
            elif blocks:
                blocks[-1].append(line)
            elif line:
                return []
        return blocks

    def _begins_within_text(self, line: str) -> bool:
        """Whether a line in the text of a decision is a decision of its own."""
        word, rest, capitals = _split_word(line)
        if word is None:
            return False
        if capitals or _split_refs(rest, self.prefix)[0] or line[len(word) :].lstrip().startswith(":"):
            return True
        match word:
            case DecisionWord.NOTE:
                return line[0].isupper()
            case DecisionWord.REJECT:
                return bool(self._split_items((), rest)[0])
            case DecisionWord.APPROVE:
                one = self.read([line])
                return isinstance(one, DecisionLine) and bool(one.items)
            case DecisionWord.HOLD:
                return isinstance(self.read([line]), DecisionLine)
            case DecisionWord.ASK | DecisionWord.ANSWER:
                return False
            case _:
                assert_never(word)

    def read(self, lines: list[str]) -> ReadDecision:
        """The decision in the lines of a block."""
        word, rest, _ = _split_word(lines[0])
        refs, rest = _split_refs(rest, self.prefix)
        if word is None:
            return NotUnderstood("no_decision_word", _joined(lines))
        if not word.takes_text:
            unwrapped = self._unwrapped(lines)
            if unwrapped is None:
                return NotUnderstood("unknown_words", _joined(lines), tuple(ref for ref in refs if ref in self.items))
            lines = unwrapped
            refs, rest = _split_refs(_split_word(lines[0]).rest, self.prefix)
        if not set(refs) <= self.items.keys():
            return NotUnderstood("other_ticket", _joined(lines))
        if not refs and len(self.items) != 1:
            return NotUnderstood("ref_missing", _joined(lines))
        return self._decision(word, refs, "\n".join([rest, *lines[1:]]).strip(), _joined(lines))

    def _unwrapped(self, lines: list[str]) -> list[str] | None:
        """The lines of an APPROVE or HOLD without signature, as one; None if other words stand below it."""
        near, far = _split_at_blank(lines)
        names = {name for table in self.items.values() for name in table}
        if far and not is_closing(far, names, _LOWER_CASE_WORDS):
            return None
        return lines[:1] if near and is_farewell(near) else [" ".join([lines[0], *near])]

    def _decision(self, word: DecisionWord, refs: tuple[str, ...], rest: str, read: str) -> ReadDecision:
        """The decision that a word and the ``rest`` of its lines make."""
        match word:
            case DecisionWord.APPROVE:
                return self._approve(refs, rest, read)
            case DecisionWord.HOLD:
                alone = not rest.strip(" .,;!")
                return DecisionLine(word, refs, read=read) if alone else NotUnderstood("unknown_words", read, refs)
            case DecisionWord.REJECT:
                items, reason = self._split_items(refs, rest)
                return _with_text(DecisionLine(word, refs, items, text=reason, read=read))
            case DecisionWord.ASK | DecisionWord.ANSWER | DecisionWord.NOTE:
                return _with_text(DecisionLine(word, refs, text=rest, read=read))
            case _:
                assert_never(word)

    def _approve(self, refs: tuple[str, ...], rest: str, read: str) -> ReadDecision:
        until = None
        match = _UNTIL.search(rest)
        if match:
            until = _date(match[1].rstrip(".,;!"))
            if until is None:
                return NotUnderstood("bad_date", read, refs)
            rest = rest[: match.start()]
        rest = rest.strip(" \t.,;:!")
        items = _listed_items(rest, self._nameable_items(refs)) if rest else ()
        if items is None:
            return NotUnderstood("unknown_words", read, refs)
        return DecisionLine(DecisionWord.APPROVE, refs, items, until, read=read)

    def _split_items(self, refs: tuple[str, ...], text: str) -> tuple[tuple[ItemKey, ...], str]:
        """(the items listed before a colon, the reason after it); () and the whole text unless all are open items.

        A text that only names items has no reason: "".
        """
        names = self._nameable_items(refs)
        for index in (i for i, char in enumerate(text[:500]) if char == ":"):
            items = _listed_items(text[:index], names)
            if items:
                return items, text[index + 1 :].strip()
        return (), "" if _listed_items(text[:500].strip(" .,;:!"), names) else text

    def _nameable_items(self, refs: tuple[str, ...]) -> dict[str, ItemKey]:
        """Name -> key of the items that are open on every ticket concerned."""
        tables = [self.items[ref] for ref in refs] if refs else list(self.items.values())
        if not tables:
            return {}
        return {name: key for name, key in tables[0].items() if all(name in table for table in tables)}

    def may_restrict(self, read: str) -> bool:
        """Whether a line that was not understood may restrict a decision; words for somebody cannot."""
        word = _split_word(read).word
        return word is None or word.is_binding or not word.takes_text

    def may_be_about(self, text: str, one: DecisionLine) -> bool:
        """Whether a line that was not understood may be about the items of that decision."""
        word, rest, _ = _split_word(text)
        refs, rest = _split_refs(rest, self.prefix)
        if word is one.word or (refs and one.refs and not set(refs) & set(one.refs)):
            return False
        tables = [self.items[ref] for ref in one.refs if ref in self.items] or list(self.items.values())
        names = {name for table in tables for name, key in table.items() if key in one.items}
        return not one.items or any(name in rest.lower() for name in names)


def _listed_items(text: str, names: Mapping[str, ItemKey]) -> tuple[ItemKey, ...] | None:
    """The items in a comma-separated list; None if it is empty or any name is no open item."""
    listed = [" ".join(name.lower().split()) for name in text.split(",") if name.strip()]
    known = bool(listed) and all(name in names for name in listed)
    return tuple(dict.fromkeys(names[name] for name in listed)) if known else None


def _date(text: str) -> date | None:
    if not _DATE.fullmatch(text):  # fromisoformat also reads 20261231 and week dates
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _with_text(line: DecisionLine) -> ReadDecision:
    """The decision, unless it lacks a text."""
    return line if any(map(str.isalnum, line.text)) else NotUnderstood("reason_missing", line.read, line.refs)
