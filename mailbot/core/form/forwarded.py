"""Requests that somebody forwards inside his own mail: who wrote them first. A claim to show staff, never a proof."""

import re

from mailbot.core.base.address import plain_address
from mailbot.core.base.characters import single_line
from mailbot.core.form.signature import comparable
from mailbot.core.form.which_form import is_forward

_ANNOUNCED = re.compile(
    r"(?:forwarded message|begin forwarded message|weitergeleitete nachricht|anfang der weitergeleiteten (?:nachricht|e-mail)"
    r"|messaggio inoltrato|inizio messaggio inoltrato|message transféré|début du message (?:transféré|réexpédié)"
    r"|mensaje reenviado|inicio del mensaje reenviado)(?: by .{1,60})?"
)
_FROM = re.compile(r"\*?(?:from|da|von|de|mittente|expéditeur|remitente) ?:\*? ?(?=\S)")
_NEXT = re.compile(
    r"\*?(?:sent|date|to|subject|inviato(?: il)?|data|oggetto|a|gesendet(?: am)?|datum|an|betreff|envoyé(?: le)?|à|objet"
    r"|enviado(?: el)?|fecha|para|asunto) ?:"
)
_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w.-]{1,190}")
_MOST_LINES, _HEADER = 400, 6


def announces(line: str) -> bool:
    """Whether a forwarded mail begins below this line, as mail programs say it."""
    return len(line) < 200 and bool(_ANNOUNCED.fullmatch(_words(line).strip("-:_*=> ")))


def original_sender(text: str, subject: str) -> str | None:
    """Who, by the header lines inside the text, wrote a mail that was forwarded inline: an address, else a name.

    None where nothing was forwarded. Without an announcing line the subject must be that of a forwarded mail.
    """
    lines = text.splitlines()[:_MOST_LINES]
    start = next((at for at, line in enumerate(lines) if announces(line)), None)
    if start is None and not is_forward(subject):
        return None
    last = len(lines) if start is None else start + 1 + _HEADER
    for at in range(start or 0, min(last, len(lines))):
        words = _words(lines[at])
        named = _FROM.match(words)
        if named and any(_NEXT.match(_words(near)) for near in lines[max(at - 4, 0) : at + 5]):
            return _who(lines[at])
    return None


def _words(line: str) -> str:
    return comparable(line.lstrip("> \t\u00a0|*"))


def _who(line: str) -> str | None:
    _, _, name = line.partition(":")
    address = next((found for found in _ADDRESS.findall(name) if plain_address(found)), None)
    return address or single_line(name.strip(" \t\u00a0*"), 100) or None
