"""Mail that no person wrote: delivery reports (RFC 3464), automatic answers (RFC 3834), mail of our own.

This module only tells. What follows, and whether a report names a mail of ours, is for others to decide.
"""

import re
from dataclasses import dataclass

from mailbot.core.address import clean, fold, listed, same
from mailbot.core.message import Attachment, Message, parse

OWN_HEADER = "X-Mailbot"

_STATUS = frozenset({"message/delivery-status", "message/global-delivery-status"})
_HEADERS = frozenset({"text/rfc822-headers", "message/global-headers", "message/rfc822-headers"})
_DAEMONS = frozenset({"mailerdaemon", "postmaster"})
_UNANSWERED = ("noreply", "donotreply", "noanswer", "nonrispondere", "keineantwort", "nepasrepondre", "noresponder")
_BULK = frozenset({"bulk", "junk", "list", "auto_reply"})
_RESPONDERS = ("x-autoreply", "x-autorespond", "x-autoresponse", "x-auto-reply")
_LISTS = ("list-id", "list-unsubscribe", "list-post")
_ORIGINAL_ID = re.compile(r"^[> \t]{0,20}message-id:[ \t]{0,20}\n?[> \t]{0,20}(<[^<>\s]{1,900}>)", re.I | re.M)
_MOST_IDS = 50


@dataclass(frozen=True)
class Report:
    """A delivery report on one recipient.

    ``action`` is ``failed``, ``delayed``, ``delivered``, ``relayed`` or ``expanded``; ``status`` the code of RFC 3463
    ("" if none is given); ``recipient`` who was to have the mail ("" if unknown); ``original_ids`` the Message-IDs of
    the mails that came back, with angle brackets; ``diagnostic`` what the other server said, cleaned.
    """

    action: str
    status: str
    recipient: str
    original_ids: tuple[str, ...]
    diagnostic: str


def report(message: Message) -> Report | None:
    """The delivery report in ``message``, None if it is none. Of several recipients one that failed is told.

    A report without the fields of RFC 3464 counts only from a daemon, with a null return path (or the field
    ``X-Failed-Recipients``), and with the Message-ID of a mail that it returns.
    """
    kind = (message.field("content-type") or "").lower()
    status = next((one for one in message.attachments if one.content_type in _STATUS), None)
    if status is not None and (kind.startswith("multipart/report") or _is_daemon(message)):
        return _by_fields(status, _returned_ids(message))
    failed = listed(message.field("x-failed-recipients") or "")
    if not (_is_daemon(message) and (failed or _null_path(message))):
        return None
    ids = _returned_ids(message) or tuple(dict.fromkeys(_ORIGINAL_ID.findall(message.text)))[:_MOST_IDS]
    return Report("failed", "", failed[0] if failed else "", ids, clean(message.subject)) if ids else None


def _by_fields(status: Attachment, ids: tuple[str, ...]) -> Report:
    blocks = [block for block in status.data[:100_000].replace(b"\r\n", b"\n").split(b"\n\n") if block.strip()]
    recipients = [one for block in blocks[:_MOST_IDS] if (one := parse(block.strip(b"\n") + b"\n\n")).field("action")]
    if not recipients:
        return Report("failed", "", "", ids, "")
    one = next((one for one in recipients if _action(one) == "failed"), recipients[0])
    who = one.field("final-recipient") or one.field("original-recipient") or ""
    plain = listed(who.rpartition(";")[2])
    return Report(
        action=_action(one),
        status=clean((one.field("status") or "").partition("(")[0], 20),
        recipient=plain[0] if plain else "",
        original_ids=ids,
        diagnostic=clean(one.field("diagnostic-code") or "", 300),
    )


def _action(block: Message) -> str:
    return clean((block.field("action") or "").partition("(")[0].lower(), 20)


def _returned_ids(message: Message) -> tuple[str, ...]:
    """The Message-IDs of the mails, or of their headers, that came back in ``message``."""
    headers = [parse(one.data.lstrip(b"\n")) for one in message.attachments if one.content_type in _HEADERS]
    ids = (one.message_id for one in [*message.attached, *headers])
    return tuple(dict.fromkeys(one for one in ids if one))[:_MOST_IDS]


def own(message: Message) -> bool:
    """Whether ``message`` says that this desk, or another mailbot, wrote it."""
    return message.field(OWN_HEADER) is not None


