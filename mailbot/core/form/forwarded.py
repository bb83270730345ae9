"""Replied and forwarded mails: what their subjects and lines look like, and who wrote a forwarded mail first.

The first writer is a claim for staff to see, never a proof.
"""

import re

from mailbot.core.base.address import plain_address
from mailbot.core.base.characters import single_line
from mailbot.core.form.fields import normalise
from mailbot.core.form.signature import fold_line

_FORWARD_PREFIXES = ("fwd:", "fw:", "wg:", "tr:", "i:", "rv:", "inoltro:")
_REPLY_PREFIXES = ("re:", "aw:", "r:", "sv:", "antw:", *_FORWARD_PREFIXES)
_PREFIXES = re.compile(rf"(?:(?:{'|'.join(prefix[:-1] for prefix in _REPLY_PREFIXES)}) ?: ?)+")
#: The French put a space before the colon.
_SPACED_PREFIX = re.compile(r"^([a-z]{1,7}) :")
_ANNOUNCED = re.compile(
    r"(?:forwarded message|begin forwarded message|weitergeleitete nachricht|anfang der weitergeleiteten (?:nachricht|e-mail)"
    r"|messaggio inoltrato|inizio messaggio inoltrato|message transféré|début du message (?:transféré|réexpédié)"
    r"|mensaje reenviado|inicio del mensaje reenviado)(?: by .{1,60})?"
)
_FROM_LINE = re.compile(r"\*?(?:from|da|von|de|mittente|expéditeur|remitente) ?:\*? ?(?=\S)")
_OTHER_HEADER_LINE = re.compile(
    r"\*?(?:sent|date|to|subject|inviato(?: il)?|data|oggetto|a|gesendet(?: am)?|datum|an|betreff|envoyé(?: le)?|à|objet"
    r"|enviado(?: el)?|fecha|para|asunto) ?:"
)
_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w.-]{1,190}")
#: Most lines searched for header lines, and most lines of a header below an announcement.
_LINES_MAX, _HEADER_LINES_MAX = 400, 6


def is_reply(subject: str) -> bool:
    """Whether a subject is that of a reply or a forwarded mail."""
    return _fold_subject(subject).startswith(_REPLY_PREFIXES)


def is_forward(subject: str) -> bool:
    """Whether a subject is that of a forwarded mail."""
    return _fold_subject(subject).startswith(_FORWARD_PREFIXES)


def without_reply_prefixes(subject: str) -> str:
    """The normalised subject without all its "Re:" and "Fwd:"."""
    return _fold_subject(_PREFIXES.sub("", _fold_subject(subject), count=1))


def _fold_subject(subject: str) -> str:
    return _SPACED_PREFIX.sub(r"\1:", normalise(subject))


def announces_forward(line: str) -> bool:
    """Whether a mail program announces a forwarded mail with this line."""
    return len(line) < 200 and bool(_ANNOUNCED.fullmatch(_fold_quoted(line).strip("-:_*=> ")))


def original_sender(text: str, subject: str) -> str | None:
    """Who wrote a mail that was forwarded inline, by the header lines in its text: an address, else a name.

    None if nothing was forwarded. Without an announcing line the subject must be that of a forwarded mail.
    """
    lines = text.splitlines()[:_LINES_MAX]
    start = next((at for at, line in enumerate(lines) if announces_forward(line)), None)
    if start is None and not is_forward(subject):
        return None
    last = len(lines) if start is None else start + 1 + _HEADER_LINES_MAX
    for at in range(start or 0, min(last, len(lines))):
        nearby = lines[max(at - 4, 0) : at + 5]
        if _FROM_LINE.match(_fold_quoted(lines[at])) and any(
            _OTHER_HEADER_LINE.match(_fold_quoted(line)) for line in nearby
        ):
            return _address_or_name(lines[at])
    return None


def _fold_quoted(line: str) -> str:
    return fold_line(line.lstrip("> \t\u00a0|*"))


def _address_or_name(line: str) -> str | None:
    _, _, name = line.partition(":")
    address = next((found for found in _ADDRESS.findall(name) if plain_address(found)), None)
    return address or single_line(name.strip(" \t\u00a0*"), 100) or None
