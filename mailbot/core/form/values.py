"""How each kind of value is read: a value, or the Problem that says what was read and what would be right. No guessing."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from rapidfuzz import fuzz, process

from mailbot.core.base.address import plain_address
from mailbot.core.catalogue.contents import Catalogue
from mailbot.core.form.fields import FIELDS, FORMS, FieldKind, Form, normal
from mailbot.core.form.problem import Code, Problem, either
from mailbot.core.form.request_kinds import RequestKind
from mailbot.core.form.which_form import grace_of, nearly_grace
from mailbot.core.form.yes_no import yes_or_no

#: No count may be larger.
MOST = 100_000
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
#: Numbers in words, 1 to 20 in five languages and the English tens: they are hints, never counts.
_IN_WORDS = {
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
_ADDRESSED = re.compile(r"[^<>@]{0,200}<([^<>\s]+@[^<>\s]+)>")
#: What may stand behind a count beside the name of what is counted.
_ALTOGETHER = frozenset({"in total", "total", "altogether", "seats", "licenses"})
#: What the seats are called in the other four languages.
_ABROAD = {
    "agents": {"concurrent", "agenti", "agente", "agenten", "agentes"},
    "mobile_agents": {"named"},
    "users": {"utenti", "utente", "benutzer", "nutzer", "utilisateurs", "utilisateur", "usuarios", "usuario"},
    "telephones": {"telefoni", "telefono", "telefone", "telefon", "téléphones", "téléphone", "teléfonos", "teléfono"},
}
#: What people write behind the name of an option, by field.
_OWN_WORDS = {
    "plan": ("plan",), "support": ("support", "support package", "support plan", "package"), "billing": ("billing",),
    "addons": ("add on", "add ons", "addon"), "plugins": ("plugin", "plugins", "plug in"),
}  # fmt: skip
#: Two words for one thing, where only one of them is a name of an option.
_SAME = {
    "yearly": "annual",
    "annually": "annual",
    "per year": "annual",
    "per month": "monthly",
    "every month": "monthly",
}
#: The letter before a choice of the seed: "a. Expired License".
_LETTER = re.compile(r"^[a-e][.)] ")
_NUMBERED = re.compile(r"^[0-9]{1,2}[.)](?:\s+|$)")
_AND = re.compile(r"(?i)(?:^| +)(?:and|&|\+|e|ed|und|et|y)(?= )")
_LOG = "attach it to your mail: .log, .txt, .json, .gz or .zip"
_BETWEEN = re.compile(r"[,;\n\t|•·▪●]")


def token_value(field: str, raw: str) -> str | Problem:
    """8 to 128 visible ASCII characters without a space, case kept."""
    if _TOKEN.fullmatch(raw):
        return raw
    return Problem(field=field, code=Code.TOKEN_MALFORMED, read=raw, expected="expected.token")


def yes(field: str, raw: str) -> bool | Problem:
    """Yes or no, in five languages; the agreement may also be agreed to in words."""
    said = yes_or_no(raw, agreeing=field == "accept")
    if said is not None:
        return said
    return Problem(field=field, code=Code.UNKNOWN_VALUE, read=raw, expected="expected.yes_or_no")


def number(field: str, raw: str, least: int = 0) -> int | Problem:
    """A whole number in ASCII digits, with nothing behind it but the name of what is counted ("10 agents")."""
    word = normal(raw).strip(_QUOTES)
    match = _NUMBER.fullmatch(_without_aside(word, _units(field)))
    if match is None or (match[2] and match[2].strip() not in _units(field)):
        hint = re.sub("[^0-9]", "", word) if _GROUPED.fullmatch(word) else _in_digits(word, _units(field))
        return Problem(field=field, code=Code.NOT_A_NUMBER, read=raw, expected="expected.total", hint=hint)
    count = int(match[1])
    if not least <= count <= MOST:
        return Problem(field=field, code=Code.OUT_OF_RANGE, read=raw, expected=f"{least}-{MOST}")
    return count


def _without_aside(word: str, units: frozenset[str]) -> str:
    """The count of two that say the same, one of them in parentheses, in words or with what is counted: "12 (twelve)"."""
    count, opened, aside = word.partition(" (")
    if not (opened and aside.endswith(")")):
        return word
    again = aside[:-1].strip()
    if again.isdecimal() and _in_digits(count, units) == again:
        return again
    return count if again in units or _in_digits(again, units) == count.partition(" ")[0] else word


def _in_digits(word: str, units: frozenset[str]) -> str:
    """The digits of a number in words ("ten agents", "twenty-five"), "" where it is none or more is said."""
    first, _, rest = word[:80].partition(" ")
    tens, _, ones = first.partition("-")
    if first in _TENS and _IN_WORDS.get(rest, 10) < 10:  # "twenty five"
        return str(_IN_WORDS[first] + _IN_WORDS[rest])
    if rest and rest not in units:
        return ""
    if tens in _TENS and _IN_WORDS.get(ones, 10) < 10:
        return str(_IN_WORDS[tens] + _IN_WORDS[ones])
    return str(_IN_WORDS.get(first, ""))


def _units(field: str) -> frozenset[str]:
    """What a field counts, in one word or two: its label and aliases."""
    names = {normal(name) for name in (FIELDS[field].label, *FIELDS[field].aliases) if " of " not in name}
    return frozenset(names | {name.removesuffix("s") for name in names} | _ALTOGETHER | _ABROAD.get(field, set()))


def email(field: str, raw: str) -> str | Problem:
    """One plain address, as such or behind its owner's name."""
    owned = _ADDRESSED.fullmatch(raw.strip())
    address = plain_address(owned[1] if owned else raw.strip("<> "))
    return address or Problem(field=field, code=Code.UNKNOWN_VALUE, read=raw, expected="expected.email")


