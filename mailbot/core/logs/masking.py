"""Redacts people, machines and secrets in quoted log lines. Licence tokens stay readable."""

import ipaddress
import re
from collections.abc import Iterable

from mailbot.core.base.characters import multi_line

MASK = "***"
LONGEST = 300
#: Characters of a line that are read; later ones cannot appear in LONGEST characters.
_CONSIDERED = 1200

_ANSI = re.compile(r"\x1b\[[0-9;?]{0,20}[ -/]{0,5}[@-~]")
_URL_USER = re.compile(r"://[^\s/@]{1,300}@")
_QUERY = re.compile(r"(/[^\s\"'<>?]{0,300})?\?(?(1)|[^\s\"'<>=]{0,200}=)[^\s\"'<>]{0,1200}")
_LOCAL = r"(?:\"[^\"]{1,64}\"|[^\s@<>\"'=,;:()\[\]{}/*]{1,64})"
_DISPLAYED = re.compile(r"\"[^\"]{1,80}\"(?=\s{0,2}<[^<>\s@%]{1,64}(?:@|%40))")  # display name before an address
_MAIL = re.compile(_LOCAL + r"(?:@|%40)(?:\[[^\]\s]{1,60}\]|[^\s@<>\"'=,;:()\[\]{}/]{1,255})")
_BEARER = re.compile(r"\b(bearer\s{1,5}|(?:basic|digest)\s{1,5}(?=[^\s]{6}))[^\s\"',;]{1,1200}", re.IGNORECASE)
_JWT = re.compile(r"\beyJ[\w-]{5,1200}\.[\w.-]{1,1200}")
#: Secrets with a recognisable shape: private keys, keys of large services.
_SHAPES = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY.*|\bA[KS]IA[0-9A-Z]{16}\b|\bgh[a-z]_\w{20,255}|\bxox[a-z]-[\w-]{10,255}|\bsk-[\w-]{16,255}"
)
_FLAG = re.compile(
    r"(?<![\w-])(--?(?:pass\w{0,10}|pwd|secret|token|key|user(?:name)?)) {1,3}[^\s=-]\S{0,300}", re.IGNORECASE
)
#: Also with a port, as tcpdump writes it, and within host names (ec2-10-0-0-1).
_IPV4 = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?:\.\d{1,5})?(?!\d)|(?<!\d)\d{1,3}(?:-\d{1,3}){3}(?![\d-])")
_IPV6 = re.compile(r"(?<!\w)[0-9A-Fa-f:]{2,40}(?:%\w{1,20})?(?!\w)")
_BRACKETS = re.compile(r"[{}\[\]]")
_KEY = re.compile(r"[\"']?(?<![\w.-])([A-Za-z_][\w.-]{0,60})[\"']?[ ]{0,3}[=:][ ]{0,3}")

_LICENCE_TOKENS = frozenset(
    {"token", "previoustoken", "oldtoken", "newtoken", "licensetoken", "licencetoken", "motiontoken"}
)
_SECRET_ENDINGS = (
    "password", "passwd", "passphrase", "pass", "pwd", "secret", "key", "token", "cookie",
    "credential", "signature", "hash", "salt", "otp", "pin", "auth", "csrf", "nonce",
)  # fmt: skip
_PERSON_ENDINGS = (
    "name", "names", "email", "emails", "mail", "phone", "mobile", "person", "caller",
    "callee", "firma", "azienda",
)  # fmt: skip
_WHOLE_KEYS = frozenset({
    "authorization", "session", "sessionid", "sid", "jwt", "user", "login", "customer", "company",
    "contact", "tel", "fax", "agent", "operator", "nome", "cognome",
})  # fmt: skip


def visible_characters(text: str) -> str:
    """``text`` without colours, line ends, steering and invisible characters; a tab becomes a space."""
    if "\x1b" in text:
        text = _ANSI.sub("", text)
    return multi_line(text).replace("\n", "").replace("\t", " ")


