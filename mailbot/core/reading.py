"""Text into readings: which field is said to be what, by whom and where. What a value means is ``checking``'s matter."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from rapidfuzz import fuzz, process

from mailbot.core.forms import FIELDS, INVISIBLE, LABELS, Kind, field_of, normal
from mailbot.core.labelled import Labelled, box_row, is_listed, labelled, ticked, unfinished
from mailbot.core.logline import is_log_line
from mailbot.core.naming import TWICE, YES, is_reply, request_of, settled

#: More ``Request:`` lines in one mail belong to the last form, which is then told to be given twice.
MOST_FORMS = 20
#: So many values of a field that was given more than once are told, and so many lines are looked at for near labels.
_MOST_TOLD, _MOST_NEAR = 5, 300
_NEAR = 80
#: A line so long may have been wrapped: its value goes on where the next word had no room.
_WRAP_FROM, _WRAP_AT = 60, 72
_CHOICES = frozenset({Kind.OPTION, Kind.OPTIONS, Kind.YES, Kind.REASON, Kind.ACTION, Kind.PRODUCT})
_WRAPPED = frozenset({Kind.TEXT, Kind.REASON, Kind.OPTION, Kind.OPTIONS})
#: Fields that any mail's words may hold; alone they make no form.
_CONTACT = frozenset({"customer_name", "customer_email", "comments", "telephones", "log"})
#: Under this key a ticket keeps the words of its mails that belong to no field.
PROSE = "prose"
_SIGN_OFFS = frozenset(
    """best regards|kind regards|warm regards|regards|with best regards|with kind regards|best wishes|sincerely|yours sincerely
    |yours faithfully|sincerely yours|thanks and regards|thanks and best regards|many thanks and best regards|cheers|br
    |cordiali saluti|distinti saluti|saluti|un saluto|un cordiale saluto|grazie e saluti|grazie e cordiali saluti
    |mit freundlichen grüßen|mit freundlichen gruessen|mit freundlichem gruß|freundliche grüße|viele grüße|beste grüße
    |schöne grüße|liebe grüße|mfg|cordialement|bien cordialement|bien à vous|meilleures salutations|sincères salutations
    |salutations|saludos|un saludo|saludos cordiales|un cordial saludo|atentamente""".replace("\n    ", "").split("|")
)
_MAILTO = re.compile(r"\s{0,3}[<\[(]mailto:[^<>\[\]()\s]{1,320}[>\])]", re.I)
_JSON = re.compile(r'"[\w-]{1,40}"\s{0,3}:|[{}\[\]],?$|\{"')
_EDGES = " \t\n\u00a0\u2007\u202f" + INVISIBLE


@dataclass(frozen=True)
class Reading:
    """Field key -> text as read; near labels (field -> label and value as written); ``prose`` belongs to no field.

    The values of a field that was given with different ones stand side by side, ``TWICE`` between them: so they are
    kept with the ticket until the customer says which it is.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    near: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    request_line: str | None = None
    prose: str = ""

    @cached_property
    def twice(self) -> Mapping[str, tuple[str, ...]]:
        """The fields that were given with different values."""
        return {key: tuple(value.split(TWICE)) for key, value in self.values.items() if TWICE in value}

    @cached_property
    def stored(self) -> dict[str, str]:
        """What the ticket keeps, for ``merge``."""
        return {**self.values, PROSE: self.prose} if self.prose else dict(self.values)


@dataclass(frozen=True)
class Request:
    """A form as far as it could be read; ``reason`` is a catalogue key or ``other: text``. None: not given."""

    request: str = ""
    action: str | None = None
    product: str = "motion"
    token: str | None = None
    customer_name: str | None = None
    customer_email: str | None = None
    accept: bool | None = None
    demo: bool | None = None
    plan: str | None = None
    agents: int | None = None
    users: int | None = None
    telephones: int | None = None
    mobile_agents: int | None = None
    billing: str | None = None
    whitelabel: bool | None = None
    support: str | None = None
    addons: tuple[str, ...] = ()
    plugins: tuple[str, ...] = ()
    reason: str | None = None
    old_token: str | None = None
    new_token: str | None = None
    motion_token: str | None = None
    comments: str | None = None
    question: str | None = None
    description: str | None = None


