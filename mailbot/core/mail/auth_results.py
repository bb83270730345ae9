"""Whether the sender of a mail is proved, by the authentication results of the receiving server (RFC 8601). Fails closed.

Only the topmost ``Authentication-Results`` field with the configured id is believed: the receiving server adds it last
and removes forged ones. Only what authres can parse proves a sender; a ``dmarc=fail`` also counts in a field that
authres cannot parse.

Servers write in different ways that the domain's policy is none. We accept a word ``p=none``, ``policy=none``,
``policy.dmarc=none`` or ``policy.published-domain-policy=none`` in the failed result or its comments (for
``microsoft365``: ``action=none``), unless another of these words, or a ``dis=``, says otherwise.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

import authres

from mailbot.core.base.address import domain_of, fold_case
from mailbot.core.mail.message import Message

MICROSOFT365 = "microsoft365"

FIELD = "authentication-results"
_LONGEST = 4096  # characters; authres takes quadratic time
_POLICY = frozenset({"p", "policy", "policy.dmarc", "policy.published-domain-policy"})
_DISPOSITION = frozenset({"dis", "policy.applied-disposition"})
_WORD = re.compile(r"([a-z0-9.-]{1,60})=([a-z0-9.-]{1,60})")
_FAIL = re.compile(r"\s*dmarc\s*(?:/\s*\d+\s*)?=\s*fail(?![a-z0-9-])")


class Verdict(StrEnum):
    """Whether the sender is proved; REFUSED: the domain denies having sent the mail."""

    VERIFIED = "verified"
    UNVERIFIED = "unverified"
    REFUSED = "refused"


def sender_verdict(message: Message, authserv_id: str | None) -> Verdict:
    """The verdict on ``message.sender``, by the field with the id ``authserv_id`` (``microsoft365``: the field has none).

    Verified: dmarc=pass with header.from, or dkim=pass with header.d or header.i, of exactly the sender's domain.
    Refused: dmarc=fail, unless the field shows that the policy is none. Unverified: anything else, or no id configured.
    """
    value = believed_field(message, authserv_id)
    if authserv_id is None or value is None:
        return Verdict.UNVERIFIED
    microsoft = fold_case(authserv_id) == MICROSOFT365
    failed = [result for result in _results(value) if _FAIL.match(result.said)]
    if failed:
        forgiven = all(_policy_none(result, microsoft) for result in failed)
        return Verdict.UNVERIFIED if forgiven else Verdict.REFUSED
    stamp = f"{MICROSOFT365}; {value}" if microsoft else value
    known = message.sender is not None and _proved(stamp, domain_of(message.sender))
    return Verdict.VERIFIED if known else Verdict.UNVERIFIED


def believed_field(message: Message, authserv_id: str | None) -> str | None:
    """The value of the field that is believed; None if there is none or no id is configured."""
    if authserv_id is None:
        return None
    return _stamped(message, "" if fold_case(authserv_id) == MICROSOFT365 else fold_case(authserv_id))


def _stamped(message: Message, authserv_id: str) -> str | None:
    """The topmost field with that id; for "" the topmost field of all, if it has no id."""
    for value in message.fields(FIELD):
        found = authserv_id_of(value)
        if found == authserv_id:
            return value
        if not authserv_id:
            return None
    return None


def authserv_id_of(value: str) -> str:
    """The authserv-id of a field, in lower case; "" if the field begins with a result."""
    head = _results(value)[0].said
    word = "" if "=" in head else (head.split() or ["?"])[0]
    return word[1:-1] if word[:1] == word[-1:] == '"' else word


@dataclass(frozen=True)
class _Result:
    """One result of a field, in lower case: its text without comments (``said``), and its ``comments``."""

    said: str
    comments: str


def _results(value: str) -> list[_Result]:
    """A field split at its semicolons, except those in comments and quoted strings (RFC 5322 section 3.2)."""
    results: list[_Result] = []
    said: list[str] = []
    comments: list[str] = []
    depth, quoted, escaped = 0, False, False
    for char in value.lower():
        (comments if depth else said).append(char)
        if escaped:
            escaped = False
        elif char == "\\" and (quoted or depth):
            escaped = True
        elif quoted or (char == '"' and not depth):
            quoted = not quoted if char == '"' else quoted
        elif char == "(":
            if not depth:
                said[-1] = " "
            depth += 1
        elif depth:
            depth -= char == ")"
        elif char == ";":
            results.append(_Result("".join(said[:-1]), "".join(comments)))
            said, comments = [], []
    return [*results, _Result("".join(said), "".join(comments))]


def _policy_none(result: _Result, microsoft: bool) -> bool:
    """Whether a failed result shows that the domain's DMARC policy is none."""
    words = [(word[1], word[2]) for word in _WORD.finditer(f"{result.said} {result.comments}")]
    telling = frozenset({"action"}) if microsoft else _POLICY
    policies = {says for name, says in words if name in telling}
    return policies == {"none"} and all(says == "none" for name, says in words if name in _DISPOSITION)


def _proved(value: str, own: str) -> bool:
    """Whether the field, parsed by authres, proves that the mail is from the domain ``own``."""
    value = value.rstrip("; \t")  # Yahoo ends it with a semicolon, which authres rejects
    if len(value) > _LONGEST:
        return False
    if value.lstrip().startswith('"'):  # an id may be quoted (RFC 8601 section 2.2), which authres does not support
        value = value.replace('"', "", 2)
    try:
        results = authres.AuthenticationResultsHeader.parse_value(value).results
    except Exception:  # its own SyntaxError and others
        return False
    dmarc = [result for result in results if result.method == "dmarc"]
    if dmarc and all(result.result == "pass" and _names(result, "from") == own for result in dmarc):
        return True
    signed = [result for result in results if result.method == "dkim" and result.result == "pass"]
    return any((_names(result, "d") or domain_of(_names(result, "i"))) == own for result in signed)


def _names(result: authres.AuthenticationResult, name: str) -> str:
    """The value of ``header.`` and ``name``; "" if there is none or several differ."""
    values = {fold_case(p.value or "") for p in result.properties if (p.type, p.name) == ("header", name)}
    return values.pop() if len(values) == 1 else ""
