"""Counts as the seed's headings ask for them: several on one line, or a name above its new quantity. Made one line each."""

from collections.abc import Iterable, Sequence
from re import compile as pattern

from mailbot.core.base.characters import INVISIBLE_AROUND
from mailbot.core.catalogue.item_kinds import SEATS
from mailbot.core.form.fields import FIELDS, asked_for, field_of, normal
from mailbot.core.form.labels import MailLine

_ACCOUNTS = frozenset({"accounts", "number of agents, users, telephones and mobile agents", "items", "licenses"})
_PIECES = pattern(r"[,;]| and ")
#: A line with more counts is no list of them.
_MOST = 50
_SPACES = " \t\n\u00a0\u2007\u202f" + INVISIBLE_AROUND


def accounts(lines: Sequence[MailLine], at: int) -> list[str]:
    """A line for each count of "Accounts: 12 agents, 3 users"; the count may stand on a line of its own below one name."""
    if at and (one := _quantity(lines[at - 1], lines[at])):
        return one
    found = lines[at].labelled if _may_name(lines[at], _ACCOUNTS) else None
    if found is None or _asked(found.label) not in _ACCOUNTS or not found.value:
        return []
    pieces = _PIECES.split(found.value, _MOST)
    if len(pieces) > _MOST:
        return []
    counts = [_count(piece) for piece in pieces if piece.strip()]
    return [f"{FIELDS[key].label}: {number}" for key, number in filter(None, counts)] if all(counts) else []


def _quantity(names: MailLine, quantity: MailLine) -> list[str]:
    """The line of the one seat that is named above its new quantity; empty where these are no such lines."""
    if not _may_name(quantity, {"new quantity"}):
        return []
    above, below = names.labelled, quantity.labelled
    if above is None or below is None or _asked(above.label) not in _ACCOUNTS or _asked(below.label) != "new quantity":
        return []
    key = field_of(above.value.strip(_SPACES + ".\"'"))
    return [f"{FIELDS[key].label}: {below.value}"] if key in SEATS else []


def _may_name(line: str, names: Iterable[str]) -> bool:
    """Whether a line may be labelled so, by its words alone."""
    words = line[:200].lower()
    return any(name in words for name in names)


def _asked(label: str) -> str:
    words = normal(label).strip(" *\"'")
    return asked_for(words) or words


def _count(piece: str) -> tuple[str, str] | None:
    """(field, digits) of "12 agents", "agents 12" or "agents: 12"."""
    words = piece.strip(_SPACES + ".").replace(":", " ").replace("=", " ").split()
    for digits, name in ((words[:1], words[1:]), (words[-1:], words[:-1])):
        key = field_of(" ".join(name)) or field_of(" ".join(name) + "s")
        if digits and digits[0].isdecimal() and key in SEATS:
            return str(key), digits[0]
    return None


def names_alone(line: MailLine, below: MailLine) -> bool:
    """Whether a line names the seat whose new quantity stands on the line below it."""
    return bool(_quantity(line, below))
