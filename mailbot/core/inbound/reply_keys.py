"""Reply keys: the secret in a mail that expects a reply, and how it travels there and back.

A key is read from the recipient address or the subject tag, else from In-Reply-To, never from older References. Whether it is
still live is left to ``storage.keys``.
"""

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote

KEY_LENGTH = 26
#: Stands for the reference before a key that belongs to no single ticket.
DIGEST_REF = "digest"
#: A key in running text: base32 of either case, for mail systems may have changed it.
KEY_PATTERN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z2-7]{26}(?![A-Za-z0-9])")


@dataclass(frozen=True)
class FoundKey:
    """The ``key`` of a message and the ``ref`` beside it. ``refs_mentioned``: tickets named without a key, which proves nothing.

    ``disagree``: two places held different keys, so that neither counts.
    """

    key: str | None = None
    ref: str | None = None
    refs_mentioned: tuple[str, ...] = ()
    disagree: bool = False


def make_key(random: bytes) -> str:
    """A key of 130 bits from at least 17 random bytes. ValueError when there are fewer."""
    if len(random) < 17:
        msg = "a key needs at least 17 random bytes"
        raise ValueError(msg)
    return base64.b32encode(random).decode("ascii")[:KEY_LENGTH]


def key_digest(key: str) -> str:
    """What is stored of a key: the SHA-256 of its upper-case form, as hex."""
    return hashlib.sha256(key.upper().encode()).hexdigest()


def reply_address(desk: str, ref: str, key: str, sub_addressing: bool) -> str:
    """``local+lic-12.KEY@domain``, or the plain address without sub-addressing."""
    local, _, domain = desk.rpartition("@")
    return f"{local}+{(ref or DIGEST_REF).lower()}.{key}@{domain}" if sub_addressing else desk


def subject_tag(ref: str, key: str | None, sub_addressing: bool) -> str:
    """``[LIC-12]``, or ``[LIC-12.KEY]`` if the key can only travel in the subject."""
    return f"[{ref}.{key}]" if key and not sub_addressing else f"[{ref}]"


def message_id(ref: str | None, key: str | None, random: bytes, domain: str) -> str:
    """The Message-ID of a mail, made of its key, else of random letters."""
    if key:
        return f"<{ref or DIGEST_REF}.{key}@{domain}>"
    return f"<{base64.b32encode(random).decode('ascii')[:KEY_LENGTH]}@{domain}>"


def find_key(
    recipients: Sequence[str], subject: str, in_reply_to: str | None, references: Sequence[str], desk: str, prefix: str
) -> FoundKey:
    """The key of a message and the tickets that it names. ``desk``: the desk's address; ``prefix``: that of references ("LIC")."""
    ref_pattern = rf"{re.escape(prefix)}-[0-9]{{1,9}}|{DIGEST_REF}"
    local, _, domain = re.escape(desk).rpartition("@")
    flags = re.IGNORECASE | re.ASCII  # else the Kelvin sign is a K
    to_us = re.compile(rf"{local}\+({ref_pattern})(?:\.([A-Za-z2-7]{{26}}))?@{domain}", flags)
    tag = re.compile(rf"\[({ref_pattern})(?:\.([A-Za-z2-7]{{26}}))?\]", flags)
    own_id = re.compile(rf"<({ref_pattern})\.([A-Za-z2-7]{{26}})@{domain}>", flags)
    spots = [m for r in recipients if (m := to_us.fullmatch(r))] + list(tag.finditer(subject))
    first = {(m[1].upper(), m[2].upper()) for m in spots if m[2]}
    replied = own_id.fullmatch(in_reply_to or "")
    second = {(replied[1].upper(), replied[2].upper())} if replied else set()
    named = [m[1].upper() for m in spots] + [m[1].upper() for r in references if (m := own_id.fullmatch(r))]
    mentioned = tuple(dict.fromkeys(ref for ref in named if ref != "DIGEST"))
    both = first | second
    if len(both) > 1:
        return FoundKey(refs_mentioned=mentioned, disagree=True)
    if not both:
        return FoundKey(refs_mentioned=mentioned)
    ref, key = both.pop()
    return FoundKey(key=key, ref=ref, refs_mentioned=mentioned)


def keys_in(text: str) -> list[str]:
    """Every word in the text that could be a key, as written, also in percent-encoding. Whether one is live is not known here."""
    readings = (text, unquote(text)) if "%" in text else (text,)
    return list(dict.fromkeys(match.group() for reading in readings for match in KEY_PATTERN.finditer(reading)))
