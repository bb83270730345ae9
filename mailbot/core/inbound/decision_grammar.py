"""The grammar of decisions: what staff wrote, line by line, into decisions or the reason why one was not understood.

Inside the running text of a REJECT, ASK, ANSWER or NOTE a line begins another decision when its word stands in capitals,
before a reference or a colon, or when all of it is a decision ("approve agents"), so that "Ask your reseller." in a text for
the customer stays there. A NOTE, which no customer must read, begins wherever it stands with a capital, too.
Lines directly below an APPROVE or HOLD are its own line wrapped. Below a blank line only a signature may stand (thanks,
names, numbers, addresses): any sentence there could be a condition, so nothing is understood of a decision with one.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from mailbot.core.base.characters import without_invisible
from mailbot.core.catalogue.item_kinds import ItemKey
from mailbot.core.inbound.decision_tail import is_closing, is_farewell

WORDS = ("APPROVE", "REJECT", "ASK", "ANSWER", "NOTE", "HOLD")
WORDS_SMALL = frozenset(word.lower() for word in WORDS)
SPEAKING = frozenset({"REJECT", "ASK", "ANSWER", "NOTE"})
#: Nobody decides on so many lines in one mail.
_MOST = 1000
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_UNTIL = re.compile(r"\buntil\s+(\S+)\s*\Z", re.IGNORECASE)
_PLAIN = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2019": "'"})
Items = Mapping[str, Mapping[str, ItemKey]]


@dataclass(frozen=True)
class DecisionLine:
    """One decision, ``read`` as it was read. No ``refs``: the one ticket of the mail; no ``items``: all that wait."""

    word: str
    refs: tuple[str, ...] = ()
    items: tuple[ItemKey, ...] = ()
    until: date | None = None
    text: str = ""
    read: str = ""


@dataclass(frozen=True)
class NotUnderstood:
    """Words that are no decision: ``why`` is a code with a sentence of its own."""

    why: str
    read: str
    refs: tuple[str, ...] = ()


def begins(own: str, prefix: str) -> bool:
    """Whether the text begins with a decision, and not with a sentence that has such a word in it."""
    first = next((line.strip() for line in _plain(own).splitlines() if line.strip()), "")
    word, rest, capitals = _word(first)
    return bool(word) and (capitals or not rest or bool(_refs(rest, prefix)[0]))


def confirmation_word(own: str) -> str | None:
    """CONFIRM or NO when that is the first own line, closing punctuation aside; else None."""
    first = next((line.strip() for line in _plain(own).splitlines() if line.strip()), "")
    word = first.rstrip(" .,;:!")
    return word.upper() if word.isascii() and word.upper() in ("CONFIRM", "NO") else None


def read_decisions(own: str, prefix: str, items: Items) -> tuple[DecisionLine | NotUnderstood, ...]:
    """Each decision in the own text with its own result. ``items``: ref -> {key or lower-case label -> item key}."""
    blocks = _blocks(_plain(own), prefix, items)
    if not blocks:
        return (NotUnderstood("no_decision_word", own.strip()[:200]),)
    if len(blocks) > _MOST:
        return (NotUnderstood("unknown_words", _shown(blocks[0])),)
    results: list[DecisionLine | NotUnderstood] = []
    lost = False  # only leading lines decide: words that nobody reads spoil the lines on both sides of them
    for number, lines in enumerate(blocks):
        lost = lost or (number + 1 < len(blocks) and _unread(lines))
        one = _block(lines, prefix, items)
        results.append(NotUnderstood("unknown_words", _shown(lines), one.refs) if lost else one)
    unread = [
        one.read
        for one in results
        if isinstance(one, NotUnderstood) and _word(one.read)[0] not in ("ASK", "ANSWER", "NOTE")
    ]
    return tuple(_unless_spoiled(one, unread, prefix, items) for one in results)


def _unless_spoiled(
    one: DecisionLine | NotUnderstood, unread: Sequence[str], prefix: str, items: Items
) -> DecisionLine | NotUnderstood:
    """``one``, unless a line that was not understood may have taken something out of it."""
    binding = isinstance(one, DecisionLine) and one.word in ("APPROVE", "REJECT")
    if binding and any(_may_except(text, one, prefix, items) for text in unread):  # type: ignore[arg-type]
        return NotUnderstood("contradiction", one.read, one.refs)
    return one


def _may_except(text: str, one: DecisionLine, prefix: str, items: Items) -> bool:
    word, rest, _ = _word(text)
    refs, rest = _refs(rest, prefix)
    if word == one.word or (refs and one.refs and not set(refs) & set(one.refs)):
        return False
    tables = [items[ref] for ref in one.refs if ref in items] or list(items.values())
    mine = {name for table in tables for name, key in table.items() if key in one.items}
    return not one.items or any(name in rest.lower() for name in mine)


def _plain(own: str) -> str:
    return without_invisible(own).translate(_PLAIN)


def _word(line: str) -> tuple[str, str, bool]:
    """(decision word or "", the rest, whether it stood in capitals)."""
    first, *rest = line.split(None, 1) or [""]
    bare = first.rstrip(".,;:!")
    known = bare.isascii() and bare.upper() in WORDS  # ASCII: the capital of a long s is an S
    return (bare.upper(), rest[0].strip() if rest else "", bare.isupper()) if known else ("", line, False)


def _shown(lines: Sequence[str]) -> str:
    return "\n".join(lines).strip()


def _unread(lines: list[str]) -> bool:
    """Whether words stand below an APPROVE or HOLD, parted from it by a blank line."""
    return _word(lines[0])[0] not in SPEAKING and bool(_below(lines)[1])


def _below(lines: list[str]) -> tuple[list[str], list[str]]:
    """The lines that follow the first one directly, and those with words after a blank line."""
    gap = next((number for number, line in enumerate(lines) if not line), len(lines))
    return lines[1:gap], [line for line in lines[gap:] if line]


def _blocks(own: str, prefix: str, items: Items) -> list[list[str]]:
    """The lines of each decision; empty when the text does not begin with one."""
    blocks: list[list[str]] = []
    running = False  # whether a text stands open, whose lines may begin with any word
    for line in map(str.strip, own.splitlines()):
        word = _word(line)[0]
        if word and (not running or _begins(line, prefix, items)):
            running = word in SPEAKING
            blocks.append([line])
        elif blocks:
            blocks[-1].append(line)
        elif line:
            return []
    return blocks


def _begins(line: str, prefix: str, items: Items) -> bool:
    """Whether a line within a text for somebody is a decision of its own."""
    word, rest, capitals = _word(line)
    if capitals or _refs(rest, prefix)[0] or line[len(word) :].lstrip().startswith(":"):
        return True
    match word:
        case "NOTE":
            return line[0].isupper()
        case "REJECT":
            return bool(_rejected((), rest, items)[0])
        case "APPROVE" | "HOLD":
            made = _block([line], prefix, items)
            return isinstance(made, DecisionLine) and (word == "HOLD" or bool(made.items))
        case _:
            return False


def _block(lines: list[str], prefix: str, items: Items) -> DecisionLine | NotUnderstood:
    word, rest, _ = _word(lines[0])
    refs, rest = _refs(rest, prefix)
    if word not in SPEAKING:
        near, far = _below(lines)
        if far and not is_closing(far, {name for names in items.values() for name in names}, WORDS_SMALL):
            return NotUnderstood("unknown_words", _shown(lines), tuple(ref for ref in refs if ref in items))
        lines = lines[:1] if near and is_farewell(near) else [" ".join([lines[0], *near])]
        refs, rest = _refs(_word(lines[0])[1], prefix)
    shown = _shown(lines)
    if not set(refs) <= items.keys():
        return NotUnderstood("other_ticket", shown)
    if not refs and len(items) != 1:
        return NotUnderstood("ref_missing", shown)
    if word == "APPROVE":
        return _approve(refs, rest, shown, items)
    if word == "HOLD":
        return (
            DecisionLine("HOLD", refs, read=shown)
            if not rest.strip(" .,;!")
            else NotUnderstood("unknown_words", shown, refs)
        )
    text = "\n".join([rest, *lines[1:]]).strip()
    chosen: tuple[ItemKey, ...] = ()
    if word == "REJECT":
        chosen, text = _rejected(refs, text, items)
    if not any(map(str.isalnum, text)):
        return NotUnderstood("reason_missing", shown, refs)
    return DecisionLine(word, refs, chosen, text=text, read=shown)


def _refs(rest: str, prefix: str) -> tuple[tuple[str, ...], str]:
    """The leading references and what follows them."""
    pattern = re.compile(rf"[\s,;]*\[?({re.escape(prefix)}-[0-9]{{1,9}})\]?(?![\w-])[,;:]?", re.IGNORECASE | re.ASCII)
    refs: list[str] = []
    end = 0
    while match := pattern.match(rest, end):
        refs.append(match[1].upper())
        end = match.end()
    return tuple(dict.fromkeys(refs)), rest[end:].strip()


def _known(refs: tuple[str, ...], items: Items) -> dict[str, ItemKey]:
    """The items that may be named: those that wait on every ticket concerned."""
    tables = [items[ref] for ref in refs] if refs else list(items.values())
    return {name: key for name, key in tables[0].items() if all(name in table for table in tables)} if tables else {}


def _named(text: str, known: Mapping[str, ItemKey]) -> tuple[ItemKey, ...] | None:
    """The items that a comma-separated list names; None when any word of it is no open item."""
    names = [" ".join(name.lower().split()) for name in text.split(",") if name.strip()]
    return tuple(dict.fromkeys(known[name] for name in names)) if names and all(n in known for n in names) else None


def _approve(refs: tuple[str, ...], rest: str, shown: str, items: Items) -> DecisionLine | NotUnderstood:
    until = None
    match = _UNTIL.search(rest)
    if match:
        day = match[1].rstrip(".,;!")
        if not _DATE.fullmatch(day):  # fromisoformat also reads 20261231 and week dates
            return NotUnderstood("bad_date", shown, refs)
        try:
            until = date.fromisoformat(day)
        except ValueError:
            return NotUnderstood("bad_date", shown, refs)
        rest = rest[: match.start()]
    rest = rest.strip(" \t.,;:!")
    if not rest:
        return DecisionLine("APPROVE", refs, (), until, read=shown)
    chosen = _named(rest, _known(refs, items))
    return (
        DecisionLine("APPROVE", refs, chosen, until, read=shown)
        if chosen
        else NotUnderstood("unknown_words", shown, refs)
    )


def _rejected(refs: tuple[str, ...], text: str, items: Items) -> tuple[tuple[ItemKey, ...], str]:
    """Items before a colon when all are open items of the ticket; else all is the reason, and names are none."""
    known = _known(refs, items)
    for index in (i for i, sign in enumerate(text[:500]) if sign == ":"):
        chosen = _named(text[:index], known)
        if chosen:
            return chosen, text[index + 1 :].strip()
    return (), "" if _named(text[:500].strip(" .,;:!"), known) else text


def contradictions(lines: Sequence[DecisionLine]) -> frozenset[str]:
    """The references about which the lines contradict each other; "" stands for the one ticket of the mail.

    A line without items speaks of all that the lines before it left open: nothing may be decided otherwise after it.
    """
    binding = [line for line in lines if line.word in ("APPROVE", "REJECT")]
    found = set()
    for number, one in enumerate(binding):
        for other in binding[number + 1 :]:
            if _contradict(one, other):
                found |= (set(one.refs) & set(other.refs)) or ({""} if not (one.refs and other.refs) else set())
    return frozenset(found)


def _contradict(one: DecisionLine, other: DecisionLine) -> bool:
    if one.refs and other.refs and not set(one.refs) & set(other.refs):
        return False
    if one.word == other.word:
        return one.until != other.until
    return not one.items or bool(set(one.items) & set(other.items))
