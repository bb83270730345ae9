"""How many mails were composed, for whom, since when: the numbers that reply budgets are compared with."""

from collections.abc import Collection
from datetime import datetime

from sqlmodel import Session, col, func, or_, select

from storage.outbox import Outbox
from storage.people import Contact
from storage.types import folded


def count_since(s: Session, recipient: str, since: datetime, kinds: Collection[str]) -> int:
    """How many mails of ``kinds`` to ``recipient``, or to a domain (``@example.com``), were composed since then."""
    address = folded(recipient)
    column = Outbox.recipient_domain if address.startswith("@") else Outbox.recipient_folded
    query = select(func.count()).select_from(Outbox).where(col(column) == address)
    return s.exec(query.where(col(Outbox.composed_at) >= since, col(Outbox.kind).in_(kinds))).one()


def count_unknown_since(
    s: Session, since: datetime, kinds: Collection[str], domain: str | None = None, but: Collection[str] = ()
) -> int:
    """How many mails of ``kinds`` to unknown addresses (of ``@domain``) were composed since then.

    Known addresses are contacts whose row ``makes_known``, and those in ``but`` (folded addresses, ``@domain`` patterns).
    """
    mine = (col(Outbox.recipient_folded), col(Outbox.recipient_domain))
    contact = select(Contact.token).where(
        col(Contact.makes_known).is_(True), or_(*(col(Contact.folded) == column for column in mine))
    )
    query = select(func.count()).select_from(Outbox).where(col(Outbox.composed_at) >= since, ~contact.exists())
    query = query.where(col(Outbox.kind).in_(kinds), *(column.not_in(but) for column in mine if but))
    if domain is not None:
        query = query.where(col(Outbox.recipient_domain) == folded(domain))
    return s.exec(query).one()
