"""One line of a mail: the label on it and the value behind, whatever stands around them (bullets, ``>``, bold, cells)."""

import re
from dataclasses import dataclass

from mailbot.core.base.characters import INVISIBLE_AROUND
from mailbot.core.form.fields import FIELDS, FieldKind, asked_for, field_of, normal

#: Longer texts before a colon are no label; what stands in parentheses behind a label does not count.
_LABEL, _ASIDE, _MOST_ASIDES = 80, 600, 4
_BULLETS = " \t\u00a0>•·◦▪‣●○■□–—|#" + INVISIBLE_AROUND
_SPACES = " \t\u00a0\u2007\u202f" + INVISIBLE_AROUND
_COLONS = ":："
_PARTING = re.compile(rf"[{_COLONS}\t|(（?=<]")
_PARTING_STILL = re.compile(rf"[{_COLONS}\t|(（?<]")  # behind an equals sign: no label holds one
_ASIDE_BEGINS = re.compile("[(（]|<http|<mailto")
_PARENTHESES = re.compile("[()（）]")
_NUMBERED = re.compile(r"\d{1,2}(?:[.)][ \t\u00a0]+|\t)")
#: The letters and the private numbers are boxes in Wingdings, of which a mail's text has lost the font.
_BOX = re.compile(
    r"\[([xX✓✔ \u00a0]?)\]|([☒☑✓✔✅🗹◉⦿\uf0fe\uf0fd]\ufe0f?|\([xX✓✔•]\)|(?<!\S)[þý](?!\S))"
    r"|([☐□❏▢◯\uf0a8\uf06f]\ufe0f?|\([ \u00a0]\)|(?<!\S)¨(?!\S))"
)
#: The seed's heading that chooses the action: 4. Select "Add".
_CHOSEN = re.compile(r"select [\"'](add|remove|deactivate)[\"']")
_LISTED = re.compile(r"[\s>]*(?:[-*•·◦▪‣●○]|\d{1,2}[.)])\s+\S")
#: A row whose box stands in the cell behind the name.
_BOX_CELL = re.compile(rf"(?m)^([^\t\n\[\]]{{1,80}})\t+({_BOX.pattern})[ \t]*$")
_DIALLED = re.compile(r"[+(0][\d ()./-]{5,}|[\d ()./-]{7,}")
_COUNTED = re.compile(r"[1-9][0-9]*")


@dataclass(frozen=True)
class Labelled:
    """``label`` as written, ``value`` behind it; ``key`` of the field that the label names, None if of none."""

    label: str
    value: str
    key: str | None


class MailLine(str):
    """A line of a mail; ``labelled`` and ``key``, the field that it is labelled as, are asked by every step of a reading and found once."""

    __slots__ = ("key", "labelled")

    def __init__(self, text: str = "") -> None:
        self.labelled = labelled(text)
        self.key = self.labelled.key if self.labelled else None


def labelled(line: str) -> Labelled | None:
    """The label and value of a line, None where it has no label. Linear in the line."""
    start = _undecorated(line)
    bold = len(line[start : start + 2]) - len(line[start : start + 2].lstrip("*"))
    sep = _separator(line, start + bold)
    if sep is None:
        chosen = _CHOSEN.fullmatch(normal(line[start : start + _LABEL]))
        return Labelled("Select", chosen[1], "action") if chosen else None
    at, end = sep
    label = line[start + bold : at].strip(_SPACES)
    mark = "*" * bold
    value = line[end:].strip(_SPACES)
    if line[end - 1] in "\t|":
        value = _of_cell(value, drawn=line[end - 1] == "|" and "|" in line[:start])
    if bold and label.endswith(mark):
        label = label[:-bold]
    elif bold and value.startswith(mark) and not value.startswith(mark + "*"):
        value = value[bold:].strip(_SPACES)
    elif bold and value.endswith(mark):
        value = value[:-bold].strip(_SPACES)
    name = _without_aside(label)
    key = field_of(name)
    value = _unbold(value)
    return Labelled(label, value, key if key and not _only_looks_so(key, name, value) else None)


def _undecorated(line: str) -> int:
    """Where the words of a line begin: behind bullets, quote marks and numbers."""
    at = 0
    while at < len(line):
        if line[at] in _BULLETS:
            at += 1
        elif line[at] in "*-+" and line[at + 1 : at + 2] and line[at + 1] in _SPACES:
            at += 2
        elif line[at] == "-":
            at += 1
        elif numbered := _NUMBERED.match(line, at):
            at = numbered.end()
        else:
            break
    return at


def _separator(line: str, start: int) -> tuple[int, int] | None:
    """(where the label ends, where the value begins): a colon, a tab, a cell's border, or the mark of a question."""
    at, most, asides, parting = start, start + _LABEL, 0, _PARTING
    while (found := parting.search(line, at, most)) is not None:
        at = found.start()
        sign = line[at]
        if sign in _COLONS or sign in "\t|":
            return at, at + 1
        if sign in "(（" or (sign == "<" and line.startswith(("<http", "<mailto"), at)):
            closed = _linked(line, at) if sign == "<" else _closed(line, at) if asides < _MOST_ASIDES else None
            if closed is None:
                return None
            asides += 1
            most += closed - at
            at = closed
        elif sign == "=":
            parting = _PARTING_STILL
            if field_of(_without_aside(line[start:at])):
                return at, at + 2 if line.startswith(("=> ", "=>\t"), at) else at + 1
        elif sign == "?":
            behind = line[at + 1 :].lstrip(_SPACES + "*")
            if behind[:1] == "|":
                at += 1
                continue
            if behind[:1] and behind[:1] in _COLONS:
                return len(line) - len(behind), len(line) - len(behind) + 1
            return (at + 1, at + 1) if field_of(_without_aside(line[start:at])) else None
        at += 1
    return None


