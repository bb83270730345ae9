"""Faults in an operator's file (configuration, catalogue): one sentence for each, all of them at once.

A sentence names the key, the value read and what is expected. Values of secrets and of unknown keys are never
repeated: a mistyped key may hold a secret.
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import is_dataclass
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

from pydantic import BaseModel, SecretStr, ValidationError
from rapidfuzz import process
from rapidfuzz.distance import Indel

#: pydantic's error types in our words; for others pydantic's own message is used.
_EXPECTED = {
    "bool_type": "true or false",
    "dataclass_type": "a table",
    "decimal_parsing": "a number",
    "decimal_type": "a number",
    "dict_type": "a table",
    "finite_number": "a number",
    "frozen_set_type": "a list",
    "int_type": "a whole number",
    "mapping_type": "a table",
    "model_type": "a table",
    "string_too_short": "text that is not empty",
    "string_type": "text",
    "tuple_type": "a list",
}
_UNKNOWN = {"extra_forbidden", "unexpected_keyword_argument"}
_FOLLOWS = {"default_factory_not_called"}  # the default depends on another key, whose fault is reported
_NEAR = 0.6  # a suggestion less similar than this only confuses


def table(text: str) -> dict[str, Any] | str:
    """The TOML document as a dict, or its syntax error with the line."""
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        return f"not valid TOML: {error}"


def sentences(error: ValidationError, root: type) -> tuple[str, ...]:
    """One sentence for each fault that pydantic found in a document of type ``root``, in the order of its keys."""
    faults = error.errors(include_url=False)
    return tuple(_sentence(fault, root) for fault in faults if fault["type"] not in _FOLLOWS)


def unknown_key(key: str, name: str, known: Iterable[str]) -> str:
    """The sentence for an unknown ``key``; ``name`` is its last part. Suggests the nearest name in ``known``."""
    return f"{key}: unknown key{suggestion(name, known)}"


def suggestion(name: str, known: Iterable[str]) -> str:
    """``, did you mean 'x'?`` with the nearest known name; "" if none is near."""
    near = process.extractOne(name, tuple(known), scorer=Indel.normalized_similarity, score_cutoff=_NEAR)
    return f", did you mean '{near[0]}'?" if near else ""


def wrong(key: str, value: object, expected: str) -> str:
    """The sentence for a wrong ``value`` at ``key``."""
    return f"{key}: read {shown(value)}, must be {expected}"


def shown(value: object) -> str:
    """A value as the file has it, short and on one line; tables and lists are only named as such."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return repr(value if len(value) <= 60 else value[:59] + "…")
        case Mapping():
            return "a table"
        case Sequence():
            return "a list"
        case _:
            return str(value)


def dotted(location: Sequence[str | int]) -> str:
    """A key as faults and environment names write it; list entries count from 1."""
    return ".".join(str(step + 1) if isinstance(step, int) else step for step in location)


def _sentence(fault: Any, root: type) -> str:
    location: tuple[str | int, ...] = fault["loc"]
    key, parent = dotted(location), _at(root, location[:-1])
    if fault["type"] in _UNKNOWN:
        return unknown_key(key, str(location[-1]), _fields(parent))
    said = _description(parent, location[-1]) if location else ""
    if fault["type"] == "missing":
        return f"{key}: missing" + (f", must be {said}" if said else "")
    expected = _raised(fault) or said or _EXPECTED.get(fault["type"]) or _own_words(fault)
    if _is_secret(_at(root, location)):
        return f"{key}: must be {expected}"
    return wrong(key, fault["input"], expected)


def _raised(fault: Any) -> str:
    """The message of the ValueError that one of our checks raised; "" if none did."""
    return str(fault["ctx"]["error"]) if fault["type"] == "value_error" else ""


def _own_words(fault: Any) -> str:
    limits = fault.get("ctx", {})
    return f"at least {limits['ge']}" if "ge" in limits else str(fault["msg"])


def _description(kind: Any, name: str | int) -> str:
    if isinstance(kind, type) and issubclass(kind, BaseModel) and name in kind.model_fields:
        return kind.model_fields[str(name)].description or ""
    return ""


def _at(kind: Any, location: Sequence[str | int]) -> Any:
    """The type at ``location`` inside ``kind``; None if unknown."""
    for step in location:
        kind = _given(kind)
        fields = _fields(kind)
        if step in fields:
            kind = fields[str(step)]
        elif get_origin(kind) is tuple:
            kind = get_args(kind)[0]
        elif get_origin(kind) is not None:
            kind = get_args(kind)[-1]  # the values of a mapping
        else:
            return None
    return _given(kind)


def _given(kind: Any) -> Any:
    """The type of an optional value without None; other types unchanged."""
    given = [one for one in get_args(kind) if one is not NoneType]
    return given[0] if len(given) == 1 and NoneType in get_args(kind) else kind


def _fields(kind: Any) -> Mapping[str, Any]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return {name: one.annotation for name, one in kind.model_fields.items()}
    return get_type_hints(kind) if is_dataclass(kind) else {}


def _is_secret(kind: Any) -> bool:
    return kind is SecretStr or SecretStr in get_args(kind)
