"""One line of a mail: its label and its value, whatever surrounds them (bullets, ``>``, bold, cells, boxes)."""

import re
from dataclasses import dataclass

from mailbot.core.base.characters import INVISIBLE_AROUND
from mailbot.core.form.fields import FIELDS, FieldKind, field_of, heading_topic, normalise

#: Longest label, not counting text in parentheses after it; longest such text; how many of them.
_LABEL_MAX, _ASIDE_MAX, _ASIDES_MAX = 80, 600, 4
_BULLETS = " \t\u00a0>•·◦▪‣●○■□–—|#" + INVISIBLE_AROUND
_SPACES = " \t\u00a0\u2007\u202f" + INVISIBLE_AROUND
_COLONS = ":："
_SEPARATORS = re.compile(rf"[{_COLONS}\t|(（?=<]")
_SEPARATORS_AFTER_EQUALS = re.compile(rf"[{_COLONS}\t|(（?<]")  # only one equals sign is considered
_ASIDE_BEGINS = re.compile("[(（]|<http|<mailto")
_PARENTHESES = re.compile("[()（）]")
_NUMBERED = re.compile(r"\d{1,2}(?:[.)][ \t\u00a0]+|\t)")
#: Boxes: the letters and private-use characters are those of Wingdings in text that has lost its font.
_BOX = re.compile(
    r"\[([xX✓✔ \u00a0]?)\]|([☒☑✓✔✅🗹◉⦿\uf0fe\uf0fd]\ufe0f?|\([xX✓✔•]\)|(?<!\S)[þý](?!\S))"
    r"|([☐□❏▢◯\uf0a8\uf06f]\ufe0f?|\([ \u00a0]\)|(?<!\S)¨(?!\S))"
)
#: The seed's heading that chooses the action: 4. Select "Add".
_SELECT_ACTION = re.compile(r"select [\"'](add|remove|deactivate)[\"']")
_LIST_ENTRY = re.compile(r"[\s>]*(?:[-*•·◦▪‣●○]|\d{1,2}[.)])\s+\S")
#: A row whose box is in the cell after the name.
_BOX_CELL = re.compile(rf"(?m)^([^\t\n\[\]]{{1,80}})\t+({_BOX.pattern})[ \t]*$")
_PHONE_NUMBER = re.compile(r"[+(0][\d ()./-]{5,}|[\d ()./-]{7,}")
_COUNT = re.compile(r"[1-9][0-9]*")


@dataclass(frozen=True)
class LabelledLine:
    """``label`` and ``value`` as written; ``key`` of the field that the label names, None if it names none."""

    label: str
    value: str
    key: str | None


class MailLine(str):
    """A line of a mail with its label, read once for all steps. ``key``: the field that it names."""

    __slots__ = ("key", "labelled")

    def __init__(self, text: str = "") -> None:
        self.labelled = read_label(text)
        self.key = self.labelled.key if self.labelled else None


def read_label(line: str) -> LabelledLine | None:
    """The label and value of a line, None without a label. Takes time linear in the line."""
    start = _undecorated(line)
    bold = len(line[start : start + 2]) - len(line[start : start + 2].lstrip("*"))
    separator = _separator(line, start + bold)
    if separator is None:
        chosen = _SELECT_ACTION.fullmatch(normalise(line[start : start + _LABEL_MAX]))
        return LabelledLine("Select", chosen[1], "action") if chosen else None
    at, end = separator
    label = line[start + bold : at].strip(_SPACES)
    value = line[end:].strip(_SPACES)
    if line[end - 1] in "\t|":
        value = _cell_value(value, drawn=line[end - 1] == "|" and "|" in line[:start])
    label, value = _without_opening_bold("*" * bold, label, value)
    name = _without_aside(label)
    key = field_of(name)
    value = _without_bold(value)
    return LabelledLine(label, value, key if key and not _is_no_field(key, name, value) else None)


def _without_opening_bold(mark: str, label: str, value: str) -> tuple[str, str]:
    """Label and value without the bold ``mark`` that opened before the label, wherever it closes."""
    if not mark:
        return label, value
    if label.endswith(mark):
        return label[: -len(mark)], value
    if value.startswith(mark) and not value.startswith(mark + "*"):
        return label, value[len(mark) :].strip(_SPACES)
    return label, value[: -len(mark)].strip(_SPACES) if value.endswith(mark) else value


def _undecorated(line: str) -> int:
    """Where the words of a line begin, after bullets, quote marks and numbers."""
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
    """(where the label ends, where the value begins): at a colon, tab, cell border, equals sign or question mark."""
    at, most, asides, separators = start, start + _LABEL_MAX, 0, _SEPARATORS
    while (found := separators.search(line, at, most)) is not None:
        at = found.start()
        char = line[at]
        if char in _COLONS or char in "\t|":
            return at, at + 1
        if char in "(（" or (char == "<" and line.startswith(("<http", "<mailto"), at)):
            closed = _link_end(line, at) if char == "<" else _closing(line, at) if asides < _ASIDES_MAX else None
            if closed is None:
                return None
            asides += 1
            most += closed - at
            at = closed
        elif char == "=":
            separators = _SEPARATORS_AFTER_EQUALS
            if field_of(_without_aside(line[start:at])):
                return at, at + 2 if line.startswith(("=> ", "=>\t"), at) else at + 1
        elif char == "?" and line[at + 1 :].lstrip(_SPACES + "*")[:1] != "|":
            return _question_separator(line, start, at)
        at += 1
    return None


