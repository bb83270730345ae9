"""How values are stored: moments in UTC, text that every database accepts, enums, JSON. `Row` is the base of all tables."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Insert, MetaData, UnicodeText
from sqlalchemy.types import TypeDecorator
from sqlmodel import Session, SQLModel

#: Names of constraints: without these each database chooses its own, and migrations could not refer to them.
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

#: The longest text that is indexed as it is, in bytes of UTF-8. PostgreSQL refuses index rows above 2704 bytes, and
#: one index has three such columns.
INDEXED_BYTES = 640

_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


class Row(SQLModel):
    """The base of every table, with metadata of its own that names all constraints."""

    metadata: ClassVar[MetaData] = MetaData(naming_convention=NAMING)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: an aware datetime in UTC, when written and when read, on every database.

    ValueError for a naive datetime, and for one at another offset, which would be a different value after the commit.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The moment as the database stores it: naive on SQLite, which has no time zones."""
        if value is None:
            return None
        if value.utcoffset() != timedelta(0):
            msg = f"a moment to keep must be aware and in UTC, not {value!r}"
            raise ValueError(msg)
        return value.replace(tzinfo=None if dialect.name == "sqlite" else UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The moment in UTC; PostgreSQL returns it at the offset of the session."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


class Text(TypeDecorator[str]):
    """Text from anywhere, mails included.

    NUL, which PostgreSQL refuses, and lone surrogates, which mail parsers make of bad bytes and no driver encodes, are
    stored as U+FFFD.
    """

    impl = UnicodeText
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - the interface
        """The text as it is stored."""
        return None if value is None else clean(value)


class IndexedText(Text):
    """Text in an index. A text that is too long is cut and ends with its SHA-256, which keeps it distinct.

    A value in a query is cut in the same way, so the original text and the stored one both find the row.
    """

    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - the interface
        """The text as it is stored, at most INDEXED_BYTES long."""
        return None if value is None else cut(clean(value))


class _Word(IndexedText):
    """A member of a StrEnum, stored as its value; ValueError for any other text."""

    cache_ok = True

    def __init__(self, words: type[StrEnum]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - the interface
        """The value of the member."""
        return None if value is None else self.words(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:  # noqa: ARG002 - the interface
        """The member."""
        return None if value is None else self.words(value)


def word(words: type[StrEnum]) -> Any:
    """The column type for the members of that enum."""
    return _Word(words)


#: An integer of more than 31 bits: UIDs of IMAP are unsigned 32-bit integers.
Big = BigInteger

#: Any JSON value; None is NULL. Stored as text on both databases (not JSONB): keys keep their order, and hostile
#: strings are escaped.
Json: Any = JSON(none_as_null=True)


def write(s: Session, statement: Insert, **values: Any) -> Any:
    """Inserts one row without making an object of it, in a sixth of the time; flushes the session first.

    Returns the row's primary key, the first column of it if there are several.
    """
    s.flush()
    key = s.connection().execute(statement, values).inserted_primary_key
    return key and key[0]


def clean(text: str) -> str:
    """``text`` with every NUL and every lone surrogate replaced by U+FFFD."""
    if text.isascii():
        return text.replace("\0", "\ufffd")
    return "".join("\ufffd" if char == "\0" or "\ud800" <= char <= "\udfff" else char for char in text)


def cut(text: str) -> str:
    """``text``, or, if it is longer than INDEXED_BYTES, its beginning and its SHA-256."""
    raw = text.encode()
    if len(raw) <= INDEXED_BYTES:
        return text
    return f"{raw[: INDEXED_BYTES - 68].decode(errors='ignore')}...#{hashlib.sha256(raw).hexdigest()}"


def seal(*values: Any) -> str:
    """SHA-256 over the values of a row and the seal of the row before it, so that a later change is detected."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def folded(address: str) -> str:
    """``address`` in ASCII lower case. Other letters stay: Unicode case folding would make different addresses equal."""
    return address.translate(_ASCII_LOWER)


def domain_pattern(address: str) -> str | None:
    """``@example.com`` for ``Jo@Example.com``; None without a local part or a domain."""
    local, at, domain = folded(address).rpartition("@")
    return at + domain if local and domain else None
