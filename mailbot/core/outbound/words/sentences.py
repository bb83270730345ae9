"""Items, values and problems in words, from the catalogue's labels and the language's sentences."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol, assert_never

from mailbot.core.catalogue.contents import Addon, Catalogue, Plugin, Seat
from mailbot.core.catalogue.item_kinds import ItemKey, ItemKind, item_key
from mailbot.core.desk.ticket import Item
from mailbot.core.form.fields import normalise
from mailbot.core.form.problem import OR, Problem
from mailbot.core.ledger.licence import Value

#: Characters of a wrong value that are shown.
READ_MAX = 300


class Words(Protocol):
    """The sentences of one language, as nested tables of ``sentences.toml``."""

    sentences: Mapping[str, Any]


def item_label(item: str, catalogue: Catalogue, words: Words) -> str:
    """The name of an item or of a term of the ledger."""
    found = item_key(item)
    entry = _entry(found, catalogue) if found else None
    return entry.label if entry else str(words.sentences["item"].get(item, item))


def _entry(item: ItemKey, catalogue: Catalogue) -> Seat | Addon | Plugin | None:
    """The catalogue's entry of a seat, add-on or plugin; None for other items."""
    match item.kind:
        case ItemKind.SEAT:
            return catalogue.seats.get(item.key)
        case ItemKind.ADDON:
            return catalogue.addons.get(item.key)
        case ItemKind.PLUGIN:
            return catalogue.plugins.get(item.key)
        case ItemKind.ADMIN | ItemKind.PLAN | ItemKind.WEBRTC | ItemKind.PHONEBAR | ItemKind.SUPPORT:
            return None
        case ItemKind.BILLING | ItemKind.WHITELABEL | ItemKind.TOKEN | ItemKind.STATUS:
            return None
        case kind:
            assert_never(kind)


def value_word(item: str, value: Value, catalogue: Catalogue, words: Words) -> str:
    """A value in words."""
    if value is None:
        return str(words.sentences["none"])
    if isinstance(value, bool):
        return str(words.sentences["yes" if value else "no"])
    options: Mapping[str, Any] = {
        "plan": catalogue.plans,
        "support": catalogue.support,
        "billing": catalogue.billing,
    }.get(item, {})
    return str(options[str(value)].label) if str(value) in options else str(value)


def item_names(items: Iterable[Item], catalogue: Catalogue, words: Words) -> dict[str, ItemKey]:
    """Every name, in lower case, that a decision can use for one of the items, with the key of that item."""
    names: dict[str, ItemKey] = {}
    for item in items:
        text = item_label(item.item, catalogue, words)
        bare = item.item.key
        for name in (item.item, text, bare, item.item.replace("_", " ")):
            if name:
                names[name.lower()] = item.item
                names[normalise(name)] = item.item
    return names


def problem_sentence(problem: Problem, words: Words, *, quiet: bool = False) -> str:
    """The sentence of a problem; with ``quiet`` it quotes nothing that the sender wrote.

    "CODE_FIELD" or "CODE_EXPECTED" (the status of a licence) is used where there is such a sentence, else "CODE".
    """
    sentences = words.sentences["problem"]
    own = (f"{problem.code}_{suffix}" for suffix in (problem.field, problem.expected))
    sentence = str(next((sentences[key] for key in own if key in sentences), sentences[problem.code.value]))
    shown = problem.read if len(problem.read) <= READ_MAX else f"{problem.read[:READ_MAX]}..."
    read = str(words.sentences["unsaid"]) if quiet else shown
    least, _, most = problem.expected.partition("-")  # the limits of a range
    text = sentence.format(read=read, expected=_expected(problem, words), hint=problem.hint, least=least, most=most)
    suggestion = str(words.sentences["did_you_mean"]).format(hint=problem.hint)
    return f"{text} {suggestion}" if problem.hint and problem.hint != problem.expected else text


def _expected(problem: Problem, words: Words) -> str:
    """What would be right: its sentence in the table "expected", or the names of which one must be chosen."""
    group, dot, key = problem.expected.partition(".")
    if dot and group == "expected":
        return str(words.sentences[group].get(key, key))
    *others, last = problem.expected.split(OR)
    return f"{', '.join(others)}{words.sentences['or']}{last}" if others else last


def problem_json(problem: Problem, words: Words) -> dict[str, str]:
    """``{field, code, message}``."""
    return {"field": problem.field, "code": problem.code.value, "message": problem_sentence(problem, words)}
