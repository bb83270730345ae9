"""What a message turned out to be: one of a few kinds, decided in one fixed order, from the message and its thread alone."""

from dataclasses import dataclass, replace

from mailbot.core.form.reader import MOST_FORMS, Reading, read_fields, read_forms
from mailbot.core.form.request_kinds import Action, RequestKind
from mailbot.core.form.which_form import is_reply, request_of
from mailbot.core.inbound.purpose import Purpose
from mailbot.core.inbound.reply_keys import Found
from mailbot.core.mail import bounce
from mailbot.core.mail.message import Message

#: Keys for these purposes are held by staff.
STAFF_PURPOSES = frozenset({Purpose.DECISION, Purpose.AGAIN, Purpose.DIGEST})


#: Below a subject such as "form activate" stands a form where more fields than these are filled in.
_FILLED = 2


@dataclass(frozen=True)
class Thread:
    """What the message's key belongs to, as the desk remembers it; ``refs`` are (ref, version, licence revision)."""

    found: Found
    purpose: Purpose | None = None
    live: bool = False
    dead_why: str = ""
    address: str = ""
    refs: tuple[tuple[str, int, int], ...] = ()
    payload: str = ""
    digest: str = ""


@dataclass(frozen=True)
class Unusable:
    """It cannot be handled: to the quarantine, for that reason."""

    why: str


@dataclass(frozen=True)
class Ours:
    """Our own mail came back to us."""


@dataclass(frozen=True)
class Bounced:
    """A delivery report on one of our mails, or on somebody else's."""

    report: bounce.DeliveryReport


@dataclass(frozen=True)
class Automatic:
    """Nobody wrote it: never answered, never decides. A form in it is shown to staff."""

    why: str
    readings: tuple[Reading, ...] = ()


@dataclass(frozen=True)
class SetAside:
    """The border marked it as spam."""


@dataclass(frozen=True)
class StaffReply:
    """It carries a key that was given to staff."""


@dataclass(frozen=True)
class CustomerReply:
    """It carries a key that was given to the customer's side."""


@dataclass(frozen=True)
class Forms:
    """One or more forms, each to become a ticket."""

    readings: tuple[Reading, ...]


@dataclass(frozen=True)
class HelpCommand:
    """The list of forms is asked for."""


@dataclass(frozen=True)
class FormCommand:
    """A blank form is asked for; ``request`` is its key, ``action`` that of the one form of it (None: of all).

    ``wordless``: by a subject that names the request, above no words at all.
    """

    request: RequestKind
    action: Action | None = None
    wordless: bool = False


@dataclass(frozen=True)
class StatusCommand:
    """How the sender's tickets stand; ``cancel``: one of them is to be cancelled, and the mail does not say which."""

    cancel: bool = False


@dataclass(frozen=True)
class Quoting:
    """It names a ticket without its key."""

    ref: str


@dataclass(frozen=True)
class Prose:
    """Words that are no form."""

    text: str


@dataclass(frozen=True)
class Stray:
    """Nothing to go by: no words at all."""


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
    """What the message is. ``desk`` is the desk's own address, ``spam_header`` the border's "Name: value"."""
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
    if spam_header and _marked(message, spam_header):
        return SetAside()
    if message.sender is None:
        return Unusable(message.sender_fault or "no sender")
    return _written(message, thread)


def _marked(message: Message, spam_header: str) -> bool:
    name, _, value = spam_header.partition(":")
    return any(found.strip().lower().startswith(value.strip().lower()) for found in message.fields(name.strip()))


def _written(message: Message, thread: Thread) -> Intake:
    """A mail that a person wrote: a reply with a key, a command, a form, or words."""
    if thread.purpose is not None:
        return StaffReply() if thread.purpose in STAFF_PURPOSES else CustomerReply()
    readings = _forms(message)
    command = command_of(message)
    if command == StatusCommand(cancel=True) and thread.found.refs_mentioned:
        command = None  # it says which, but not with its key: for staff
    filled = any(len(reading.values) > _FILLED for reading in readings)
    if command is not None and not (filled and _command(message.subject)):
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
    """The forms in the body, else those in all messages that were forwarded as attachments, below the words of the body."""
    readings = read_forms(message.text, message.subject)
    if readings or not message.attached:
        return readings
    above = read_fields(message.text).prose
    inner = [reading for one in message.attached for reading in read_forms(one.text, message.subject)][:MOST_FORMS]
    forms = [replace(one, prose="\n\n".join(words for words in (above, one.prose) if words)) for one in inner]
    return tuple(forms)


def command_of(message: Message) -> HelpCommand | FormCommand | StatusCommand | None:
    """``help``, ``status``, ``cancel`` or ``form KEY`` as the whole subject or the whole first line."""
    first = next((line for line in message.text.splitlines() if line.strip()), "")
    return _command(message.subject) or _command(first)


def _command(line: str) -> HelpCommand | FormCommand | StatusCommand | None:
    word, _, rest = " ".join(line[:500].strip(" .!").lower().split()).partition(" ")
    if word == "help" and not rest:
        return HelpCommand()
    if word in ("status", "cancel") and not rest:
        return StatusCommand(cancel=word == "cancel")
    if word == "form":
        kind = request_of(rest)
        return FormCommand(*kind) if kind else HelpCommand()
    return None
