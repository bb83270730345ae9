"""Finds the parts of a mail or file that may contain a log, by content, at all levels. ``logs.unpack`` opens them."""

import re
from collections.abc import Iterable, Iterator

from mailbot.core.logs.findings import looks_like_log
from mailbot.core.logs.unpack import may_hold_a_log
from mailbot.core.mail import tnef
from mailbot.core.mail.message import Message, parse

#: (name, bytes), as ``unpack.open_logs`` takes them.
Source = tuple[str, bytes]

_TNEF = b"\x78\x9f\x3e\x22"
_FIELD = re.compile(rb"[A-Za-z][A-Za-z0-9-]{0,60}:[^\n]{0,2000}\n(?:[ \t][^\n]{0,2000}\n){0,50}")
_OF_A_MAIL = frozenset({b"from", b"received", b"return-path", b"message-id", b"mime-version", b"delivered-to"})
_FIELDS_SEEN = 30
_DEPTH = 3  # mails in files in mails


def sources_of(message: Message) -> tuple[Source, ...]:
    """All parts of a mail that may contain a log: attachments and attached mails at all levels, and pasted logs.

    Pictures, signatures and business cards are left out, so () means that no log came.
    """
    return each_once(_of_message(message, "the mail itself", _DEPTH))


def mail_in(data: bytes) -> Message | None:
    """The mail in a file, whatever its name; None if the file is not a mail."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    if data.startswith(b"From "):  # mbox separator
        data = data.partition(b"\n")[2]
    head = data[:65_536].replace(b"\r\n", b"\n")
    names: set[bytes] = set()
    at = 0
    while len(names) < _FIELDS_SEEN and (field := _FIELD.match(head, at)):
        names.add(field[0].partition(b":")[0].lower())
        at = field.end()
    if len(names) < 2 or names.isdisjoint(_OF_A_MAIL):
        return None
    return parse(data)


def sources_in(name: str, data: bytes) -> tuple[Source, ...]:
    """The sources in a file: those in it if it is a mail or ``winmail.dat``, else the file itself."""
    return each_once(_of_file(name, data, _DEPTH))


def each_once(sources: Iterable[Source]) -> tuple[Source, ...]:
    """The sources without duplicates: equal bytes are one log, however often they were attached."""
    first: dict[bytes, Source] = {}
    for name, data in sources:
        first.setdefault(data, (name, data))
    return tuple(first.values())


def _of_message(message: Message, called: str, depth: int) -> Iterator[Source]:
    for attachment in message.attachments:
        if may_hold_a_log(attachment.name, attachment.data):
            yield from _of_file(attachment.name, attachment.data, depth)
    if looks_like_log(message.text):
        yield called, message.text.encode("utf-8", "replace")
    for inner in message.attached:
        yield from _of_message(inner, "the attached mail", depth)


def _of_file(name: str, data: bytes, depth: int) -> Iterator[Source]:
    if depth and data.startswith(_TNEF):
        unpacked = tnef.read_tnef(data)
        for inner, content in unpacked.files:
            if may_hold_a_log(inner, content):
                yield from _of_file(inner, content, depth - 1)
        if looks_like_log(unpacked.text):
            yield name, unpacked.text.encode("utf-8", "replace")
        if unpacked.files or not unpacked.defect:
            return
    elif depth and (message := mail_in(data)) is not None and not message.fault:
        yield from _of_message(message, name, depth - 1)
        return
    yield name, data
