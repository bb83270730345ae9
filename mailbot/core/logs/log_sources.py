"""Which parts of a mail, or of a file given by hand, could hold a log: by content, on all levels. Opening: ``archive``."""

import re
from collections.abc import Iterable, Iterator

from mailbot.core.logs.findings import looks_like_log
from mailbot.core.logs.unpack import may_hold_a_log
from mailbot.core.mail import tnef
from mailbot.core.mail.message import Message, parse

#: (name, bytes): what ``archive.open_logs`` takes.
Source = tuple[str, bytes]

_TNEF = b"\x78\x9f\x3e\x22"
_FIELD = re.compile(rb"[A-Za-z][A-Za-z0-9-]{0,60}:[^\n]{0,2000}\n(?:[ \t][^\n]{0,2000}\n){0,50}")
_OF_A_MAIL = frozenset({b"from", b"received", b"return-path", b"message-id", b"mime-version", b"delivered-to"})
_FIELDS_SEEN = 30
_DEPTH = 3  # mails in files in mails


def sources_of(message: Message) -> tuple[Source, ...]:
    """Everything in a mail that a log could be in: attachments and attached mails on all levels, pasted logs.

    Pictures, signatures and visiting cards are left out, so that () means: no log came.
    """
    return each_once(_of_message(message, "the mail itself", _DEPTH))


def mail_in(data: bytes) -> Message | None:
    """The mail in a file, whatever the file is called; None if it is none."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    if data.startswith(b"From "):  # as mail folders have it
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
    """The same of a file: of the mail or the ``winmail.dat`` that it is, else the file itself."""
    return each_once(_of_file(name, data, _DEPTH))


def each_once(sources: Iterable[Source]) -> tuple[Source, ...]:
    """The same bytes twice (attached and forwarded, in a damaged ``winmail.dat`` and beside it, sent again) are one log."""
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
        unpacked = tnef.unpack(data)
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