def read_forms(text: str, subject: str) -> tuple[Reading, ...]:
    """One reading per ``Request:`` line; lines before the first hold for all. Empty when there is no form.

    Without such a line there is a form when the subject names a request, or when at least two fields were read, one of
    them of more than whom to write to.
    """
    lines = _whole(text.splitlines())
    starts = [n for n, line in enumerate(lines) if _key(line) == "request"][:MOST_FORMS]
    if not starts:
        return _by_subject(_Reader().read(lines).reading(), subject)
    common = _Reader().read(lines[: starts[0]])
    ends = [*starts[1:], len(lines)]
    parts = [common.copy().read(lines[start:end]).reading() for start, end in zip(starts, ends, strict=True)]
    if len(parts) == 1:
        parts = [Reading(_with_subject(parts[0].values, subject), parts[0].near, None, parts[0].prose)]
    return tuple(Reading(p.values, p.near, p.values.get("request", ""), p.prose) for p in parts)


def _by_subject(read: Reading, subject: str) -> tuple[Reading, ...]:
    named = request_of(subject)
    if named is None:
        return (read,) if len(read.values) >= 2 and not read.values.keys() <= _CONTACT else ()
    if not read.values and not (named[0] == "information" and read.prose):
        return ()
    return (Reading({"request": subject, **read.values}, read.near, subject, read.prose),)


def _with_subject(values: Mapping[str, str], subject: str) -> dict[str, str]:
    """The values of the one form of a mail, its ``Request:`` line beside what the subject names.

    A subject that says more is added; one that says otherwise makes the request given twice, unless it is an old
    one that came along with an answer.
    """
    line, by_subject = values.get("request", ""), request_of(subject)
    by_line = request_of(line)
    if by_subject is None or by_line is None or is_reply(subject):
        return dict(values)
    if {by_line[0], by_subject[0]} == {"modify", "shuttle"}:
        return {"product": "Shuttle", **values}
    if by_line[0] == by_subject[0] and None in (by_line[1], by_subject[1]):
        action = by_line[1] or by_subject[1]
        return {**values, "request": f"{by_line[0]}/{action}" if action else line}
    return dict(values) if by_line == by_subject else {**values, "request": f"{line}{TWICE}{subject}"}


def read_fields(text: str) -> Reading:
    """Every labelled line of a text."""
    return _Reader().read(_whole(text.splitlines())).reading()


def _key(line: str) -> str | None:
    found = labelled(line)
    return found.key if found else None


def _whole(lines: Sequence[str]) -> list[str]:
    """The lines, labels whose parenthesis was broken over up to four of them made whole."""
    whole: list[str] = []
    joined = 0
    for line in lines:
        if whole and joined < 4 and line.strip() and unfinished(whole[-1]):
            whole[-1] = f"{whole[-1].rstrip()} {line.lstrip(' >')}"
            joined += 1
        else:
            whole.append(line)
            joined = 0
    return whole


