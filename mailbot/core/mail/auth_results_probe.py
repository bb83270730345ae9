"""What a mail shows of the border, the mail server that receives for the desk: whether it strips forged results and stamps its own."""

from collections.abc import Sequence
from dataclasses import dataclass

from mailbot.core.base.address import domain_of, fold_case
from mailbot.core.base.characters import single_line
from mailbot.core.mail.auth_results import FIELD, MICROSOFT365, Verdict, authserv_id_of, believed_field, sender_verdict
from mailbot.core.mail.message import Message

#: So many fields are named; a mail may hold a thousand.
_MOST = 5


@dataclass(frozen=True)
class BorderFinding:
    """One thing that was looked at: ``good`` or not, and in words what was found and what to do."""

    name: str
    good: bool
    detail: str


def forged_fields(authserv_id: str, address: str, mark: str) -> tuple[str, ...]:
    """The lines of the field as an attacker writes it, in each form that the desk reads: its own id says that ``address`` is proved.

    ``mark`` finds them again, also where a server leaves comments out.
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
    """Whether the forged fields of a probe are gone, and whether the border has stamped one of its own above them."""
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
        return BorderFinding("forged field", True, "the border has removed it on this path")
    so_far = "only the field that the border puts above it protects the desk" if own else "any mail can prove itself"
    return BorderFinding(
        "forged field", False,
        f"it arrived ({single_line(forged[0].partition(';')[0], 80)}): the border does not remove every forged Authentication-Results, so "
        f"{so_far}; make the receiving server remove fields with its own id from every mail that comes in",
    )  # fmt: skip


def _stamped(own: str | None, fields: Sequence[str], authserv_id: str) -> BorderFinding:
    if own:
        return BorderFinding("border's field", True, f"it was stamped: {single_line(own, 300)}")
    others = ", ".join(_ids(fields)) or "none at all"
    return BorderFinding(
        "border's field", False,
        f"there is none of the id {authserv_id!r} on top of this mail (ids seen: {others}); servers often do not check mail of their own "
        "users: try a mail that came from outside with --probe-mail",
    )  # fmt: skip


def mail_findings(message: Message, authserv_id: str | None) -> tuple[BorderFinding, ...]:
    """What the desk makes of the sender of a mail that came in, and by which field."""
    fields = message.fields(FIELD)
    if message.fault:
        return (BorderFinding("sender", False, f"the desk sets this mail aside: {message.fault}"),)
    if message.sender is None:
        return (BorderFinding("sender", False, f"no one sender: {message.sender_fault or 'no From'}"),)
    found = sender_verdict(message, authserv_id)
    named = BorderFinding("sender", found is Verdict.VERIFIED, f"{single_line(message.sender)} is {found.value}")
    return (named, _believed(fields, authserv_id, believed_field(message, authserv_id)))


def _believed(fields: Sequence[str], authserv_id: str | None, believed: str | None) -> BorderFinding:
    if authserv_id is None:
        ids = ", ".join(_ids(fields)) or "none"
        return BorderFinding(
            "field",
            False,
            f"identity.authserv_id is not set, so none is believed; ids on this mail, topmost first: {ids}",
        )
    if believed is None:
        ids = ", ".join(_ids(fields)) or "none"
        on_top = " on top" if fold_case(authserv_id) == MICROSOFT365 else ""
        return BorderFinding(
            "field", False, f"there is none of the id {authserv_id!r}{on_top}; ids on this mail, topmost first: {ids}"
        )
    mine = [value for value in fields if _is_of(value, authserv_id)]
    if len(mine) > 1:
        return BorderFinding(
            "field",
            False,
            f"{len(mine)} fields have the id {authserv_id!r}; the topmost counts, the others may be forged: {single_line(believed, 300)}",
        )
    return BorderFinding("field", True, f"believed: {single_line(believed, 300)}")


def _is_of(value: str, authserv_id: str) -> bool:
    return authserv_id_of(value) == ("" if fold_case(authserv_id) == MICROSOFT365 else fold_case(authserv_id))


def _ids(fields: Sequence[str]) -> list[str]:
    return [single_line(authserv_id_of(value), 80) or f"(no id: {MICROSOFT365}?)" for value in fields[:_MOST]]
