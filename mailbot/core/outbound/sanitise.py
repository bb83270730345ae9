"""Makes every text in a ticket or in the facts of a mail harmless, once, before anything is said of it."""

from dataclasses import fields, is_dataclass
from datetime import date
from enum import Enum
from typing import Any, TypeVar

from pydantic import BaseModel

from mailbot.core.base.frozen import replace
from mailbot.core.catalogue.item_kinds import ItemKey
from mailbot.core.outbound.text_layout import one_line, safe

#: Fields whose texts may have several lines; all others become one line.
PROSE = frozenset({"comments", "question", "description", "fields", "text", "form", "sent", "read"})
T = TypeVar("T")


def harmless(value: T, name: str = "") -> T:
    """A copy of a text, model or dataclass, or of a tuple or dict of them, with every text in it made safe.

    ``name`` is the field that holds the value: it decides whether a text may have several lines.
    """
    return _harmless(value, name)  # type: ignore[no-any-return]


def _harmless(value: Any, name: str) -> Any:
    if value is None or isinstance(value, int | date | Enum | ItemKey):
        return value
    match value:
        case str():
            return safe(value) if name in PROSE else one_line(value)
        case tuple():
            return tuple(_harmless(part, name) for part in value)
        case dict():
            return {key: _harmless(part, name) for key, part in value.items()}
        case BaseModel():
            return value.model_copy(update=_changed({key: getattr(value, key) for key in type(value).model_fields}))
        case _ if is_dataclass(value) and not isinstance(value, type):
            return replace(value, **_changed({field.name: getattr(value, field.name) for field in fields(value)}))
        case _:
            return value


def _changed(parts: dict[str, Any]) -> dict[str, Any]:
    return {key: clean for key, part in parts.items() if (clean := _harmless(part, key)) != part}
