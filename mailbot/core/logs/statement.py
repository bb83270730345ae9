"""One statement about a licence in a log line or status file, with its values validated."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime

from mailbot.core.logs.masking import redact, visible_characters

STATUSES = ("active", "grace", "trial", "inactive", "deactivated")
REASONS = ("token_change", "expired", "unreachable", "other")
#: The fields of a ``Statement`` that a line can prove, the most important first.
PROVEN = ("status", "token", "previous_token", "reason", "days_left", "since", "expires_at", "version", "last_contact")
_TOKEN = re.compile(r"[!-~]{8,128}")
_NUMBER = re.compile(r"-?[0-9]{1,5}(?:\.[0-9]{1,9})?")


@dataclass(frozen=True)
class LogExcerpt:
    """A line in a file: ``number`` counts from 1, ``text`` is unredacted and may be cut."""

    file: str
    number: int
    text: str


@dataclass(frozen=True)
class Statement:
    """The values that a line or file states; None for those it does not.

    Times are ISO 8601: local without zone in log lines, as written in status files. ``from_file``: from a status file.
    ``where``: each stated field of PROVEN -> the line that states it.
    """

    line: LogExcerpt
    from_file: bool = False
    at: str | None = None
    status: str | None = None
    token: str | None = None
    previous_token: str | None = None
    reason: str | None = None
    days_left: int | None = None
    since: str | None = None
    expires_at: str | None = None
    version: str | None = None
    last_contact: str | None = None
    where: Mapping[str, LogExcerpt] = field(default_factory=dict)

    def goes_on(self, earlier: "Statement") -> bool:
        """Whether this states the same state as ``earlier``; a missing value contradicts nothing."""
        return self.status == earlier.status and all(
            mine is None or theirs is None or mine == theirs
            for mine, theirs in ((self.token, earlier.token), (self.reason, earlier.reason))
        )

    def filled(self, other: "Statement", names: frozenset[str] | None = None) -> "Statement":
        """This statement with missing values taken from ``other`` (only the fields ``names``, if given)."""
        missing = {
            one.name: getattr(other, one.name)
            for one in fields(self)
            if getattr(self, one.name) is None and (names is None or one.name in names)
        }
        taken = {name: line for name, line in other.where.items() if name in missing}
        return replace(self, **missing, where={**taken, **self.where})


def statement(line: LogExcerpt, at: str | None, said: Mapping[str, object]) -> Statement:
    """The statement in ``said`` (keys by ``plain_key``). Invalid values are dropped."""
    made = Statement(
        line,
        at=at,
        status=_word(said.get("status"), STATUSES),
        token=licence_token(said.get("token", said.get("newtoken"))),
        previous_token=licence_token(said.get("previoustoken", said.get("oldtoken"))),
        reason=_reason(said.get("reason")),
        days_left=_days(said.get("daysleft")),
        since=iso(said.get("startedat", said.get("since"))),
        expires_at=iso(said.get("expiresat")),
        version=_short(said.get("version")),
        last_contact=iso(said.get("lastcontactat", said.get("lastcontact"))),
    )
    return replace(made, where={name: line for name in PROVEN if getattr(made, name) is not None})


def plain_key(key: str) -> str:
    """The key in lower case without separators: "previousToken" and "previous_token" are equal."""
    return key.lower().replace("_", "").replace("-", "")


def licence_token(value: object) -> str | None:
    """``value`` if it is a valid licence token (8 to 128 visible ASCII characters), else None."""
    return value if isinstance(value, str) and _TOKEN.fullmatch(value) else None


def iso(value: object) -> str | None:
    """``value`` as ISO 8601; None if it is not a date or time."""
    if not isinstance(value, str) or not 10 <= len(value) <= 40:
        return None
    try:
        return datetime.fromisoformat(value).isoformat()
    except ValueError:
        return None


def unknown_status(value: object) -> str | None:
    """The redacted status if it is neither a known one nor the beginning of one (a torn line); else None."""
    word = _short(value)
    if word is None or any(status.startswith(word.lower()) for status in STATUSES):
        return None
    return word


def _word(value: object, known: tuple[str, ...]) -> str | None:
    word = value.strip().lower().replace("-", "_").replace(" ", "_") if isinstance(value, str) else ""
    return word if word in known else None


def _reason(value: object) -> str | None:
    """The known reason, or an unknown one redacted; None for the beginning of a known one (a torn line)."""
    word = _short(value)
    if word is None or _word(word, REASONS):
        return _word(word, REASONS)
    return None if any(reason.startswith(word.lower()) for reason in REASONS) else word


def _days(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    text = str(value) if not isinstance(value, int) or abs(value) < 100_000 else ""
    return int(float(text)) if _NUMBER.fullmatch(text) else None


def _short(value: object) -> str | None:
    """The first 60 characters, redacted; None if nothing is left."""
    shown = redact(visible_characters(value[:60]).strip()) if isinstance(value, str) else ""
    return shown or None