def redact(line: str, keep: Iterable[str] = ()) -> str:
    """``line`` as staff may see it: one line of at most 300 characters.

    IP addresses, mail addresses except those in ``keep``, values of names and secrets, bearer tokens and query strings
    become ``***``. Accepts any text; the work is bounded.
    """
    kept = frozenset(word.lower() for word in keep)
    text = _considered(line)
    text = _URL_USER.sub(f"://{MASK}@", text)
    text = _QUERY.sub(lambda found: f"{found[1] or ''}?{MASK}", text)
    text = _mask_values(text, kept)
    text = _FLAG.sub(rf"\1 {MASK}", text)
    text = _BEARER.sub(rf"\1{MASK}", text)
    text = _JWT.sub(MASK, text)
    text = _SHAPES.sub(MASK, text)
    text = _DISPLAYED.sub(f'"{MASK}"', text)
    text = _MAIL.sub(lambda found: _unless_kept(found[0], kept), text)
    text = _IPV4.sub(lambda found: _unless_kept(found[0], kept), text)
    text = _IPV6.sub(lambda found: _ipv6(found[0], kept), text)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _considered(line: str) -> str:
    text = visible_characters(line[: 4 * _CONSIDERED])
    if len(text) <= _CONSIDERED:
        return text
    # A word cut in two may no longer be recognised as a secret.
    return text[:_CONSIDERED].rpartition(" ")[0] or text[:_CONSIDERED]


def _unless_kept(word: str, kept: frozenset[str]) -> str:
    return word if word.lower() in kept or word.lower().rstrip(".") in kept else MASK


def _ipv6(word: str, kept: frozenset[str]) -> str:
    for start in (0, word.find(":") + 1):  # a colon may also precede or follow the address
        for candidate in (word[start:], word[start:-1], word[start:].rstrip(":")):
            try:
                ipaddress.IPv6Address(candidate)
            except ValueError:
                continue
            return word[:start] + _unless_kept(candidate, kept) + word[start + len(candidate) :]
    return word


def _mask_values(text: str, kept: frozenset[str]) -> str:
    """Masks values of keys for people or secrets: a quoted value up to its quote, another up to the next key."""
    keys = list(_KEY.finditer(text))
    shown: list[str] = []
    done = 0
    for index, key in enumerate(keys):
        if key.start() < done or not _is_private(key[1]):
            continue
        following = next((n for n in range(index + 1, len(keys)) if keys[n].start() > key.end()), len(keys))
        end = keys[following].start() if following < len(keys) and not _is_cookie(key[1]) else len(text)
        start, end = _value(text, key.end(), end)
        if start == end or text[start:end].lower() in kept:
            continue
        gap = text[start:end].rstrip(" ,;")
        shown += [text[done:start], MASK, text[start + len(gap) : end]]
        done = end
    return "".join(shown) + text[done:]


def _is_cookie(key: str) -> bool:
    """Whether the value runs to the end of the line because it consists of pairs itself."""
    return key.lower().endswith("cookie")


def _value(text: str, start: int, next_key: int) -> tuple[int, int]:
    quote = text[start : start + 1]
    if quote in ("{", "["):
        return start + 1, _closing(text, start)
    if quote not in ('"', "'"):
        return start, next_key
    end = text.find(quote, start + 1)
    while end > 0 and text[end - 1] == "\\":
        end = text.find(quote, end + 1)
    return start + 1, len(text) if end < 0 else end


def _closing(text: str, start: int) -> int:
    """The offset of the bracket that closes the one at ``start``; the end of ``text`` if none does."""
    depth = 0
    for found in _BRACKETS.finditer(text, start):
        depth += 1 if found[0] in "{[" else -1
        if depth == 0:
            return found.start()
    return len(text)


def _is_private(key: str) -> bool:
    *sections, last = (part.replace("_", "").replace("-", "") for part in key.lower().split("."))
    if last.removesuffix("s") in _LICENCE_TOKENS:
        return False
    return any(
        part in _WHOLE_KEYS
        or part.endswith((*_SECRET_ENDINGS, *_PERSON_ENDINGS))
        or part.removesuffix("s").endswith(_SECRET_ENDINGS)
        for part in (last, *(section for section in sections if section.endswith(_SECRET_ENDINGS)))
    )
