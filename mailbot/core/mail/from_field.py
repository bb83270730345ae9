"""Who wrote a mail: the one plain address of the one From field, or why there is none.

Parsers disagree on malformed From fields (three of them find three authors in ``boss@a <evil@b>``), so the standard
library and mail-parser must agree, and the address must occur in the field literally.
"""

import re
from dataclasses import dataclass
from email.headerregistry import HeaderRegistry
from typing import Any

import mailparser

from mailbot.core.base.address import plain_address, without_comments
from mailbot.core.base.characters import single_line
from mailbot.core.mail.mime import Fields

_REGISTRY = HeaderRegistry()
#: Control characters but the tab, and the U+FFFD that replaced a NUL. RFC 5322 allows none, and parsers disagree on them.
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\ufffd]")
_LONGEST = 1000  # characters; keeps all parsers fast


@dataclass(frozen=True)
class FromField:
    """``address`` or ``fault``, never both; ``name`` is the display name, safe to show."""

    address: str | None
    fault: str | None
    name: str = ""


def read_from_field(fields: Fields) -> FromField:
    """The author that the header fields name (RFC 5322 section 3.6.2; exactly one mailbox)."""
    values = [value for name, value in fields if name.lower() == "from"]
    if len(values) != 1:
        return FromField(None, f"{len(values)} From fields" if values else "no From field")
    value = values[0].strip()
    if len(value) > _LONGEST:
        return FromField(None, "the From field is too long")
    if _CONTROL.search(value):
        return FromField(None, "the From field holds control characters")
    try:
        address, fault, name = _agreed(value)
    except Exception as error:  # address parsers raise many types
        return FromField(None, f"the From field cannot be read ({type(error).__name__})")
    return FromField(address, fault, name)


def _agreed(value: str) -> tuple[str | None, str | None, str]:
    typed: Any = _REGISTRY("From", value)
    names = [single_line(mailbox.display_name) for mailbox in typed.addresses]
    if any(group.display_name for group in typed.groups):
        return None, "the From field names a group", ""
    first = [mailbox.addr_spec for mailbox in typed.addresses]
    second = [address for _, address in mailparser.parse_from_bytes(b"From: " + value.encode() + b"\n\n").from_]
    if len(first) > 1 or len(second) > 1:
        return None, "the From field names several addresses", ""
    if first != second or not first:
        return None, "the From field can be read in several ways", ""
    if plain_address(first[0]) is None or first[0] not in value or not _stands_in(value, first[0]):
        return None, "the From field holds no plain address", names[0]
    return first[0], None, names[0]


def _stands_in(value: str, address: str) -> bool:
    """Whether ``address`` is all that the field has outside comments, or all that its last angle brackets hold."""
    said = without_comments(value).strip()
    _, bracket, inner = said.rpartition("<")
    return said == address if not bracket else said.endswith(">") and inner.removesuffix(">").strip() == address
