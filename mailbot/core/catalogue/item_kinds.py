"""The items that a licence holds: their kinds, in the order in which every list shows them, and their keys."""

from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, GetCoreSchemaHandler


class ItemKind(StrEnum):
    """What an item is. Seats, add-ons and plugins are many, each with a key in the catalogue; of the others there is one."""

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
    """An item as JSON, the ledger and staff write it: ``plan``, ``agents``, ``addon:KEY``. Equals that text everywhere."""

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
        """What it is. ValueError where the text is no item's: see ``item_key``."""
        return _known(self)[0]

    @property
    def key(self) -> str:
        """The catalogue's key of a seat, an add-on or a plugin; "" for an item that there is only one of."""
        return _known(self)[1]

    @property
    def place(self) -> int:
        """Where it stands in the order of every list."""
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
#: The items that are counted.
SEATS = (AGENTS, ItemKey("users"), ItemKey("telephones"), ItemKey("mobile_agents"))
#: The kinds whose items a licence has or has not, each written with its key behind a colon.
CHOSEN = frozenset({ItemKind.ADDON, ItemKind.PLUGIN})
_ONE_OF_A_KIND = frozenset(ItemKind) - CHOSEN - {ItemKind.SEAT}
_PLACES = {
    name: place
    for place, name in enumerate(
        name for kind in ItemKind for name in (SEATS if kind is ItemKind.SEAT else (kind.value,))
    )
}


def item_key(text: str) -> ItemKey | None:
    """The item of that text; None where it is no item's, such as a term of the ledger (``renews_on``)."""
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
