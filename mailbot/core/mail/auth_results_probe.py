"""What a mail shows of the border, the mail server that receives for the desk: whether it strips forged results and stamps its own."""

from collections.abc import Sequence
from dataclasses import dataclass

from mailbot.core.base.address import clean, domain, fold_case
from mailbot.core.mail.auth_results import FIELD, MICROSOFT365, Verdict, evidence, id_of, verdict
from mailbot.core.mail.message import Message

#: So many fields are named; a mail may hold a thousand.
_MOST = 5


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: ``good`` or not, and in words what was found and what to do."""

    name: str
    good: bool
    detail: str


def forged_fields(authserv_id: str, address: str, mark: str) -> tuple[str, ...]:
    """The lines of the field as an attacker writes it, in each form that the desk reads: its own id says that ``address`` is proved.

    ``mark`` finds them again, also where a server leaves comments out.
    """
    said = f"dmarc=pass (probe {mark}) header.from={domain(address)}; dkim=pass header.d={mark}.invalid"
    name = FIELD.title()
    if fold_case(authserv_id) == MICROSOFT365:
        return f"{name}: {said}", f"{name.upper()}: {said}", f"{name}:\r\n\t{said}"
    heads = (
        *(authserv_id, f"{authserv_id} 1", f"(x) {authserv_id}", f'"{authserv_id}"', authserv_id.swapcase()),
        *(f"{authserv_id}(x)", f"\r\n\t{authserv_id}"),
    )
    return *(f"{name}: {head}; {said}" for head in heads), f"{name.upper()}: {authserv_id}; {said}"


def of_probe(message: Message, mark: str, authserv_id: str) -> tuple[Finding, Finding]:
    """Whether the forged fields of a probe are gone, and whether the border has stamped one of its own above them."""
    fields = message.fields(FIELD)
    forged = [
        f"{name}: {value}" for name, value in message.headers if fold_case(name) == FIELD and _marked(value, mark)
    ]
    believed = evidence(message, authserv_id)
    own = None if believed is None or _marked(believed, mark) else believed
    return _stripped(forged, own), _stamped(own, fields, authserv_id)


def _marked(value: str, mark: str) -> bool:
    return fold_case(mark) in fold_case(value)


def _stripped(forged: list[str], own: str | None) -> Finding:
    if not forged:
        return Finding("forged field", True, "the receiving server removed it on this path")
    so_far = (
        "only the field that the server puts above it protects the desk" if own else "any mail can claim to be verified"
    )
    return Finding(
        "forged field", False,
        f"it arrived ({clean(forged[0].partition(';')[0], 80)}): the receiving server does not remove every forged Authentication-Results, so "
        f"{so_far}; configure the server to remove fields with its own id from all incoming mail",
    )  # fmt: skip


def _stamped(own: str | None, fields: Sequence[str], authserv_id: str) -> Finding:
    if own:
        return Finding("server's field", True, f"the server added: {clean(own, 300)}")
    others = ", ".join(_ids(fields)) or "none at all"
    return Finding(
        "server's field", False,
        f"there is no field with the id {authserv_id!r} on top of this mail (ids seen: {others}); servers often do not check mail from their "
        "own users: try --probe-mail with a mail that came from outside",
    )  # fmt: skip


def of_mail(message: Message, authserv_id: str | None) -> tuple[Finding, ...]:
    """What the desk makes of the sender of a mail that came in, and by which field."""
    fields = message.fields(FIELD)
    if message.fault:
        return (Finding("sender", False, f"the desk sets this mail aside: {message.fault}"),)
    if message.sender is None:
        return (Finding("sender", False, f"no single sender: {message.sender_fault or 'no From'}"),)
    found = verdict(message, authserv_id)
    named = Finding("sender", found is Verdict.VERIFIED, f"{clean(message.sender)} is {found.value}")
    return (named, _believed(fields, authserv_id, evidence(message, authserv_id)))


def _believed(fields: Sequence[str], authserv_id: str | None, believed: str | None) -> Finding:
    if authserv_id is None:
        ids = ", ".join(_ids(fields)) or "none"
        return Finding(
            "field",
            False,
            f"identity.authserv_id is not set, so the desk trusts no field; ids on this mail, topmost first: {ids}",
        )
    if believed is None:
        ids = ", ".join(_ids(fields)) or "none"
        on_top = " on top" if fold_case(authserv_id) == MICROSOFT365 else ""
        return Finding(
            "field",
            False,
            f"there is no field with the id {authserv_id!r}{on_top}; ids on this mail, topmost first: {ids}",
        )
    mine = [value for value in fields if _is_of(value, authserv_id)]
    if len(mine) > 1:
        return Finding(
            "field",
            False,
            f"{len(mine)} fields have the id {authserv_id!r}; the topmost counts, the others may be forged: {clean(believed, 300)}",
        )
    return Finding("field", True, f"trusted: {clean(believed, 300)}")


def _is_of(value: str, authserv_id: str) -> bool:
    return id_of(value) == ("" if fold_case(authserv_id) == MICROSOFT365 else fold_case(authserv_id))


def _ids(fields: Sequence[str]) -> list[str]:
    return [clean(id_of(value), 80) or f"(no id: {MICROSOFT365}?)" for value in fields[:_MOST]]
