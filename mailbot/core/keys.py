"""Keys: the secret in a mail that expects a reply, how it travels, and how it is found again in the reply.

A key says which mail is answered, never who answers: whether it lives, and whose it is, the caller knows by its digest.
"""

import base64
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

#: 130 bits in the alphabet of RFC 4648 section 6.
KEY_LENGTH = 26
#: A whole word that may be a key. Mail systems lower-case local parts. ASCII: else the Kelvin sign would be a K.
KEY = re.compile(r"(?<![A-Z0-9])[A-Z2-7]{26}(?![A-Z0-9])", re.IGNORECASE | re.ASCII)
#: What stands before the key of a digest, which has no reference of its own.
DIGEST = "digest"

_RANDOM_BYTES = 17
_MESSAGE_ID = re.compile(r"<([^<>@\s]{1,200})@[^<>@\s]{1,255}>")


@dataclass(frozen=True)
class Found:
    """What a reply says of the mail that it answers.

    ``key`` in capitals and ``ref`` are those of the answered mail (``ref`` is ``digest`` for a digest); both are None
    without a key and where two places disagree. ``refs_mentioned`` are references without a key, hints only.
    """

    key: str | None
    ref: str | None
    refs_mentioned: tuple[str, ...]
    disagree: bool


def make(random: bytes) -> str:
    """A new key from at least 17 random bytes; ValueError from fewer, for a short key would be a weak one."""
    if len(random) < _RANDOM_BYTES:
        raise ValueError(f"a key needs {_RANDOM_BYTES} random bytes, not {len(random)}")
    return base64.b32encode(random).decode("ascii")[:KEY_LENGTH]


def digest(key: str) -> str:
    """What is stored of a key: SHA-256 in hex, the same for any case of its letters."""
    return hashlib.sha256(key.upper().encode("utf-8", "replace")).hexdigest()


def reply_address(desk: str, ref: str, key: str, sub_addressing: bool) -> str:
    """The Reply-To of a mail with a key: ``local+lic-12.KEY@domain``, or the desk's own without sub-addressing."""
    local, _, domain = desk.rpartition("@")
    return f"{local}+{ref.lower()}.{key}@{domain}" if sub_addressing else desk


def subject_tag(ref: str, key: str | None, sub_addressing: bool) -> str:
    """The tag in a subject: ``[LIC-12]``, or ``[LIC-12.KEY]`` where the address cannot carry the key."""
    return f"[{ref}]" if key is None or sub_addressing else f"[{ref}.{key}]"


def message_id(ref: str | None, key: str | None, random: bytes, domain: str) -> str:
    """A Message-ID (RFC 5322 section 3.6.4): ``<LIC-12.KEY@domain>`` with a key, which no other mail has, else random."""
    if key is not None:
        return f"<{ref or DIGEST}.{key}@{domain}>"
    if len(random) < _RANDOM_BYTES - 1:
        raise ValueError(f"a Message-ID needs {_RANDOM_BYTES - 1} random bytes, not {len(random)}")
    return f"<{random.hex()}@{domain}>"


def find(
    recipients: Sequence[str], subject: str, in_reply_to: str | None, references: Sequence[str], desk: str, prefix: str
) -> Found:
    """The key of the mail that is answered: from a recipient address or the subject tag, else from In-Reply-To.

    Never from older References. All places that name a key must name the same, for the same reference.
    """
    grammar = _Grammar(prefix)
    addressed = [grammar.split(detail) for detail in _details(recipients, desk)]
    tagged = [grammar.split(tag) for tag in grammar.tags(subject)]
    answered = [grammar.split(name) for name in _names([in_reply_to or ""])]
    earlier = [grammar.split(name) for name in _names(references)]
    keyed = {(ref, key) for ref, key in [*addressed, *tagged, *answered] if key}
    # A Message-ID without a key is no place that says something: another mail system may have given it.
    bare = [ref for ref, key in [*addressed, *tagged] if ref and not key]
    old = [ref for ref, _ in earlier if ref]
    if len(keyed) == 1:
        [(ref, key)] = keyed
        return Found(key, ref, _unique([*bare, *old]), disagree=False)
    lost = [ref for ref, _ in [*addressed, *tagged, *answered] if ref] if keyed else bare
    return Found(None, None, _unique([*lost, *old]), disagree=bool(keyed))


def holds_key(text: str) -> list[str]:
    """All words of a text that may be keys, in capitals, each once; the caller knows by the digest whether one lives."""
    readings = [text, unquote(text)] if "%" in text else [text]
    return list(dict.fromkeys(match[0].upper() for reading in readings for match in KEY.finditer(reading)))


class _Grammar:
    """``LIC-12``, ``LIC-12.KEY`` and ``digest.KEY`` for one prefix, in any case."""

    def __init__(self, prefix: str) -> None:
        ref = rf"{re.escape(prefix)}-[1-9][0-9]{{0,9}}"
        key = rf"[A-Z2-7]{{{KEY_LENGTH}}}"
        flags = re.IGNORECASE | re.ASCII
        self._whole = re.compile(rf"(?:({ref})(?:\.({key}))?|({DIGEST})\.({key}))", flags)
        self._tag = re.compile(rf"\[((?:{ref}|{DIGEST})(?:\.{key})?)\]", flags)

    def tags(self, subject: str) -> list[str]:
        return self._tag.findall(subject)

    def split(self, text: str) -> tuple[str | None, str | None]:
        """Reference and key, each None where the text has none."""
        match = self._whole.fullmatch(text)
        if not match:
            return None, None
        ref, key, word, digest_key = match.groups()
        if word:
            return DIGEST, digest_key.upper()
        return ref.upper(), key.upper() if key else None


def _details(recipients: Sequence[str], desk: str) -> Iterator[str]:
    """The part after the plus of each recipient that is the desk."""
    local, _, domain = desk.lower().rpartition("@")
    for recipient in recipients:
        # str.lower makes a k of the Kelvin sign; our own addresses are ASCII.
        head, _, tail = recipient.strip().strip("<>").rpartition("@")
        ours = recipient.isascii() and tail.lower() == domain and head.lower().startswith(f"{local}+")
        if ours:
            yield head[len(local) + 1 :]


def _names(fields: Sequence[str]) -> Iterator[str]:
    """The left sides of all Message-IDs in the fields."""
    for text in fields:
        # A reader of mails may have taken the angle brackets off.
        whole = text if "<" in text else f"<{text.strip()}>"
        yield from (match[1] for match in _MESSAGE_ID.finditer(whole))


def _unique(refs: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(refs))
