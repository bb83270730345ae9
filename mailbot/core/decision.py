"""The grammar of decisions: what staff wrote, line by line, into decisions or the reason why one was not understood.

Inside the running text of a REJECT, ASK, ANSWER or NOTE a line begins another decision only when its word stands in
capitals, so that "Note that ..." or "ask your partner" in a sentence to a customer does nothing.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

WORDS = ("APPROVE", "REJECT", "ASK", "ANSWER", "NOTE", "HOLD")
SPEAKING = frozenset({"REJECT", "ASK", "ANSWER", "NOTE"})
_UNTIL = re.compile(r"\buntil\s+(\S+)", re.IGNORECASE)
_PLAIN = str.maketrans({"\u00a0": " ", "\u200b": None, "\u200c": None, "\u200d": None, "\ufeff": None, "\u2019": "'"})

Items = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Line:
    """One decision. No ``refs``: the one ticket of the mail; no ``items``: all that wait. ``read`` is the line as read."""

    word: str
    refs: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    until: date | None = None
    text: str = ""
    read: str = ""


@dataclass(frozen=True)
class NotUnderstood:
    """Words that are no decision: ``why`` is a code with a sentence of its own."""

    why: str
    read: str


def confirmation_word(own: str) -> str | None:
    """CONFIRM or NO when that is the first own line, closing punctuation aside; else None."""
    first = next((line.strip() for line in own.translate(_PLAIN).splitlines() if line.strip()), "")
    word = first.rstrip(".,!").upper()
    return word if word in ("CONFIRM", "NO") else None


def read(own: str, prefix: str, items: Items) -> tuple[Line | NotUnderstood, ...]:
    """Each decision in the own text with its own result. ``items``: ref -> {key or lower-case label -> item key}."""
    blocks = _blocks(own.translate(_PLAIN))
    if not blocks:
        return (NotUnderstood("no_decision_word", own.strip()[:200]),)
    return tuple(_block(lines, prefix, items) for lines in blocks)


def _word(line: str) -> tuple[str, str, bool]:
    """(decision word or "", the rest, whether it stood in capitals)."""
    first, _, rest = line.strip().partition(" ")
    bare = first.rstrip(".,;:!")
    return (bare.upper(), rest.strip(), bare.isupper()) if bare.upper() in WORDS else ("", line, False)


def _blocks(own: str) -> list[list[str]]:
    """The lines of each decision; empty when the text does not begin with one."""
    blocks: list[list[str]] = []
    for line in own.splitlines():
        word, _, capitals = _word(line)
        speaking = bool(blocks) and _word(blocks[-1][0])[0] in SPEAKING
        if word and (not speaking or capitals):
            blocks.append([line.strip()])
        elif not line.strip():
            if speaking:
                blocks[-1].append("")
        elif not blocks:
            return []
        elif speaking:
            blocks[-1].append(line.strip())
        else:
            break  # words after APPROVE or HOLD on lines of their own end the decisions
    return blocks


def _block(lines: list[str], prefix: str, items: Items) -> Line | NotUnderstood:
    word, rest, _ = _word(lines[0])
    refs, rest = _refs(rest, prefix)
    shown = "\n".join(lines).strip()
    if not set(refs) <= items.keys():
        return NotUnderstood("other_ticket", shown)
    if not refs and len(items) != 1:
        return NotUnderstood("ref_missing", shown)
    if word == "APPROVE":
        return _approve(refs, rest, shown, items)
    if word == "HOLD":
        return Line("HOLD", refs, read=shown) if not rest.strip(" .,;!") else NotUnderstood("unknown_words", shown)
    text = "\n".join([rest, *lines[1:]]).strip()
    chosen: tuple[str, ...] = ()
    if word == "REJECT":
        chosen, text = _rejected(refs, text, items)
    return Line(word, refs, chosen, text=text, read=shown) if text else NotUnderstood("reason_missing", shown)


def _refs(rest: str, prefix: str) -> tuple[tuple[str, ...], str]:
    """The leading references and what follows them."""
    pattern = re.compile(rf"^[\s,;]*\[?({re.escape(prefix)}-[0-9]{{1,9}})\]?(?![\w-])[,;:]?", re.IGNORECASE)
    refs: list[str] = []
    while match := pattern.match(rest):
        refs.append(match[1].upper())
        rest = rest[match.end() :]
    return tuple(dict.fromkeys(refs)), rest.strip()


def _known(refs: tuple[str, ...], items: Items) -> dict[str, str]:
    """The items that may be named: those that wait on every ticket concerned."""
    tables = [items[ref] for ref in refs] if refs else list(items.values())
    return {name: key for name, key in tables[0].items() if all(name in table for table in tables)} if tables else {}


def _named(text: str, known: Mapping[str, str]) -> tuple[str, ...] | None:
    """The items that a comma-separated list names; None when any word of it is no open item."""
    names = [" ".join(name.lower().split()) for name in re.split(r"[,;]| and ", text) if name.strip()]
    return tuple(dict.fromkeys(known[name] for name in names)) if names and all(n in known for n in names) else None


def _approve(refs: tuple[str, ...], rest: str, shown: str, items: Items) -> Line | NotUnderstood:
    until = None
    match = _UNTIL.search(rest)
    if match:
        try:
            until = date.fromisoformat(match[1].rstrip(".,;!"))
        except ValueError:
            return NotUnderstood("bad_date", shown)
        rest = rest[: match.start()] + rest[match.end() :]
    rest = rest.strip(" \t.,;:!")
    if not rest:
        return Line("APPROVE", refs, (), until, read=shown)
    chosen = _named(rest, _known(refs, items))
    return Line("APPROVE", refs, chosen, until, read=shown) if chosen else NotUnderstood("unknown_words", shown)


def _rejected(refs: tuple[str, ...], text: str, items: Items) -> tuple[tuple[str, ...], str]:
    """Items before a colon when all are open items of the ticket; else all is the reason."""
    for index in (i for i, sign in enumerate(text[:500]) if sign == ":"):
        chosen = _named(text[:index], _known(refs, items))
        if chosen:
            return chosen, text[index + 1 :].strip()
    return (), text


def contradictions(lines: Sequence[Line]) -> frozenset[str]:
    """The references about which the lines contradict each other; "" stands for the one ticket of the mail."""
    binding = [line for line in lines if line.word in ("APPROVE", "REJECT")]
    found = set()
    for number, one in enumerate(binding):
        for other in binding[number + 1 :]:
            if _contradict(one, other):
                found |= (set(one.refs) & set(other.refs)) or ({""} if not (one.refs and other.refs) else set())
    return frozenset(found)


def _contradict(one: Line, other: Line) -> bool:
    if one.refs and other.refs and not set(one.refs) & set(other.refs):
        return False
    if one.word == other.word:
        return one.until != other.until
    both_whole = not one.items and not other.items
    return both_whole or bool(set(one.items) & set(other.items))
