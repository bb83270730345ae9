"""Message-IDs (RFC 5322 section 3.6.4): which ones of a field may be kept, looked up and written into our own headers."""

import re

#: Printable ASCII in angle brackets, short enough for one header line of 998 characters (RFC 5322 section 2.1.1).
MESSAGE_ID = r"<[!-;=?-~]{1,900}>"

_USABLE = re.compile(MESSAGE_ID)
_BRACKETED = re.compile("<[^<>]*>")


def message_ids(value: str) -> tuple[tuple[str, ...], bool]:
    """The usable Message-IDs of a field in order, with their brackets; and whether an unusable one was left out."""
    bracketed = _BRACKETED.findall(value)
    usable = tuple(one for one in bracketed if _USABLE.fullmatch(one))
    return usable, len(usable) < len(bracketed)


def own_message_id(value: str) -> tuple[str | None, bool]:
    """The first Message-ID of a ``Message-ID`` field, and whether the field holds none that is usable.

    One without brackets gets them. A usable ID behind an unusable one does not count.
    """
    bracketed = _BRACKETED.search(value)
    first = bracketed[0] if bracketed else f"<{value.strip()}>"
    usable = _USABLE.fullmatch(first) is not None
    return (first if usable else None), not usable and bool(value.strip())
