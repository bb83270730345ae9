"""Reads each kind of value: returns the value, or a ``Problem`` with what was read and what would be right. Never guesses."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from rapidfuzz import fuzz, process

from mailbot.core.base.address import plain_address
from mailbot.core.form.fields import FIELDS, normalise
from mailbot.core.form.problem import Code, Problem, either
from mailbot.core.form.request import Action
from mailbot.core.form.which_form import grace_reason_of, near_grace_reason
from mailbot.core.form.yes_no import yes_or_no

#: Largest count.
COUNT_MAX = 100_000
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
#: Numbers in words, 1 to 20 in five languages and the English tens: suggested, never taken.
_NUMBER_WORDS = {
    word: number
    for words in (
        "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty",
        "uno due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici quindici sedici diciassette diciotto diciannove venti",
        "eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn zwanzig",
        "un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept dix-huit dix-neuf vingt",
        "uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis diecisiete dieciocho diecinueve veinte",
    )
    for number, word in enumerate(words.split(), 1)
} | {word: 10 * number for number, word in enumerate(_TENS, 2)}
_TOKEN = re.compile(r"[\x21-\x7e]{8,128}")
_NUMBER = re.compile(r"([0-9]{1,400})(?: ?([a-z][a-z -]{0,40}))?")
_GROUPED = re.compile(r"[0-9]{1,3}(?:[.,' ][0-9]{3}){1,2}")
_QUOTES = " .,;\"'"
_NAMED_ADDRESS = re.compile(r"[^<>@]{0,200}<([^<>\s]+@[^<>\s]+)>")
#: Words after a count besides the name of the seats.
_TOTAL_WORDS = frozenset({"in total", "total", "altogether", "seats", "licenses"})
#: The seats in the other four languages.
_FOREIGN_UNITS = {
    "agents": {"concurrent", "agenti", "agente", "agenten", "agentes"},
    "mobile_agents": {"named"},
    "users": {"utenti", "utente", "benutzer", "nutzer", "utilisateurs", "utilisateur", "usuarios", "usuario"},
    "telephones": {"telefoni", "telefono", "telefone", "telefon", "téléphones", "téléphone", "teléfonos", "teléfono"},
}
#: What people add to the name of an option: "Voice plan".
_OPTION_SUFFIXES = {
    "plan": ("plan",), "support": ("support", "support package", "support plan", "package"), "billing": ("billing",),
    "addons": ("add on", "add ons", "addon"), "plugins": ("plugin", "plugins", "plug in"),
}  # fmt: skip
#: Other words for the name of an option.
_SYNONYMS = {
    "yearly": "annual",
    "annually": "annual",
    "per year": "annual",
    "per month": "monthly",
    "every month": "monthly",
}
#: The letter before a choice of the seed: "a. Expired License".
_CHOICE_LETTER = re.compile(r"^[a-e][.)] ")
_NUMBERED = re.compile(r"^[0-9]{1,2}[.)](?:\s+|$)")
_AND = re.compile(r"(?i)(?:^| +)(?:and|&|\+|e|ed|und|et|y)(?= )")
#: Most unknown names of a list that are reported.
_UNKNOWN_NAMES_MAX = 20
_BETWEEN_NAMES = re.compile(r"[,;\n\t|•·▪●]")


def read_token(field: str, raw: str) -> str | Problem:
    """A token: 8 to 128 printable ASCII characters without spaces, its case kept."""
    if _TOKEN.fullmatch(raw):
        return raw
    return Problem(field=field, code=Code.TOKEN_MALFORMED, read=raw, expected="expected.token")


def read_yes_no(field: str, raw: str) -> bool | Problem:
    """Yes or no in five languages; for ``accept`` also agreement in words."""
    said = yes_or_no(raw, agreeing=field == "accept")
    if said is not None:
        return said
    return Problem(field=field, code=Code.UNKNOWN_VALUE, read=raw, expected="expected.yes_or_no")


def read_number(field: str, raw: str, least: int = 0) -> int | Problem:
    """A whole number of at least ``least`` in ASCII digits; only the name of the seats may follow ("10 agents")."""
    word = normalise(raw).strip(_QUOTES)
    match = _NUMBER.fullmatch(_without_aside(word, _units(field)))
    if match is None or (match[2] and match[2].strip() not in _units(field)):
        hint = re.sub("[^0-9]", "", word) if _GROUPED.fullmatch(word) else _digits_of_words(word, _units(field))
        return Problem(field=field, code=Code.NOT_A_NUMBER, read=raw, expected="expected.total", hint=hint)
    count = int(match[1])
    if not least <= count <= COUNT_MAX:
        return Problem(field=field, code=Code.OUT_OF_RANGE, read=raw, expected=f"{least}-{COUNT_MAX}")
    return count


def _without_aside(word: str, units: frozenset[str]) -> str:
    """The count without parentheses that only repeat it in words or name the seats: "12 (twelve)"."""
    count, opened, aside = word.partition(" (")
    if not (opened and aside.endswith(")")):
        return word
    again = aside[:-1].strip()
    if again.isdecimal() and _digits_of_words(count, units) == again:
        return again
    return count if again in units or _digits_of_words(again, units) == count.partition(" ")[0] else word


def _digits_of_words(word: str, units: frozenset[str]) -> str:
    """The digits of a number in words ("ten agents", "twenty-five"); "" if it is anything else."""
    first, _, rest = word[:80].partition(" ")
    tens, _, ones = first.partition("-")
    if first in _TENS and _NUMBER_WORDS.get(rest, 10) < 10:  # "twenty five"
        return str(_NUMBER_WORDS[first] + _NUMBER_WORDS[rest])
    if rest and rest not in units:
        return ""
    if tens in _TENS and _NUMBER_WORDS.get(ones, 10) < 10:
        return str(_NUMBER_WORDS[tens] + _NUMBER_WORDS[ones])
    return str(_NUMBER_WORDS.get(first, ""))


def _units(field: str) -> frozenset[str]:
    """The words for what a field counts."""
    names = {normalise(name) for name in (FIELDS[field].label, *FIELDS[field].aliases) if " of " not in name}
    return frozenset(
        names | {name.removesuffix("s") for name in names} | _TOTAL_WORDS | _FOREIGN_UNITS.get(field, set())
    )


def read_email(field: str, raw: str) -> str | Problem:
    """One plain address, alone or after its owner's name."""
    owned = _NAMED_ADDRESS.fullmatch(raw.strip())
    address = plain_address(owned[1] if owned else raw.strip("<> "))
    return address or Problem(field=field, code=Code.UNKNOWN_VALUE, read=raw, expected="expected.email")


