"""Which kind of mail a message is, decided in one fixed order from the message and its thread alone."""

from dataclasses import dataclass, replace

from mailbot.core.form.forwarded import is_reply
from mailbot.core.form.reader import FORMS_MAX, read_fields, read_forms
from mailbot.core.form.request import Action, Reading, RequestKind
from mailbot.core.form.which_form import request_of
from mailbot.core.inbound.purpose import Purpose
from mailbot.core.inbound.reply_keys import FoundKey
from mailbot.core.mail import bounce
from mailbot.core.mail.message import Message

#: A command as the subject is ignored if the text has a form with more than this many fields.
_FEW_FIELDS = 2


@dataclass(frozen=True)
class Thread:
    """What the desk knows of the key that came with a message.

    ``purpose``: None without a known key; ``live``: the key may still be used, else ``dead_why`` says why not. ``address``: who was
    given it. ``refs``: (ticket, its version, licence revision) as the answered mail showed them. ``payload``: the text that is to
    be confirmed. ``digest``: what is stored of the key.
    """

    found: FoundKey
    purpose: Purpose | None = None
    live: bool = False
    dead_why: str = ""
    address: str = ""
    refs: tuple[tuple[str, int, int], ...] = ()
    payload: str = ""
    digest: str = ""


@dataclass(frozen=True)
class Unusable:
    """It cannot be handled; it goes to quarantine."""

    why: str


@dataclass(frozen=True)
class Ours:
    """Our own mail, back in our mailbox."""


@dataclass(frozen=True)
class Bounced:
    """A delivery report, not necessarily on one of our mails."""

    report: bounce.DeliveryReport


@dataclass(frozen=True)
class Automatic:
    """Sent by a program: never answered, decides nothing. Forms in it are shown to staff."""

    why: str
    readings: tuple[Reading, ...] = ()


@dataclass(frozen=True)
class SetAside:
    """Marked as spam by the mail server."""


@dataclass(frozen=True)
class StaffReply:
    """A reply with a key that was given to a member of staff."""


@dataclass(frozen=True)
class CustomerReply:
    """A reply with a key that was given to a customer."""


@dataclass(frozen=True)
class Forms:
    """One or more forms, each to become a ticket."""

    readings: tuple[Reading, ...]


@dataclass(frozen=True)
class HelpCommand:
    """A request for the list of forms."""


@dataclass(frozen=True)
class FormCommand:
    """A request for a blank form, of one ``action`` or of all (None).

    ``wordless``: only the subject names the request, the text is empty.
    """

    request: RequestKind
    action: Action | None = None
    wordless: bool = False


@dataclass(frozen=True)
class StatusCommand:
    """A request for the status of the sender's tickets. ``cancel``: the sender asks to cancel one without naming it."""

    cancel: bool = False


@dataclass(frozen=True)
class Quoting:
    """A mail that names a ticket without its key."""

    ref: str


@dataclass(frozen=True)
class Prose:
    """Words without a form."""

    text: str


@dataclass(frozen=True)
class Stray:
    """A mail without any words."""


Intake = (
    Unusable
    | Ours
    | Bounced
    | Automatic
    | SetAside
    | StaffReply
    | CustomerReply
    | Forms
    | HelpCommand
    | FormCommand
    | StatusCommand
    | Quoting
    | Prose
    | Stray
)


def understand(message: Message, thread: Thread, desk: str, spam_header: str | None = None) -> Intake:
    """The kind of the message. ``desk``: the desk's own address; ``spam_header``: "Name: value" of the mail server's spam mark."""
    if message.fault:
        return Unusable(message.fault)
    if bounce.is_own_mail(message):
        return Ours()
    report = bounce.delivery_report(message)
    if report is not None:
        return Bounced(report)
    why = bounce.automatic_reason(message, desk)
    if why:
        return Automatic(why, tuple(r for r in _forms(message) if r.request_line))
    if spam_header and _is_marked_spam(message, spam_header):
        return SetAside()
    if message.sender is None:
        return Unusable(message.sender_fault or "no sender")
    return _written(message, thread)


def _is_marked_spam(message: Message, spam_header: str) -> bool:
    name, _, value = spam_header.partition(":")
    return any(found.strip().lower().startswith(value.strip().lower()) for found in message.fields(name.strip()))


def _written(message: Message, thread: Thread) -> Intake:
    """The kind of a mail that a person wrote."""
    if thread.purpose is not None:
        return StaffReply() if thread.purpose.is_for_staff else CustomerReply()
    readings = _forms(message)
    command = read_command(message)
    if command == StatusCommand(cancel=True) and thread.found.refs_mentioned:
        command = None  # it says which one, but without the key: for staff to see
    filled = any(len(reading.values) > _FEW_FIELDS for reading in readings)
    if command is not None and not (filled and _parse_command(message.subject)):
        return command
    if readings:
        return Forms(readings)
    if thread.found.refs_mentioned:
        return Quoting(thread.found.refs_mentioned[0])
    if message.text.strip():
        return Prose(message.text)
    named = None if is_reply(message.subject) else request_of(message.subject)
    return FormCommand(*named, wordless=True) if named else Stray()


def _forms(message: Message) -> tuple[Reading, ...]:
    """The forms in the body, else those in attached messages, with the words of the body above theirs."""
    readings = read_forms(message.text, message.subject)
    if readings or not message.attached:
        return readings
    above = read_fields(message.text).prose
    inner = [reading for one in message.attached for reading in read_forms(one.text, message.subject)][:FORMS_MAX]
    forms = [replace(one, prose="\n\n".join(words for words in (above, one.prose) if words)) for one in inner]
    return tuple(forms)


def read_command(message: Message) -> HelpCommand | FormCommand | StatusCommand | None:
    """``help``, ``status``, ``cancel`` or ``form KEY``, alone in the subject or on the first line."""
    first = next((line for line in message.text.splitlines() if line.strip()), "")
    return _parse_command(message.subject) or _parse_command(first)


def _parse_command(line: str) -> HelpCommand | FormCommand | StatusCommand | None:
    word, _, rest = " ".join(line[:500].strip(" .!").lower().split()).partition(" ")
    if word == "help" and not rest:
        return HelpCommand()
    if word in ("status", "cancel") and not rest:
        return StatusCommand(cancel=word == "cancel")
    if word == "form":
        kind = request_of(rest)
        return FormCommand(*kind) if kind else HelpCommand()
    return None
