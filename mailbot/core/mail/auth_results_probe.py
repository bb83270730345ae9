"""What a mail shows of the border, the mail server that receives for the desk: whether it removes forged ``Authentication-Results`` and adds its own."""

from collections.abc import Sequence
from dataclasses import dataclass

from mailbot.core.base.address import domain_of, fold_case
from mailbot.core.base.characters import single_line
from mailbot.core.mail.auth_results import FIELD, MICROSOFT365, Verdict, authserv_id_of, believed_field, sender_verdict
from mailbot.core.mail.message import Message

#: At most this many fields are named; a mail may have a thousand.
_MAX_NAMED = 5


@dataclass(frozen=True)
class BorderFinding:
    """One check: whether it is ``good``, and in words what was found and what to do."""

    name: str
    good: bool
    detail: str


def forged_fields(authserv_id: str, address: str, mark: str) -> tuple[str, ...]:
    """Header lines as an attacker would forge them, in each form that the desk reads: under its own id they prove ``address``.

    ``mark`` identifies them when they arrive, even if a server removes comments.
    """
    said = f"dmarc=pass (probe {mark}) header.from={domain_of(address)}; dkim=pass header.d={mark}.invalid"
    name = FIELD.title()
    if fold_case(authserv_id) == MICROSOFT365:
        return f"{name}: {said}", f"{name.upper()}: {said}", f"{name}:\r\n\t{said}"
    heads = (
        *(authserv_id, f"{authserv_id} 1", f"(x) {authserv_id}", f'"{authserv_id}"', authserv_id.swapcase()),
        *(f"{authserv_id}(x)", f"\r\n\t{authserv_id}"),
    )
    return *(f"{name}: {head}; {said}" for head in heads), f"{name.upper()}: {authserv_id}; {said}"


def probe_findings(message: Message, mark: str, authserv_id: str) -> tuple[BorderFinding, BorderFinding]:
    """Whether the border removed the forged fields of a probe, and whether it added its own above them."""
    fields = message.fields(FIELD)
    forged = [
        f"{name}: {value}" for name, value in message.headers if fold_case(name) == FIELD and _marked(value, mark)
    ]
    believed = believed_field(message, authserv_id)
    own = None if believed is None or _marked(believed, mark) else believed
    return _stripped(forged, own), _stamped(own, fields, authserv_id)


def _marked(value: str, mark: str) -> bool:
    return fold_case(mark) in fold_case(value)


def _stripped(forged: list[str], own: str | None) -> BorderFinding:
    if not forged:
        return BorderFinding("forged field", True, "the receiving server removed it on this path")
    so_far = (
        "only the field that the server puts above it protects the desk" if own else "any mail can claim to be verified"
    )
    return BorderFinding(
        "forged field", False,
        f"it arrived ({single_line(forged[0].partition(';')[0], 80)}): the receiving server does not remove every forged Authentication-Results, so "
        f"{so_far}; configure the server to remove fields with its own id from all incoming mail",
    )  # fmt: skip


def _stamped(own: str | None, fields: Sequence[str], authserv_id: str) -> BorderFinding:
    if own:
        return BorderFinding("server's field", True, f"the server added: {single_line(own, 300)}")
    others = ", ".join(_ids(fields)) or "none at all"
    return BorderFinding(
        "server's field", False,
        f"there is no field with the id {authserv_id!r} on top of this mail (ids seen: {others}); servers often do not check mail from their "
        "own users: try --probe-mail with a mail that came from outside",
    )  # fmt: skip


def mail_findings(message: Message, authserv_id: str | None) -> tuple[BorderFinding, ...]:
    """How the desk judges the sender of a received mail, and by which field."""
    fields = message.fields(FIELD)
    if message.fault:
        return (BorderFinding("sender", False, f"the desk sets this mail aside: {message.fault}"),)
    if message.sender is None:
        return (BorderFinding("sender", False, f"no single sender: {message.sender_fault or 'no From'}"),)
    found = sender_verdict(message, authserv_id)
    named = BorderFinding("sender", found is Verdict.VERIFIED, f"{single_line(message.sender)} is {found.value}")
    return (named, _believed(fields, authserv_id, believed_field(message, authserv_id)))


def _believed(fields: Sequence[str], authserv_id: str | None, believed: str | None) -> BorderFinding:
    if authserv_id is None:
        ids = ", ".join(_ids(fields)) or "none"
        return BorderFinding(
            "field",
            False,
            f"identity.authserv_id is not set, so the desk trusts no field; ids on this mail, topmost first: {ids}",
        )
    if believed is None:
        ids = ", ".join(_ids(fields)) or "none"
        on_top = " on top" if fold_case(authserv_id) == MICROSOFT365 else ""
        return BorderFinding(
            "field",
            False,
            f"there is no field with the id {authserv_id!r}{on_top}; ids on this mail, topmost first: {ids}",
        )
    mine = [value for value in fields if _is_of(value, authserv_id)]
    if len(mine) > 1:
        return BorderFinding(
            "field",
            False,
            f"{len(mine)} fields have the id {authserv_id!r}; the topmost counts, the others may be forged: {single_line(believed, 300)}",
        )
    return BorderFinding("field", True, f"trusted: {single_line(believed, 300)}")


def _is_of(value: str, authserv_id: str) -> bool:
    return authserv_id_of(value) == ("" if fold_case(authserv_id) == MICROSOFT365 else fold_case(authserv_id))


def _ids(fields: Sequence[str]) -> list[str]:
    return [single_line(authserv_id_of(value), 80) or f"(no id: {MICROSOFT365}?)" for value in fields[:_MAX_NAMED]]
