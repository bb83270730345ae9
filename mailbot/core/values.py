"""How each kind of value is read: a value, or the Problem that says what was read and what would be right. No guessing."""

import re
from collections.abc import Mapping

from rapidfuzz import process

from mailbot.core.address import strict
from mailbot.core.catalogue import Catalogue
from mailbot.core.forms import normal
from mailbot.core.problem import Code, Problem

#: No count may be larger.
MOST = 100_000
_YES = frozenset(
    {"yes", "y", "si", "sì", "ja", "oui", "sí", "ok", "true", "x", "[x]", "i accept", "i agree", "accepted"}
)
_NO = frozenset({"no", "n", "nein", "non", "false", "[ ]"})
_TOKEN = re.compile(r"[\x21-\x7e]{8,128}")
_NUMBER = re.compile(r"([0-9]{1,9})(?: +[a-zA-Z][a-zA-Z -]{0,40})?")


def token(field: str, raw: str) -> str | Problem:
    """8 to 128 visible ASCII characters without a space, case kept."""
    if _TOKEN.fullmatch(raw):
        return raw
    return Problem(
        field=field, code=Code.TOKEN_MALFORMED, read=raw, expected="8 to 128 letters, digits and signs without spaces"
    )


def yes(field: str, raw: str) -> bool | Problem:
    """Yes or no, in five languages."""
    word = normal(raw).strip(" .!")
    if word in _YES:
        return True
    if word in _NO:
        return False
    return Problem(field=field, code=Code.UNKNOWN_VALUE, read=raw, expected="yes or no")


def number(field: str, raw: str, least: int = 0) -> int | Problem:
    """A whole number in ASCII digits, with or without a word behind it ("10 agents")."""
    match = _NUMBER.fullmatch(raw.strip(" ."))
    if match is None:
        return Problem(field=field, code=Code.NOT_A_NUMBER, read=raw, expected="a whole number in digits, such as 10")
    count = int(match[1])
    if not least <= count <= MOST:
        return Problem(field=field, code=Code.OUT_OF_RANGE, read=raw, expected=f"at least {least} and at most {MOST}")
    return count


def email(field: str, raw: str) -> str | Problem:
    """One plain address."""
    address = strict(raw.strip("<> "))
    return address or Problem(field=field, code=Code.UNKNOWN_VALUE, read=raw, expected="one e-mail address")


def option(field: str, raw: str, labels: Mapping[str, str]) -> str | Problem:
    """The key of one of those options, by key or label."""
    names = {normal(name): key for key, label in labels.items() for name in (key, label)}
    word = normal(raw).strip(" .")
    if word in names:
        return names[word]
    near = process.extractOne(word, names.keys(), score_cutoff=70)
    hint = labels[names[near[0]]] if near else ""
    return Problem(field=field, code=Code.UNKNOWN_VALUE, read=raw, expected=", ".join(labels.values()), hint=hint)


def options(field: str, raw: str, labels: Mapping[str, str]) -> tuple[tuple[str, ...], tuple[Problem, ...]]:
    """The keys of a list of options in the catalogue's order, and a problem for each that is not known."""
    found = [option(field, name, labels) for name in _listed(raw)]
    keys = {key for key in found if isinstance(key, str)}
    return tuple(key for key in labels if key in keys), tuple(p for p in found if isinstance(p, Problem))


def _listed(raw: str) -> list[str]:
    """The names of a list: by commas, semicolons or lines; of ``[x]`` rows only the ticked ones; "none" is none."""
    names = [name.strip(" -*•·\t") for name in re.split(r"[,;\n]", raw)]
    if any(name.lower().startswith("[x]") for name in names):
        names = [name for name in names if name.lower().startswith("[x]")]
    names = [re.sub(r"^\[[xX ]?\]\s*", "", name) for name in names if not name.startswith(("[ ]", "[]"))]
    return [name for name in names if name and normal(name) not in ("none", "no", "-")]


def reason(raw: str, labels: Mapping[str, str]) -> str:
    """The key of a known reason, else ``other: text``."""
    found = option("reason", raw, labels)
    return found if isinstance(found, str) else f"other: {raw.strip()}"


def labels_of(field: str, catalogue: Catalogue) -> dict[str, str]:
    """The choices of an option field, key -> label."""
    choices: Mapping[str, object] = {
        "plan": catalogue.plans,
        "support": catalogue.support,
        "billing": catalogue.billing,
        "addons": catalogue.addons,
        "plugins": {p.key: p for p in catalogue.askable_plugins()},
    }[field]
    return {key: str(choice.label) for key, choice in choices.items()}  # type: ignore[attr-defined]