def _linked(line: str, at: int) -> int | None:
    end = line.find(">", at, at + _ASIDE)
    return end if end >= 0 else None


def _closed(line: str, at: int) -> int | None:
    """Where the parenthesis that opens here is closed, those inside it passed over."""
    depth = 0
    for found in _PARENTHESES.finditer(line, at, at + _ASIDE):
        depth += 1 if found[0] in "(（" else -1
        if depth == 0:
            return found.start()
    return None


def _without_aside(label: str) -> str:
    aside = _ASIDE_BEGINS.search(label)
    return (label[: aside.start()] if aside else label).strip(_SPACES)


def _of_cell(value: str, *, drawn: bool) -> str:
    """The value in a cell: a colon that ended the label is gone, and so is the border of a drawn table."""
    if value[:1] and value[0] in _COLONS and value[1:2] in (" ", "\t", ""):
        value = value[1:].strip(_SPACES)
    if drawn:
        value = value.removesuffix("|").strip(_SPACES)
    return value


def _unbold(value: str) -> str:
    """The value without bold marks around the whole of it; marks that are no pair belong to it.

    Asterisks alone mark a field that must be filled in.
    """
    if not value.strip("*"):
        return ""
    for mark in ("**", "*") if value.startswith("*") else ():
        inner = value[len(mark) : -len(mark)]
        if value.startswith(mark) and value.endswith(mark) and inner.strip() and "*" not in inner:
            return inner.strip(_SPACES)
    return value


def _only_looks_so(key: str, label: str, value: str) -> bool:
    """A link behind "License Agreement", or a number to dial behind "Telephone", is no field of a form.

    Digits alone behind "Telephones" are a count, however large.
    """
    if FIELDS[key].kind is FieldKind.YES:
        return value.lstrip("<").lower().startswith(("http://", "https://"))
    if key != "telephones" or not _DIALLED.fullmatch(value):
        return False
    return normal(label) == "telephone" or not _COUNTED.fullmatch(value)


def label_alone(line: str) -> str | None:
    """The key of the field that a line names and nothing else, without a colon; None otherwise."""
    if len(line) > _LABEL + _ASIDE:
        return None
    words = line[_undecorated(line) :].strip(_SPACES + "*?")
    if "(" in words and _closed(words, words.find("(")) != len(words) - 1:
        return None  # more than an aside stands behind it
    return field_of(_without_aside(words)) if words else None


def is_heading(line: str) -> bool:
    """Whether a line asks for something as the seed's headings do: "Select Plugins"."""
    return bool(asked_for(normal(line[_undecorated(line) :][:_LABEL])))


def unfinished(line: str) -> bool:
    """Whether a line is the beginning of a label whose parenthesis was broken over lines."""
    start = _undecorated(line)
    head = line[start : start + _LABEL].lstrip("*")
    words, opened, _ = head.partition("(")
    labels = bool(opened) and not any(sign in words for sign in f"{_COLONS}\t|?") and field_of(words) is not None
    return labels and _closed(line, line.find("(", start)) is None


def is_numbered(line: str) -> bool:
    """Whether a line has its number in a list before it."""
    return bool(_NUMBERED.match(line.lstrip(_SPACES + ">")))


def is_listed(line: str) -> bool:
    """Whether a line is an entry of a list or a row with a box."""
    return bool(_LISTED.match(line)) or bool(_BOX.match(line.lstrip(_BULLETS + "*-")))


def box_row(line: str) -> tuple[bool, str] | None:
    """(ticked, the words behind) of a row that begins with a box and has only that one; None for any other."""
    bare = line.lstrip(_BULLETS.replace("□", "") + "*-")
    first = _BOX.match(bare)
    if first is None or _BOX.search(bare, first.end()):
        return None
    return _is_ticked(first), bare[first.end() :].strip(_SPACES)


def ticked(value: str) -> str:
    """Of rows with boxes the words behind the ticked ones, by commas; a value without boxes as it is.

    A ticked box alone is ``yes``, an empty one alone says nothing.
    """
    value = _BOX_CELL.sub(r"\2 \1", value[:4000]) + value[4000:]
    boxes = list(_BOX.finditer(value[:4000]))
    if not boxes or value[: boxes[0].start()].strip(_SPACES + "-*\n,;"):
        return value
    ends = [*(box.start() for box in boxes[1:]), len(value)]
    chosen = [
        value[box.end() : end].strip(_SPACES + "\n,;-*•·") or "yes"
        for box, end in zip(boxes, ends, strict=True)
        if _is_ticked(box)
    ]
    return ", ".join(chosen)


def _is_ticked(box: re.Match[str]) -> bool:
    return bool(box[2]) or bool((box[1] or "").strip())
