"""Who wrote a mail: the one plain address of the one From field, or why there is no such address.

Parsers read a crooked From field in different ways (``boss@a <evil@b>`` has three authors in three of them), so the
standard library and mail-parser must agree, and the address must stand there letter by letter.
"""

import re
from dataclasses import dataclass
from email.headerregistry import HeaderRegistry
from typing import Any

import mailparser

from mailbot.core.base.address import bare, strict
from mailbot.core.base.characters import single_line
from mailbot.core.mail.mime import Fields

_REGISTRY = HeaderRegistry()
#: Nor what was put for one of them. No text of RFC 5322 holds these, and parsers differ on them.
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\ufffd]")
_LONGEST = 1000  # characters; keeps every parser fast


@dataclass(frozen=True)
class FromField:
    """``address`` or ``fault``, never both; ``name`` is the display name, cleaned."""

    address: str | None
    fault: str | None
    name: str = ""


def one_sender(fields: Fields) -> FromField:
    """The author by the header fields of a mail (RFC 5322 section 3.6.2, one mailbox only)."""
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
    except Exception as error:  # parsers of addresses fail in many ways
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
    if strict(first[0]) is None or first[0] not in value or not _stands_in(value, first[0]):
        return None, "the From field holds no plain address", names[0]
    return first[0], None, names[0]


def _stands_in(value: str, address: str) -> bool:
    """Whether that address stands in the field as it is, in brackets of its own or alone; a route before it is no part of it."""
    said = bare(value).strip()
    _, bracket, inner = said.rpartition("<")
    return said == address if not bracket else said.endswith(">") and inner.removesuffix(">").strip() == address