def automatic(message: Message, desk_address: str) -> str | None:
    """Why ``message`` is automatic mail, in a few words; None if a person may have written it.

    ``desk_address``: nothing that comes from it is a person's. ``X-Auto-Response-Suppress`` alone says nothing.
    """
    if own(message):
        return "it is a mail of our own"
    if message.sender is not None and same(message.sender, desk_address):
        return "it comes from the desk's own address"
    kind = (message.field("content-type") or "").lower()
    if report(message) is not None or (kind.startswith("multipart/report") and "delivery-status" in kind):
        return "delivery report"
    if kind.startswith("multipart/report"):
        return "report of a mail program"
    return _by_header(message) or _by_sender(message) or _by_words(message)


def _by_header(message: Message) -> str | None:
    submitted = fold((message.field("auto-submitted") or "no").partition(";")[0].partition("(")[0]).strip()
    if submitted != "no":
        return f"Auto-Submitted: {clean(submitted, 40)}"
    if _null_path(message):
        return "null return path"
    precedence = fold(message.field("precedence") or "").strip()
    if precedence in _BULK:
        return f"Precedence: {precedence}"
    for name in (*_RESPONDERS, *_LISTS):
        value = message.field(name)
        if value is not None and fold(value).strip() != "no":
            return f"{name.title()} field"
    return None


def _null_path(message: Message) -> bool:
    return (message.field("return-path") or "").replace(" ", "") == "<>"


def _by_sender(message: Message) -> str | None:
    local = _local(message)
    plain = _plain(local)
    daemon = plain in _DAEMONS or plain in ("bounce", "bounces") or plain.startswith(_UNANSWERED)
    return f"the sender {clean(local, 60)} is no person" if daemon else None


def _is_daemon(message: Message) -> bool:
    return _plain(_local(message)) in _DAEMONS


def _plain(local: str) -> str:
    return "".join(sign for sign in local.partition("+")[0] if sign.isalnum())


def _local(message: Message) -> str:
    """The sender's local part in lower case; daemons often write no more than that, or no proper address."""
    address = message.sender or (message.field("from") or "").rpartition("<")[2].rstrip(">")
    return fold(address.partition("@")[0].partition("(")[0].strip().strip('"'))


_BY_SUBJECT = tuple(
    line.strip()
    for line in """
    automatic reply:
    automatic reply for
    auto reply:
    auto-reply:
    autoreply:
    autoreply for
    auto response:
    auto-response:
    autoresponse:
    auto: out of office
    out of office:
    out of office autoreply
    out of office reply
    out of the office:
    vacation reply
    abwesenheitsnotiz
    automatische antwort:
    automatische antwort auf
    abwesend:
    risposta automatica
    risposta automatica:
    fuori sede:
    fuori ufficio:
    assenza dall'ufficio
    réponse automatique
    absence du bureau
    absent du bureau
    message d'absence
    respuesta automática
    respuesta automatica
    fuera de la oficina
    ausente de la oficina
    """.strip().splitlines()
)
_WHOLE_SUBJECTS = frozenset({"out of office", "out of the office", "automatic reply", "autoreply", "fuori ufficio"})
_BY_TEXT = (
    "this is an automatic reply",
    "this is an automated reply",
    "this is an automatic response",
    "this is an automated response",
    "i am currently out of the office",
    "i am out of the office",
    "i'm currently out of the office",
    "i'm out of the office",
    "questa è una risposta automatica",
    "sono fuori ufficio",
    "sarò fuori ufficio",
    "dies ist eine automatische antwort",
    "dies ist eine automatisch generierte",
    "ceci est une réponse automatique",
    "je suis absent",
    "je suis actuellement absent",
    "esta es una respuesta automática",
    "estoy fuera de la oficina",
    "estaré fuera de la oficina",
)
_GERMAN = ("nicht im büro", "nicht im haus", "außer haus", "ausser haus", "nicht am arbeitsplatz")


def _by_words(message: Message) -> str | None:
    """Answers of programs without a sign in the header; only whole phrases at a beginning count."""
    subject = message.subject.lower().replace("’", "'").replace(" :", ":")
    if subject.startswith(_BY_SUBJECT) or subject in _WHOLE_SUBJECTS:
        return "the subject of an absence notice"
    lines = [line.strip() for line in message.text[:4000].splitlines() if line.strip()]
    own_lines = [line for line in lines[:4] if not line.startswith(">")]
    if any(_is_absence(line.lower().replace("’", "'")) for line in own_lines):
        return "the words of an absence notice"
    return None


def _is_absence(line: str) -> bool:
    return line.startswith(_BY_TEXT) or (line.startswith("ich bin ") and any(word in line for word in _GERMAN))