def read_option(
    field: str, raw: str, labels: Mapping[str, str], unoffered: Mapping[str, str] | None = None
) -> str | Problem:
    """The key of an option, by key or label. ``unoffered`` options are accepted too, but never suggested."""
    names = {normalise(name): key for key, label in labels.items() for name in (key, label)}
    hidden = {normalise(name): key for key, label in (unoffered or {}).items() for name in (key, label)}
    word = _CHOICE_LETTER.sub("", normalise(raw)).strip(_QUOTES)
    word = _SYNONYMS.get(word, word)
    known = exact_option(field, word, {**hidden, **names})
    if known:
        return known
    near = word and process.extractOne(word[:200], names.keys(), score_cutoff=70)
    best = max(names, key=lambda name: _likeness(word[:200], name)) if near else ""
    other = any(f" {name} " in f" {word} " for name in names if name not in best)  # "from monthly to annual"
    hint = labels[names[best]] if best and not other else ""
    return Problem(field=field, code=Code.UNKNOWN_VALUE, read=raw, expected=either(labels.values()), hint=hint)


def _likeness(word: str, name: str) -> float:
    """How alike the two are, in percent, with their words in any order."""
    return max(fuzz.ratio(word, name), fuzz.token_sort_ratio(word, name))


def exact_option(field: str, word: str, names: Mapping[str, str]) -> str | None:
    """The key of the option with that name. Dashes equal spaces, and "Voice plan" equals "Voice"."""
    if word in names:
        return names[word]
    plain = word.replace("-", " ")
    bare = {plain, *(plain.removesuffix(f" {name}") for name in _OPTION_SUFFIXES.get(field, ()))}
    found = {key for name, key in names.items() if name.replace("-", " ") in bare}
    return found.pop() if len(found) == 1 else None


def read_options(
    field: str, raw: str, labels: Mapping[str, str], unoffered: Mapping[str, str] | None = None
) -> tuple[tuple[str, ...], tuple[Problem, ...]]:
    """(keys of the listed options in the catalogue's order, a problem for each unknown one, at most 20)."""

    def known(name: str) -> bool:
        return isinstance(read_option(field, name, labels, unoffered), str)

    found = [read_option(field, name, labels, unoffered) for name in _listed_names(raw, known)]
    keys = {key for key in found if isinstance(key, str)}
    faults = {problem.read: problem for problem in found if isinstance(problem, Problem)}
    return tuple(key for key in {**labels, **(unoffered or {})} if key in keys), tuple(faults.values())[
        :_UNKNOWN_NAMES_MAX
    ]


def _listed_names(raw: str, known: Callable[[str], bool]) -> list[str]:
    """The names in a list, separated by commas, semicolons, bullets, cells, lines, or "and" between known ones."""
    names = [
        _NUMBERED.sub("", name.strip(" -*\u00a0"))
        for piece in _BETWEEN_NAMES.split(raw)
        for name in _split_at_and(piece, known)
    ]
    chosen = [_accepted_name(name, known) for name in names]
    return [name for name in chosen if name and normalise(name) not in ("none", "no", "-")]


def _accepted_name(name: str, known: Callable[[str], bool]) -> str:
    """The name in "Botify: yes", "" for "Botify: no"; any other name unchanged."""
    option, colon, answer = name.partition(":")
    wanted = yes_or_no(answer) if colon and known(option) else None
    return name if wanted is None else option if wanted else ""


def _split_at_and(piece: str, known: Callable[[str], bool]) -> list[str]:
    """The names that an "and" joins, if all are known; else the piece unchanged."""
    names = [name for name in _AND.split(piece) if name.strip()]
    return names if len(names) > 1 and all(map(known, names)) else [piece]


def read_product(raw: str, products: Mapping[str, str], vendor: str) -> str | Problem:
    """The key of a product, by key or label, with or without the vendor's name before it."""
    bare = re.sub(rf"^{re.escape(normalise(vendor))} ", "", normalise(raw))
    found = read_option("product", bare, products)
    return found if isinstance(found, str) else replace(found, read=raw)


def read_reason(raw: str, labels: Mapping[str, str]) -> str:
    """The key of a known reason, else ``other: text``."""
    found = read_option("reason", raw, labels)
    return found if isinstance(found, str) else _other(raw)


def read_grace_reason(raw: str, labels: Mapping[str, str]) -> str | Problem:
    """The key of a grace period reason, else ``other: text``. A misspelt one is a problem: it decides which form it is."""
    found = read_option("reason", raw, labels)
    if isinstance(found, str):
        return found
    near = near_grace_reason(raw)
    if near:
        return replace(found, hint=near)
    known = grace_reason_of(raw)
    return known.value if known in (Action.EXPIRED, Action.TOKEN_CHANGE) else _other(raw)


def _other(raw: str) -> str:
    text = raw.strip()
    return text if normalise(text).startswith("other:") else f"other: {text}"
