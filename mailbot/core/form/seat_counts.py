"""Counts of seats as the seed's headings ask for them, several on a line or a name above its new quantity: one line for each."""

from collections.abc import Iterable, Sequence
from re import compile as pattern

from mailbot.core.base.characters import INVISIBLE_AROUND
from mailbot.core.catalogue.item_kinds import SEATS
from mailbot.core.form.fields import FIELDS, field_of, heading_topic, normalise
from mailbot.core.form.labels import MailLine

#: Labels above or before the names of seats.
_SEATS_LABELS = frozenset({"accounts", "number of agents, users, telephones and mobile agents", "items", "licenses"})
_BETWEEN_COUNTS = pattern(r"[,;]| and ")
_COUNTS_MAX = 50
_SPACES = " \t\n\u00a0\u2007\u202f" + INVISIBLE_AROUND


def split_counts(lines: Sequence[MailLine], at: int) -> list[str]:
    """A line for each count of "Accounts: 12 agents, 3 users"; [] if the line holds no counts.

    Also for a "New quantity: 12" below the name of a seat.
    """
    if at and (one := _count_below_name(lines[at - 1], lines[at])):
        return one
    found = lines[at].labelled if _may_be_labelled(lines[at], _SEATS_LABELS) else None
    if found is None or _topic(found.label) not in _SEATS_LABELS or not found.value:
        return []
    pieces = _BETWEEN_COUNTS.split(found.value, _COUNTS_MAX)
    if len(pieces) > _COUNTS_MAX:
        return []
    counts = [_field_and_count(piece) for piece in pieces if piece.strip()]
    return [f"{FIELDS[key].label}: {number}" for key, number in filter(None, counts)] if all(counts) else []


def names_seat_below(line: MailLine, below: MailLine) -> bool:
    """Whether a line names the seat whose new quantity is on the line below it."""
    return bool(_count_below_name(line, below))


def _count_below_name(name: MailLine, quantity: MailLine) -> list[str]:
    """One line for a seat named above its new quantity; [] if these are no such lines."""
    if not _may_be_labelled(quantity, {"new quantity"}):
        return []
    above, below = name.labelled, quantity.labelled
    if above is None or below is None or _topic(above.label) not in _SEATS_LABELS:
        return []
    key = field_of(above.value.strip(_SPACES + ".\"'")) if _topic(below.label) == "new quantity" else None
    return [f"{FIELDS[key].label}: {below.value}"] if key in SEATS else []


def _may_be_labelled(line: str, names: Iterable[str]) -> bool:
    """Whether one of the labels is in the line; a cheap test before it is read."""
    words = line[:200].lower()
    return any(name in words for name in names)


def _topic(label: str) -> str:
    words = normalise(label).strip(" *\"'")
    return heading_topic(words) or words


def _field_and_count(piece: str) -> tuple[str, str] | None:
    """(field, digits) of "12 agents", "agents 12" or "agents: 12"."""
    words = piece.strip(_SPACES + ".").replace(":", " ").replace("=", " ").split()
    for digits, name in ((words[:1], words[1:]), (words[-1:], words[:-1])):
        key = field_of(" ".join(name)) or field_of(" ".join(name) + "s")
        if digits and digits[0].isdecimal() and key in SEATS:
            return str(key), digits[0]
    return None
