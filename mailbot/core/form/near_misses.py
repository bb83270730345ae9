"""Lines under no label of a form that are meant for a field of it all the same: they are asked about, never taken."""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from mailbot.core.form.fields import FIELDS, field_of, normal
from mailbot.core.form.labels import box_row, labelled, ticked
from mailbot.core.form.values import exact
from mailbot.core.form.yes_no import yes_or_no

#: A longer line is a sentence.
_LONGEST = 80
_WORD = re.compile(r"[a-z]+")
#: The seats that no visiting card and no signature counts.
_COUNTED = ("mobile_agents", "agents", "users")
#: Say that a count is not what is asked for.
_TODAY = frozenset(
    {"current", "currently", "today", "now", "existing", "present", "actual", "old", "previous", "before"}
)


def chosen(field: str, lines: Sequence[str], labels: Mapping[str, str]) -> tuple[str, str] | None:
    """The first line that says yes to a choice of a list by its own name ("Botify: yes", "[x] Botify"), and all those
    choices as the field's line; None where there is none.
    """  # noqa: D205 - one thought
    said = [(line, key) for line in lines if len(line) <= _LONGEST and (key := _yes_to(field, line, labels))]
    names = dict.fromkeys(labels[key] for _, key in said)
    return (said[0][0], f"{FIELDS[field].label}: {', '.join(names)}") if said else None


def _yes_to(field: str, line: str, labels: Mapping[str, str]) -> str | None:
    row, found = box_row(line), labelled(line)
    name = row[1] if row and row[0] else found.label if found and yes_or_no(ticked(found.value)) else ""
    names = {normal(one): key for key, label in labels.items() for one in (key, label)}
    return exact(field, normal(name), names) if name else None


def counted(field: str, lines: Sequence[str]) -> tuple[str, str] | None:
    """The label of the first line that counts such seats under a longer name ("Additional agents: 2"), and the field's; else None."""
    for line in lines:
        found = labelled(line) if len(line) <= _LONGEST else None
        if found and found.value.isdecimal() and _seats_of(found.label) == field:
            return found.label, FIELDS[field].label
    return None


def _seats_of(label: str) -> str | None:
    words = _WORD.findall(normal(label))
    if _TODAY.intersection(words):
        return None
    pairs = [*pairwise(words), *((word,) for word in words)]
    named = {key for pair in pairs if (key := field_of(" ".join(pair)))}
    return next((key for key in _COUNTED if key in named), None)