def option(
    field: str, raw: str, labels: Mapping[str, str], unoffered: Mapping[str, str] | None = None
) -> str | Problem:
    """The key of one of those options, by key or label; ``unoffered`` ones are known too, and never suggested."""
    names = {normal(name): key for key, label in labels.items() for name in (key, label)}
    hidden = {normal(name): key for key, label in (unoffered or {}).items() for name in (key, label)}
    word = _LETTER.sub("", normal(raw)).strip(_QUOTES)
    word = _SAME.get(word, word)
    known = exact(field, word, {**hidden, **names})
    if known:
        return known
    near = word and process.extractOne(word[:200], names.keys(), score_cutoff=70)
    best = max(names, key=lambda name: _likeness(word[:200], name)) if near else ""
    other = any(f" {name} " in f" {word} " for name in names if name not in best)  # "from monthly to annual"
    hint = labels[names[best]] if best and not other else ""
    return Problem(field=field, code=Code.UNKNOWN_VALUE, read=raw, expected=either(labels.values()), hint=hint)


def _likeness(word: str, name: str) -> float:
    """How like a name a word is, its parts in either order."""
    return max(fuzz.ratio(word, name), fuzz.token_sort_ratio(word, name))


def exact(field: str, word: str, names: Mapping[str, str]) -> str | None:
    """The key of the option with that name; a dash is as good as a space, and "Voice plan" as good as "Voice"."""
    if word in names:
        return names[word]
    plain = word.replace("-", " ")
    bare = {plain, *(plain.removesuffix(f" {name}") for name in _OWN_WORDS.get(field, ()))}
    found = {key for name, key in names.items() if name.replace("-", " ") in bare}
    return found.pop() if len(found) == 1 else None


def options(
    field: str, raw: str, labels: Mapping[str, str], unoffered: Mapping[str, str] | None = None
) -> tuple[tuple[str, ...], tuple[Problem, ...]]:
    """The keys of a list of options in the catalogue's order, and a problem for each that is not known."""

    def known(name: str) -> bool:
        return isinstance(option(field, name, labels, unoffered), str)

    found = [option(field, name, labels, unoffered) for name in _listed(raw, known)]
    keys = {key for key in found if isinstance(key, str)}
    faults = {problem.read: problem for problem in found if isinstance(problem, Problem)}
    return tuple(key for key in {**labels, **(unoffered or {})} if key in keys), tuple(faults.values())[:MOST_NAMED]


#: So many unknown names of a list are told.
MOST_NAMED = 20


