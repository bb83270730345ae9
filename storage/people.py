"""Names and addresses: the customer and the contacts of each licence, outside the ledger so that they can be erased."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import bindparam, insert
from sqlmodel import Field, Session, col, select, update

from storage.types import IndexedText, Row, Text, UtcDateTime, domain_pattern, folded, write


class Party(Row, table=True):
    """The customer of a licence."""

    __tablename__ = "party"

    token: str = Field(sa_type=IndexedText, primary_key=True)
    customer_name: str = Field(sa_type=Text)
    name_folded: str = Field(sa_type=IndexedText, index=True)


class Contact(Row, table=True):
    """An address ``jo@example.com`` or a pattern ``@example.com`` that is a contact of a licence.

    ``makes_known``: the licence is or was active by import, operator or staff, so the desk knows its contacts.
    """

    __tablename__ = "contact"

    token: str = Field(sa_type=IndexedText, primary_key=True)
    folded: str = Field(sa_type=IndexedText, primary_key=True, index=True)
    address: str = Field(sa_type=Text)
    since: datetime = Field(sa_type=UtcDateTime)
    makes_known: bool = False


_NEW_PARTY, _NEW_CONTACT = insert(Party), insert(Contact)
_CONTACTS = select(Contact).where(col(Contact.token) == bindparam("token"))
_NAMED = select(Party.token).where(col(Party.name_folded) == bindparam("name"))
_MATCHING = col(Contact.folded).in_(bindparam("forms", expanding=True))
_OF_ADDRESS = select(Contact).where(_MATCHING)
_KNOWN = select(Contact.token).where(_MATCHING, col(Contact.makes_known).is_(True)).limit(1)


def set_name(s: Session, token: str, name: str) -> None:
    """Sets the customer of the licence."""
    row = s.get(Party, token)
    if row is None:
        write(s, _NEW_PARTY, token=token, customer_name=name, name_folded=name.casefold())
    else:
        row.customer_name, row.name_folded = name, name.casefold()
        s.flush()


def set_names(s: Session, names: Mapping[str, str]) -> None:
    """Sets the customers of many licences, by token."""
    rows = [{"token": t, "customer_name": name, "name_folded": name.casefold()} for t, name in names.items()]
    known = _tokens_of(s, Party, names)
    new = [row for row in rows if row["token"] not in known]
    if new:
        s.execute(insert(Party), new)
    for row in rows:
        if row["token"] in known:
            set_name(s, row["token"], row["customer_name"])


def replace_contacts(
    s: Session, contacts: Mapping[str, Sequence[str]], since: datetime, makes_known: Collection[str]
) -> None:
    """Sets the contacts of many licences, by token; a contact that stays keeps its date."""
    known = _tokens_of(s, Contact, contacts)
    new = []
    for token, addresses in contacts.items():
        wanted = {folded(address): address for address in addresses}
        if token in known:
            _drop_others(s, token, wanted)
            for address in addresses:
                add_contact(s, token, address, since, token in makes_known)
        else:
            new += [
                {"token": token, "folded": key, "address": address, "since": since, "makes_known": token in makes_known}
                for key, address in wanted.items()
            ]
    if new:
        s.execute(insert(Contact), new)


def _drop_others(s: Session, token: str, wanted: Collection[str]) -> None:
    for row in contacts(s, token):
        if row.folded not in wanted:
            s.delete(row)
    s.flush()


def _tokens_of(s: Session, table: type[Party] | type[Contact], tokens: Collection[str]) -> set[str]:
    """Those of ``tokens`` that are in the table."""
    wanted = list(tokens)
    found: set[str] = set()
    for start in range(0, len(wanted), 500):
        found.update(s.exec(select(table.token).where(col(table.token).in_(wanted[start : start + 500]))))
    return found


def name(s: Session, token: str) -> str | None:
    """The customer of the licence."""
    row = s.get(Party, token)
    return None if row is None else row.customer_name


def tokens_named(s: Session, name: str) -> list[str]:
    """The tokens of a customer of that name, in any case; sorted."""
    return sorted(s.exec(_NAMED, params={"name": name.casefold()}))


def add_contact(s: Session, token: str, address: str, since: datetime, makes_known: bool) -> None:
    """Adds a contact. One that exists keeps its spelling and date; ``makes_known`` can only become true."""
    row = s.get(Contact, (token, folded(address)))
    if row is None:
        values = {"token": token, "folded": folded(address), "address": address}
        write(s, _NEW_CONTACT, **values, since=since, makes_known=makes_known)
    elif makes_known and not row.makes_known:
        row.makes_known = True
        s.flush()


def contacts(s: Session, token: str) -> list[Contact]:
    """The contacts of the licence, oldest first."""
    found = s.exec(_CONTACTS, params={"token": token})
    return sorted(found, key=lambda row: (row.since, row.folded))


def names(s: Session) -> dict[str, str]:
    """The customer of each licence, by token."""
    return {row.token: row.customer_name for row in s.exec(select(Party))}


def all_contacts(s: Session) -> dict[str, tuple[str, ...]]:
    """The contacts of each licence that has any, by token, oldest first."""
    found: dict[str, tuple[str, ...]] = {}
    for row in sorted(s.exec(select(Contact)), key=lambda row: (row.since, row.folded)):
        found[row.token] = (*found.get(row.token, ()), row.address)
    return found


def tokens_of_address(s: Session, address: str) -> list[Contact]:
    """The contacts of all licences that match the address, itself or by the pattern of its domain; sorted by token."""
    found = s.exec(_OF_ADDRESS, params={"forms": _matching(address)})
    return sorted(found, key=lambda row: (row.token, row.folded))


def known(s: Session, address: str) -> bool:
    """Whether a contact that ``makes_known`` matches the address, itself or by the pattern of its domain."""
    return s.exec(_KNOWN, params={"forms": _matching(address)}).first() is not None


def mark_known(s: Session, token: str) -> None:
    """Makes the contacts of the licence known, when a decision has made it active."""
    s.exec(update(Contact).where(col(Contact.token) == token).values(makes_known=True))


def move(s: Session, old: str, new: str) -> None:
    """Copies the customer and the contacts of ``old`` to ``new``, which keeps its own contacts too."""
    customer = name(s, old)
    if customer is not None:
        set_name(s, new, customer)
    for row in contacts(s, old):
        add_contact(s, new, row.address, row.since, row.makes_known)


def _matching(address: str) -> list[str]:
    """The folded contacts that match the address: itself and the pattern of its domain; none without a domain."""
    pattern = domain_pattern(address)
    return [] if pattern is None else [folded(address), pattern]