class _Reader:
    """Goes once through lines and gathers what each field is given, near labels and prose."""

    def __init__(self) -> None:
        self.given: dict[str, list[list[str]]] = {}  # of each line that gave it the pieces, with what joins them
        self.near: dict[str, tuple[str, str]] = {}
        self.prose: list[str] = []
        self.current: str | None = None
        self.signed = False
        self.gap = False  # a blank line stands before this one
        self.before = ""
        self.tried = 0

    def copy(self) -> "_Reader":
        """Another reader that has read the same; it goes on with a ``Request:`` line."""
        other = _Reader()
        other.given = {key: [list(chunk) for chunk in chunks] for key, chunks in self.given.items()}
        other.near, other.prose = dict(self.near), list(self.prose)
        return other

    def read(self, lines: Iterable[str]) -> "_Reader":
        for line in lines:
            self._take(line)
            self.gap = not _bare(line)
            self.before = line
        return self

    def _take(self, line: str) -> None:
        bare = _bare(line)
        found = labelled(line) if bare else None
        if found and found.key == "request":
            self.signed = False
        self.signed = self.signed or _is_sign_off(line)
        if self.signed:
            return
        if not bare:
            self._blank()
        elif found and found.key:
            self._start(found.key, found.value)
        elif box := _labelled_box(line):
            self._start(*box)
        elif not _is_machine(bare):
            self._words(line, bare, found)

    def _start(self, key: str, value: str) -> None:
        self.given.setdefault(key, []).append([value] if value else [])
        self.current = key

    def _blank(self) -> None:
        """A blank line belongs to words, of a field or of none."""
        if self.current and FIELDS[self.current].kind is Kind.PROSE:
            self.given[self.current][-1].append("\n")
        elif self.prose and self.prose[-1]:
            self.prose.append("")

    def _words(self, line: str, bare: str, found: Labelled | None) -> None:
        """A line without a label: the field before goes on, or it is prose."""
        if found:
            self._nearly(found)
        if self.current and self._continues(self.current, line, bare):
            chunk = self.given[self.current][-1]
            broken = chunk and FIELDS[self.current].kind in _WRAPPED and _was_wrapped(self.before, bare)
            joint = " " if broken and not is_listed(line) else "\n" if chunk else ""
            chunk.append(joint + bare)
        else:
            self.current = None
            self.prose.append(bare)

    def _continues(self, key: str, line: str, bare: str) -> bool:
        kind, chunk = FIELDS[key].kind, self.given[key][-1]
        if kind is Kind.PROSE:
            return True
        rows = kind is Kind.OPTIONS or (kind in _CHOICES and box_row(line) is not None)
        if rows and is_listed(line):
            return True
        if self.gap:
            return not chunk and _fits(kind, bare)
        if not chunk:
            return True
        if kind is Kind.OPTIONS and (chunk[-1].endswith((",", ";")) or _key(self.before) is None):
            return True
        return kind in _WRAPPED and _was_wrapped(self.before, bare)

    def _nearly(self, found: Labelled) -> None:
        if self.tried >= _MOST_NEAR or not found.value or len(found.label) > 60:
            return
        self.tried += 1
        label = normal(found.label.partition("(")[0])
        nearest = process.extractOne(label, LABELS.keys(), scorer=fuzz.ratio, score_cutoff=_NEAR)
        if nearest and nearest[1] < 100:  # else it was seen that it is none, such as a link behind "License Agreement"
            self.near.setdefault(LABELS[nearest[0]], (found.label, found.value))

    def reading(self) -> Reading:
        values = {key: _value(key, ["".join(chunk) for chunk in chunks]) for key, chunks in self.given.items()}
        values = {key: value for key, value in values.items() if value}
        return Reading(values, self.near, values.get("request"), "\n".join(self.prose).strip())


def _bare(line: str) -> str:
    """The words of a line without the marks of quoting before them."""
    return line.lstrip(_EDGES + ">").rstrip(_EDGES)


def _is_sign_off(line: str) -> bool:
    """Whether a signature begins here."""
    return line.rstrip() == "--" or normal(line[:80]).strip(" ,.!*>") in _SIGN_OFFS


def _labelled_box(line: str) -> tuple[str, str] | None:
    """The field of a row such as "[x] I accept the License Agreement"; one that is not ticked says nothing."""
    row = box_row(line)
    key = field_of(row[1]) if row else None
    if row is None or key is None or FIELDS[key].kind is not Kind.YES:
        return None
    return key, "yes" if row[0] else ""


def _is_machine(bare: str) -> bool:
    """Lines of a pasted log or licence status: the diagnosis reads them, they are nobody's words."""
    return is_log_line(bare) or bool(_JSON.match(bare))


