"""The items that a licence holds: their kinds, in the order in which every list shows them, and their keys."""

from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, GetCoreSchemaHandler


class ItemKind(StrEnum):
    """What an item is. Seats, add-ons and plugins have keys in the catalogue; other kinds have one item each."""

    ADMIN = "admin"
    PLAN = "plan"
    SEAT = "seat"
    WEBRTC = "webrtc"
    PHONEBAR = "phonebar"
    ADDON = "addon"
    PLUGIN = "plugin"
    SUPPORT = "support"
    BILLING = "billing"
    WHITELABEL = "whitelabel"
    TOKEN = "token"  # noqa: S105 - a kind of item
    STATUS = "status"


class ItemKey(str):
    """The key of an item in JSON, ledger and decisions: ``plan``, ``agents``, ``addon:KEY``. Equal to that text."""

    __slots__ = ()

    ADMIN: ClassVar["ItemKey"]
    PLAN: ClassVar["ItemKey"]
    WEBRTC: ClassVar["ItemKey"]
    PHONEBAR: ClassVar["ItemKey"]
    SUPPORT: ClassVar["ItemKey"]
    BILLING: ClassVar["ItemKey"]
    WHITELABEL: ClassVar["ItemKey"]
    TOKEN: ClassVar["ItemKey"]
    STATUS: ClassVar["ItemKey"]

    @classmethod
    def addon(cls, key: str) -> "ItemKey":
        """The add-on with that key in the catalogue."""
        return cls(f"{ItemKind.ADDON}:{key}")

    @classmethod
    def plugin(cls, key: str) -> "ItemKey":
        """The plugin with that key in the catalogue."""
        return cls(f"{ItemKind.PLUGIN}:{key}")

    @property
    def kind(self) -> ItemKind:
        """Its kind. ValueError if the text is not the key of an item (``item_key`` checks)."""
        return _known(self)[0]

    @property
    def key(self) -> str:
        """The catalogue's key of a seat, an add-on or a plugin; "" for other kinds."""
        return _known(self)[1]

    @property
    def place(self) -> int:
        """Its position in the order of every list."""
        return _PLACES[self if self.kind is ItemKind.SEAT else self.kind]

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> Any:
        return handler.generate_schema(Annotated[str, AfterValidator(cls)])


ItemKey.ADMIN = ItemKey(ItemKind.ADMIN)
ItemKey.PLAN = ItemKey(ItemKind.PLAN)
ItemKey.WEBRTC = ItemKey(ItemKind.WEBRTC)
ItemKey.PHONEBAR = ItemKey(ItemKind.PHONEBAR)
ItemKey.SUPPORT = ItemKey(ItemKind.SUPPORT)
ItemKey.BILLING = ItemKey(ItemKind.BILLING)
ItemKey.WHITELABEL = ItemKey(ItemKind.WHITELABEL)
ItemKey.TOKEN = ItemKey(ItemKind.TOKEN)
ItemKey.STATUS = ItemKey(ItemKind.STATUS)

AGENTS = ItemKey("agents")
#: Items with a count.
SEATS = (AGENTS, ItemKey("users"), ItemKey("telephones"), ItemKey("mobile_agents"))
#: Items that every licence includes. Mails and tickets list them; they change no term of the ledger.
INCLUDED = frozenset({ItemKey.ADMIN, ItemKey.WEBRTC, ItemKey.PHONEBAR})
#: Kinds whose items a licence either has or has not; their keys have a colon.
CHOSEN = frozenset({ItemKind.ADDON, ItemKind.PLUGIN})
_ONE_OF_A_KIND = frozenset(ItemKind) - CHOSEN - {ItemKind.SEAT}
_PLACES = {
    name: place
    for place, name in enumerate(
        name for kind in ItemKind for name in (SEATS if kind is ItemKind.SEAT else (kind.value,))
    )
}


def item_key(text: str) -> ItemKey | None:
    """The item with that key; None if there is none, as for other terms of the ledger such as the renewal date."""
    return ItemKey(text) if _parts(text) else None


def _known(text: str) -> tuple[ItemKind, str]:
    parts = _parts(text)
    if parts is None:
        msg = f"{text!r} is no item"
        raise ValueError(msg)
    return parts


@lru_cache(maxsize=1024)
def _parts(text: str) -> tuple[ItemKind, str] | None:
    if text in SEATS:
        return ItemKind.SEAT, text
    kind, colon, key = text.partition(":")
    if (kind in CHOSEN and key) or (kind in _ONE_OF_A_KIND and not colon):
        return ItemKind(kind), key
    return None
