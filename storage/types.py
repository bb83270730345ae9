"""How values are kept: moments in UTC, text that every database takes, JSON. All tables stand on `Row`."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Insert, MetaData, UnicodeText
from sqlalchemy.types import TypeDecorator
from sqlmodel import Session, SQLModel

#: Names for what the databases would name each in their own way, so that a migration can speak of them.
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

#: The longest text that goes into an index as it is, in bytes of UTF-8. PostgreSQL refuses index rows above 2704
#: bytes, and three such columns share one index.
INDEXED_BYTES = 640

_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


class Row(SQLModel):
    """The base of every table: one metadata of our own, with names for all constraints."""

    metadata: ClassVar[MetaData] = MetaData(naming_convention=NAMING)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment. Takes only aware datetimes in UTC, gives only such, on every database.

    Anything else is a ValueError: a naive one, or one at another offset, which would be one value before the commit
    and another after it.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The moment as the database takes it; SQLite has no zones and keeps it bare."""
        if value is None:
            return None
        if value.utcoffset() != timedelta(0):
            msg = f"a moment to keep must be aware and in UTC, not {value!r}"
            raise ValueError(msg)
        return value.replace(tzinfo=None if dialect.name == "sqlite" else UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The moment, aware; PostgreSQL gives it at the offset of its session."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


class Text(TypeDecorator[str]):
    """Text from anywhere, mails included.

    PostgreSQL refuses NUL, and no driver encodes lone surrogates (what a mail parser makes of bad bytes): both are kept
    as U+FFFD, so that a strange mail can be written down like any other.
    """

    impl = UnicodeText
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - the interface
        """The text that is kept."""
        return None if value is None else clean(value)


class IndexedText(Text):
    """Text that is looked up: a longer one is cut, and told apart from others by its SHA-256 at the end.

    A lookup goes through the same cut, so it finds what was stored; so does one with a value that was read back.
    """

    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - the interface
        """The text that is kept, at most INDEXED_BYTES long."""
        return None if value is None else cut(clean(value))


#: A whole number beyond 31 bits: IMAP's UIDs are unsigned 32.
Big = BigInteger

#: Any JSON value; None is NULL. Kept as text on both databases (not JSONB): keys keep their order, and hostile strings
#: travel as escapes.
Json: Any = JSON(none_as_null=True)


def write(s: Session, statement: Insert, **values: Any) -> Any:
    """Adds one row that nobody asks for as an object: a sixth of the time. What the session has changed is flushed before.

    Gives the row's primary key, the first part of it where there are several.
    """
    s.flush()
    key = s.connection().execute(statement, values).inserted_primary_key
    return key and key[0]


def clean(text: str) -> str:
    """``text`` with every NUL and lone surrogate as U+FFFD."""
    if text.isascii():
        return text.replace("\0", "\ufffd")
    return "".join("\ufffd" if char == "\0" or "\ud800" <= char <= "\udfff" else char for char in text)


def cut(text: str) -> str:
    """``text``, or its beginning and its SHA-256 where it is longer than INDEXED_BYTES."""
    raw = text.encode()
    if len(raw) <= INDEXED_BYTES:
        return text
    return f"{raw[: INDEXED_BYTES - 68].decode(errors='ignore')}...#{hashlib.sha256(raw).hexdigest()}"


def seal(*said: Any) -> str:
    """SHA-256 over what a row says and the seal of the row before it: who changes one all the same is found out."""
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def folded(address: str) -> str:
    """``address`` without regard to ASCII case. Other letters stay: Unicode folding makes different addresses equal."""
    return address.translate(_ASCII_LOWER)


def domain_pattern(address: str) -> str | None:
    """``@example.com`` of ``Jo@Example.com``; None where there is no local part or no domain."""
    local, at, domain = folded(address).rpartition("@")
    return at + domain if local and domain else None