def _question_separator(line: str, start: int, at: int) -> tuple[int, int] | None:
    """The separator after a label that ends with a question mark: a colon, or nothing if a field is asked for."""
    value = line[at + 1 :].lstrip(_SPACES + "*")
    if value[:1] and value[0] in _COLONS:
        return len(line) - len(value), len(line) - len(value) + 1
    return (at + 1, at + 1) if field_of(_without_aside(line[start:at])) else None


def _link_end(line: str, at: int) -> int | None:
    end = line.find(">", at, at + _ASIDE_MAX)
    return end if end >= 0 else None


def _closing(line: str, at: int) -> int | None:
    """Where the parenthesis that opens here is closed, nested ones skipped."""
    depth = 0
    for found in _PARENTHESES.finditer(line, at, at + _ASIDE_MAX):
        depth += 1 if found[0] in "(（" else -1
        if depth == 0:
            return found.start()
    return None


def _without_aside(label: str) -> str:
    aside = _ASIDE_BEGINS.search(label)
    return (label[: aside.start()] if aside else label).strip(_SPACES)


def _cell_value(value: str, *, drawn: bool) -> str:
    """The value in a cell without the colon that ended the label; of a ``drawn`` table also without its border."""
    if value[:1] and value[0] in _COLONS and value[1:2] in (" ", "\t", ""):
        value = value[1:].strip(_SPACES)
    if drawn:
        value = value.removesuffix("|").strip(_SPACES)
    return value


def _without_bold(value: str) -> str:
    """The value without bold marks around all of it; asterisks alone, which mark a required field, are no value."""
    if not value.strip("*"):
        return ""
    for mark in ("**", "*") if value.startswith("*") else ():
        inner = value[len(mark) : -len(mark)]
        if value.startswith(mark) and value.endswith(mark) and inner.strip() and "*" not in inner:
            return inner.strip(_SPACES)
    return value


def _is_no_field(key: str, label: str, value: str) -> bool:
    """Whether the value rules out the field: a link after "License Agreement", a phone number after "Telephone".

    Digits alone after "Telephones" are a count, however large.
    """
    if FIELDS[key].kind is FieldKind.YES:
        return value.lstrip("<").lower().startswith(("http://", "https://"))
    if key != "telephones" or not _PHONE_NUMBER.fullmatch(value):
        return False
    return normalise(label) == "telephone" or not _COUNT.fullmatch(value)


def bare_label(line: str) -> str | None:
    """The key of the field if the line is only its label, without a colon; else None."""
    if len(line) > _LABEL_MAX + _ASIDE_MAX:
        return None
    words = line[_undecorated(line) :].strip(_SPACES + "*?")
    if "(" in words and _closing(words, words.find("(")) != len(words) - 1:
        return None  # words follow the parentheses
    return field_of(_without_aside(words)) if words else None


def is_heading(line: str) -> bool:
    """Whether a line asks for something like the seed's headings: "Select Plugins"."""
    return bool(heading_topic(normalise(line[_undecorated(line) :][:_LABEL_MAX])))


def has_open_parenthesis(line: str) -> bool:
    """Whether a line begins a label whose parenthesis closes on a later line."""
    start = _undecorated(line)
    head = line[start : start + _LABEL_MAX].lstrip("*")
    words, opened, _ = head.partition("(")
    labels = bool(opened) and not any(char in words for char in f"{_COLONS}\t|?") and field_of(words) is not None
    return labels and _closing(line, line.find("(", start)) is None


def is_numbered(line: str) -> bool:
    """Whether a line begins with its number in a list."""
    return bool(_NUMBERED.match(line.lstrip(_SPACES + ">")))


def is_list_entry(line: str) -> bool:
    """Whether a line is an entry of a list or a row with a box."""
    return bool(_LIST_ENTRY.match(line)) or bool(_BOX.match(line.lstrip(_BULLETS + "*-")))


def checkbox_row(line: str) -> tuple[bool, str] | None:
    """(ticked, words) of a row with one box, at its beginning; None for any other line."""
    bare = line.lstrip(_BULLETS.replace("□", "") + "*-")
    first = _BOX.match(bare)
    if first is None or _BOX.search(bare, first.end()):
        return None
    return _is_ticked(first), bare[first.end() :].strip(_SPACES)


def ticked_choices(value: str) -> str:
    """The words of the ticked rows, joined by commas; a value without boxes is returned unchanged.

    A ticked box without words is ``yes``, an empty one "".
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