def _fits(kind: Kind, bare: str) -> bool:
    """Whether a line behind an empty label and a blank line can be nothing but its value."""
    match kind:
        case Kind.TOKEN:
            return " " not in bare and 8 <= len(bare) <= 128 and any(map(str.isdigit, bare))
        case Kind.NUMBER:
            return bare.isdecimal()
        case Kind.YES:
            return normal(bare).strip(" .!") in YES
        case Kind.EMAIL:
            return "@" in bare and " " not in bare
        case _:
            return False


def _was_wrapped(before: str, bare: str) -> bool:
    return len(before) >= _WRAP_FROM and len(before) + 1 + len(bare.split(" ", 1)[0]) > _WRAP_AT


def _value(key: str, given: Iterable[str]) -> str:
    """The one value of a field, or all that differ with ``TWICE`` between; words simply follow each other."""
    kind = FIELDS[key].kind
    values = [value for text in given if (value := _tidied(kind, text))]
    if kind is Kind.PROSE:
        return "\n".join(values)
    if kind is Kind.FILE:
        return values[-1] if values else ""
    same = {(value if kind in (Kind.TOKEN, Kind.TEXT) else normal(value)): value for value in reversed(values)}
    return TWICE.join([*reversed(same.values())][:_MOST_TOLD])


def _tidied(kind: Kind, text: str) -> str:
    """A value as it is kept: what copying and wrapping added is gone; ticked boxes are the words behind them."""
    text = text.replace(TWICE, "").strip(_EDGES)
    if kind is Kind.PROSE:
        return text
    if kind in _CHOICES:
        text = ticked(text)
    if kind is Kind.EMAIL:
        text = _MAILTO.sub("", text)
    return text if kind is Kind.OPTIONS else " ".join(text.split("\n"))


def read_quoted(quoted: str, sent: str) -> Reading:
    """What was edited in the quoted form: its lines whose value is not the one in ``sent``, the text of our own mail.

    Nothing else that is quoted counts, and a line left empty erases nothing.
    """
    ours = _form_in(sent, None)
    if not ours:
        return Reading()
    theirs = _form_in(quoted, frozenset(ours))
    edited = {
        key: value
        for key, text in theirs.items()
        if not _as_sent(text, ours.get(key, "")) and (value := _tidied(FIELDS[key].kind, text))
    }
    return Reading(edited, request_line=edited.get("request"))


def _form_in(text: str, known: frozenset[str] | None) -> dict[str, str]:
    """The lines of the first form in a text that we composed, from its ``Request:`` line on.

    Behind a blank line only fields in ``known`` go on with it (None: any), and each only once: what follows a form of
    ours are sentences, some of which look like fields.
    """
    form: dict[str, list[str]] = {}
    current, gap = "", False
    for line in _whole(text.splitlines()):
        bare = _bare(line)
        found = labelled(line) if bare else None
        key = found.key if found else None
        if not form:
            if found and key == "request" and normal(bare).lstrip("*").startswith("request"):
                form, current = {key: [found.value]}, key
        elif not bare:
            gap = True
        elif found and key:
            if key in form or (gap and known is not None and key not in known):
                break
            form[key] = [found.value]
            current, gap = key, False
        elif gap:
            break
        else:
            form[current].append(bare)
    return {key: "\n".join(lines).strip() for key, lines in form.items()}


def _as_sent(quoted: str, sent: str) -> bool:
    """Whether a quoted value is the one that was sent, however it was wrapped; of a long one its beginning is enough."""
    one, other = ("".join(_MAILTO.sub("", text).split()) for text in (quoted, sent))
    return one == other or (len(other) > _WRAP_FROM and other.startswith(one))


def merge(stored: Mapping[str, str], quoted: Reading | None, own: Reading | None) -> Reading:
    """A repair: own lines beat edited quoted lines, which beat stored values; what was said last settles a clash."""
    edited = dict(quoted.values) if quoted else {}
    newer = {**edited, **(own.values if own else {})}
    values = settled({**stored, **newer}, frozenset(newer))
    said = [values.pop(PROSE, ""), own.prose if own else ""]
    prose = "\n".join(dict.fromkeys(words for words in said if words))
    return Reading(values, own.near if own else {}, values.get("request"), prose)
