"""Values in the prose that seem to belong to a field but have none of its labels: asked about, never taken."""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from mailbot.core.form.fields import FIELDS, field_of, normalise
from mailbot.core.form.labels import checkbox_row, read_label, ticked_choices
from mailbot.core.form.values import exact_option
from mailbot.core.form.yes_no import yes_or_no

#: A longer line is a sentence, in characters.
_LINE_MAX = 80
_WORD = re.compile(r"[a-z]+")
#: The seats that no visiting card and no signature counts.
_SEATS = ("mobile_agents", "agents", "users")
#: Words for a count of today, not the requested one.
_PRESENT = frozenset(
    {"current", "currently", "today", "now", "existing", "present", "actual", "old", "previous", "before"}
)


class NearMiss(NamedTuple):
    """What was ``read``, and how the field ``expected`` it."""

    read: str
    expected: str


def choice_in_prose(field: str, lines: Sequence[str], labels: Mapping[str, str]) -> NearMiss | None:
    """The choices of a list that lines say yes to by name ("Botify: yes", "[x] Botify"): the first line, and all as one."""
    said = [(line, key) for line in lines if len(line) <= _LINE_MAX and (key := _accepted_choice(field, line, labels))]
    names = dict.fromkeys(labels[key] for _, key in said)
    return NearMiss(said[0][0], f"{FIELDS[field].label}: {', '.join(names)}") if said else None


def _accepted_choice(field: str, line: str, labels: Mapping[str, str]) -> str | None:
    row, found = checkbox_row(line), read_label(line)
    name = row[1] if row and row[0] else found.label if found and yes_or_no(ticked_choices(found.value)) else ""
    names = {normalise(one): key for key, label in labels.items() for one in (key, label)}
    return exact_option(field, normalise(name), names) if name else None


def count_in_prose(field: str, lines: Sequence[str]) -> NearMiss | None:
    """The label of the first line that counts these seats under a longer name ("Additional agents: 2"), and the field's."""
    for line in lines:
        found = read_label(line) if len(line) <= _LINE_MAX else None
        if found and found.value.isdecimal() and _counted_seats(found.label) == field:
            return NearMiss(found.label, FIELDS[field].label)
    return None


def _counted_seats(label: str) -> str | None:
    words = _WORD.findall(normalise(label))
    if _PRESENT.intersection(words):
        return None
    pairs = [*pairwise(words), *((word,) for word in words)]
    named = {key for pair in pairs if (key := field_of(" ".join(pair)))}
    return next((key for key in _SEATS if key in named), None)