def _listed(raw: str, known: Callable[[str], bool]) -> list[str]:
    """The names of a list: by commas, semicolons, bullets, cells or lines, or by "and" between known ones; "none" is none."""
    names = [
        _NUMBERED.sub("", name.strip(" -*\u00a0")) for piece in _BETWEEN.split(raw) for name in _joined(piece, known)
    ]
    chosen = [_unless_no(name, known) for name in names]
    return [name for name in chosen if name and normal(name) not in ("none", "no", "-")]


def _unless_no(name: str, known: Callable[[str], bool]) -> str:
    """The known option of "Botify: yes", "" of "Botify: no", and any other name as it is."""
    option_, colon, said = name.partition(":")
    wanted = yes_or_no(said) if colon and known(option_) else None
    return name if wanted is None else option_ if wanted else ""


def _joined(piece: str, known: Callable[[str], bool]) -> list[str]:
    """The two or more names that an "and" joins, where each is a known one; else the piece as it is."""
    names = [name for name in _AND.split(piece) if name.strip()]
    return names if len(names) > 1 and all(map(known, names)) else [piece]


def product(raw: str, products: Mapping[str, str], vendor: str) -> str | Problem:
    """The key of a product, by key or label, with the vendor's name before it or without."""
    bare = re.sub(rf"^{re.escape(normal(vendor))} ", "", normal(raw))
    found = option("product", bare, products)
    return found if isinstance(found, str) else replace(found, read=raw)


def reason_value(raw: str, labels: Mapping[str, str]) -> str:
    """The key of a known reason, else ``other: text``."""
    found = option("reason", raw, labels)
    return found if isinstance(found, str) else _other(raw)


def grace_reason(raw: str, labels: Mapping[str, str]) -> str | Problem:
    """The key of a grace period reason, else ``other: text``; a misspelt one is asked about, as it needs other lines."""
    found = option("reason", raw, labels)
    if isinstance(found, str):
        return found
    near = nearly_grace(raw)
    if near:
        return replace(found, hint=near)
    known = grace_of(raw)
    return known if known in ("expired", "token_change") else _other(raw)


def _other(raw: str) -> str:
    text = raw.strip()
    return text if normal(text).startswith("other:") else f"other: {text}"


def unoffered(field: str, catalogue: Catalogue) -> dict[str, str]:
    """The choices of a field that a form does not offer, as they come by themselves: implied plugins, key -> label."""
    return {p.key: p.label for p in catalogue.plugins.values() if p.implied_by} if field == "plugins" else {}


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


def choices(field: str, form: Form, catalogue: Catalogue) -> str:
    """What may stand on the line of a field, as a blank form shows it; "" where its label says enough."""
    match FIELDS[field].kind:
        case FieldKind.YES:
            return "yes / no"
        case FieldKind.OPTION:
            return " / ".join(labels_of(field, catalogue).values())
        case FieldKind.OPTIONS:
            return "any of " + ", ".join(labels_of(field, catalogue).values())
        case FieldKind.ACTION:
            return " / ".join(str(a).capitalize() for r, a in FORMS if r is form.request)
        case FieldKind.REASON if form.request is RequestKind.REACTIVATE:
            return " / ".join(catalogue.reasons.get("reactivate", {}).values())
        case FieldKind.REASON if form.action:
            return " / ".join([*catalogue.reasons.get(form.action, {}).values(), "or your own words"])
        case FieldKind.NUMBER:
            return _counted(field, form, catalogue)
        case FieldKind.FILE:
            return _LOG
        case _:
            return ""


def _counted(field: str, form: Form, catalogue: Catalogue) -> str:
    seat = catalogue.seats.get(field)
    notes = [seat.note] if seat and seat.note else []
    return ", ".join(["the new total", *notes] if form.request is RequestKind.MODIFY else notes)


def wanted(field: str, form: Form, catalogue: Catalogue) -> str:
    """What belongs on a line that is missing."""
    kind = FIELDS[field].kind
    free = {FieldKind.TOKEN: "expected.token", FieldKind.TEXT: "expected.company"}
    return free.get(kind) or choices(field, form, catalogue) or "expected.own_words"
