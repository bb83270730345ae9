"""Everything that the templates of a mail can read, as typed records.

The fields of ``MailView`` are the variables of every template. Templates hold the order and ``sentences.toml`` the words;
a record holds only values that are already in words. A test holds that templates use every field and no other name.
"""

from collections.abc import Callable
from dataclasses import dataclass

from mailbot.core.catalogue.contents import Links, Plugin

#: (label, value) pairs, one a line.
Rows = tuple[tuple[str, str], ...]
#: A text that somebody wrote, line by line.
Lines = tuple[str, ...]


@dataclass(frozen=True)
class DeskView:
    """The desk as it presents itself. ``language`` is the name of its folder of templates."""

    name: str
    address: str
    language: str


@dataclass(frozen=True)
class ItemGroup:
    """Items with the same status and the same notes: (item, "today -> requested"), then rule, bill and reason as sentences."""

    status: str
    rows: Rows
    notes: Lines


@dataclass(frozen=True)
class TicketLine:
    """A ticket in a list of tickets; ``rows`` are its token and its items."""

    ref: str
    title: str
    state: str
    rows: Rows


@dataclass(frozen=True)
class LicenceRow:
    """A licence in a list of licences."""

    token: str
    terms: Rows


@dataclass(frozen=True)
class ResultView:
    """What became of one line of a decision.

    ``recorded`` tells whether it counted, and ``explanation`` why not. ``read`` is the line as it was read, ``sent`` the
    words that the customer receives.
    """

    recorded: bool
    word: str
    ref: str
    items: str
    until: str
    explanation: str
    read: Lines
    sent: Lines


@dataclass(frozen=True)
class FormView:
    """A form as plain text: ``key`` is its request, such as "activate", ``lines`` are empty where it must not be shown."""

    key: str
    title: str
    lines: Lines


@dataclass(frozen=True)
class FactsView:
    """What a mail says besides its ticket.

    ``code`` is a code of ``effects.Facts.why`` and ``explanation`` its sentence. ``words`` are free words that
    somebody wrote, ``lines`` facts or file names. ``changed`` names items and fields, and ``request_forms`` are buttons
    (label, link) that ask for the forms with which settled items can be changed.
    """

    code: str
    explanation: str
    words: Lines
    by: str
    decided_by: str
    changed: str
    request_forms: Rows
    lines: Lines
    date: str
    days: int | None
    demo_token: str
    form: FormView
    plugins: tuple[Plugin, ...]
    results: tuple[ResultView, ...]
    tickets: tuple[TicketLine, ...]
    licences: tuple[LicenceRow, ...]


@dataclass(frozen=True)
class WaitingList:
    """The tickets in one state of waiting."""

    heading: str
    rows: Rows


@dataclass(frozen=True)
class DigestView:
    """What the daily digest lists; ``example_ref`` is the ticket with which it shows how to decide."""

    count: int
    lists: tuple[WaitingList, ...]
    unbilled: Lines
    example_ref: str


@dataclass(frozen=True)
class LogView:
    """What the log of a re-activation says; ``proof`` are its lines that show it."""

    sentence: str
    disagreements: Lines
    rows: Rows
    proof: Lines
    unreadable: Lines


@dataclass(frozen=True)
class StaffView:
    """What only staff read of a ticket: who asks, and what the ledger and the log say."""

    requester: Rows
    comments: Lines
    description: Lines
    log: LogView | None
    licence: Rows
    new_licence: Rows
    history: Rows


@dataclass(frozen=True)
class TicketView:
    """A ticket as its reader may see it; ``staff`` is None for everybody else.

    ``state``, ``title`` and ``opening`` are sentences or parts of one. ``ending`` is a key of ``subject.outcome_*`` (see
    ``ticket_view.ending``). ``due_names`` and ``due_items`` are the items that take effect today. ``challenge`` is a key of
    ``confirm.*``: what its reader is asked to confirm. ``requested_by`` is "" for the requester.
    """

    ref: str
    request: str
    action: str
    title: str
    state: str
    customer: str
    sender: str
    requested_by: str
    token: str
    token_start: str
    new_token: str
    question: Lines
    is_question: bool
    awaits_decision: bool
    awaits_answer: bool
    is_applying: bool
    partly_granted: bool
    token_doubt: bool
    activated: bool
    has_ai: bool
    ending: str
    opening: str
    items: tuple[ItemGroup, ...]
    due_names: str
    due_items: tuple[ItemGroup, ...]
    dates: Rows
    problems: Rows
    lacks_fields: bool
    correction: str
    replaced: Rows
    send_instead: Lines
    challenge: str
    staff: StaffView | None


@dataclass(frozen=True)
class MailView:
    """All variables of a mail's templates.

    ``say(key, **values)`` gives a sentence, ``reply_link(body)`` a link that opens a reply to this mail, and
    ``new_mail_link(body, subject)`` one that opens a new mail to the desk. ``marker`` is the line above which a reply is
    written, "" where none is expected. ``subject`` is set in HTML templates only: text templates define it.
    """

    say: Callable[..., str]
    reply_link: Callable[..., str]
    new_mail_link: Callable[..., str]
    desk: DeskView
    to_staff: bool
    marker: str
    links: Links
    agreement_version: str
    ai_note: str
    forms: Rows
    facts: FactsView
    ticket: TicketView | None
    digest: DigestView
    subject: str = ""
