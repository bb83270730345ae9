"""Text into readings: the forms of a mail, a repair, an edited quote. What a value means is ``checking``'s matter."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice, pairwise

from mailbot.core.form.fields import CONTACT, FIELDS, normal
from mailbot.core.form.forwarded import announces, original_sender
from mailbot.core.form.gathering import MAILTO, PROSE, WRAP_FROM, LineReader, Reading, tidied, whole
from mailbot.core.form.labels import MailLine
from mailbot.core.form.layouts import bare_of
from mailbot.core.form.quotes import is_quote, own_lines_anywhere
from mailbot.core.form.request_kinds import Action, RequestKind
from mailbot.core.form.signature import is_signature
from mailbot.core.form.which_form import TWICE, is_forward, is_reply, latest_values, request_of

__all__ = ["MOST_FORMS", "Reading", "Request", "merge", "read_fields", "read_forms", "read_quoted"]

#: More ``Request:`` lines in one mail belong to the last form, which is then told to be given twice.
MOST_FORMS = 20
#: A line between two requests; above a quote it says nothing that the header lines below it do not say.
_QUOTED = re.compile(r"^\s{0,3}> ?")
_RULES = re.compile(r"(?m)^[ \t]*_{20,}[ \t]*$")


@dataclass(frozen=True)
class Request:
    """A form as far as it could be read; ``reason`` is a catalogue key or ``other: text``. None: not given."""

    request: RequestKind = RequestKind.UNKNOWN
    action: Action | None = None
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
    lines = whole(text.splitlines())
    starts = _starts(lines)
    if len(starts) > 1:
        lines = _without_older(lines, starts[0], subject)
        starts = _starts(lines)
    if not starts:
        return _by_subject(LineReader().read(lines).reading(), subject)
    common = LineReader().read(lines[: starts[0]])
    ends = [*starts[1:], len(lines)]
    parts = [common.copy().read(lines[start:end]).reading() for start, end in zip(starts, ends, strict=True)]
    if len(parts) == 1:
        parts = [Reading(_with_subject(parts[0].values, subject), parts[0].near, None, parts[0].prose)]
    return tuple(Reading(p.values, p.near, p.values.get("request", ""), p.prose) for p in parts)


def _starts(lines: Sequence[MailLine]) -> list[int]:
    """Where forms begin. A ``Request:`` line alone above a form that says the same begins none of its own."""
    found = (n for n, line in enumerate(lines) if line.key == "request")
    pairs = pairwise(chain(found, (len(lines),)))
    return list(islice((n for n, below in pairs if not _is_alone(lines, n, below)), MOST_FORMS))


def _is_alone(lines: Sequence[MailLine], at: int, below: int) -> bool:
    if below == len(lines):
        return False
    one, other = lines[at].labelled, lines[below].labelled
    same = one and other and request_of(one.value) == request_of(other.value) is not None
    quoted = is_quote(lines[below])
    between = lines[at + 1 : below]
    return bool(same) and not any(line.key if quoted else line.strip() for line in between)


def _without_older(lines: list[MailLine], at: int, subject: str) -> list[MailLine]:
    """The lines without older mails quoted below the first form, which begins ``at``; beside a forwarded form all stay."""
    before, rest = lines[:at], lines[at:]
    forwards = is_forward(subject) or any(map(announces, lines))
    if forwards and original_sender("\n".join(before), subject) is None:
        return lines
    if is_quote(rest[0]):
        rest = [MailLine(_QUOTED.sub("", line)) for line in rest]
    own = [MailLine(line) for line in own_lines_anywhere(_RULES.sub("", "\n".join(rest)), ())[0].splitlines()]
    return [*before, *own] if any(line.key not in (None, "request") for line in own) else lines


def _by_subject(read: Reading, subject: str) -> tuple[Reading, ...]:
    named = request_of(subject)
    if named is None:
        return (read,) if len(read.values) >= 2 and not read.values.keys() <= CONTACT else ()
    if not read.values and not (named[0] is RequestKind.INFORMATION and read.prose):
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
    if {by_line[0], by_subject[0]} == {RequestKind.MODIFY, RequestKind.SHUTTLE}:
        return {"product": "Shuttle", **values}
    if by_line[0] == by_subject[0] and None in (by_line[1], by_subject[1]):
        action = by_line[1] or by_subject[1]
        return {**values, "request": f"{by_line[0]}/{action}" if action else line}
    return dict(values) if by_line == by_subject else {**values, "request": f"{line}{TWICE}{subject}"}


def read_fields(text: str) -> Reading:
    """Every labelled line of a text."""
    return LineReader().read(whole(text.splitlines())).reading()


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
        if not _as_sent(text, ours.get(key, "")) and (value := tidied(FIELDS[key].kind, text))
    }
    return Reading(edited, request_line=edited.get("request"))


def _form_in(text: str, known: frozenset[str] | None) -> dict[str, str]:
    """The lines of the first form in a text that we composed, from its ``Request:`` line on.

    Behind a blank line only fields in ``known`` go on with it (None: any), and each only once, but for one that has no value
    yet: what follows a form of ours are sentences, some of which look like fields.
    """
    form: dict[str, list[str]] = {}
    current, gap = "", False
    for line in whole(text.splitlines()):
        bare = bare_of(line)
        found = line.labelled if bare else None
        key = found.key if found else None
        if not form:
            if found and key == "request" and normal(bare).lstrip("*").startswith("request"):
                form, current = {key: [found.value]}, key
        elif is_signature(line):
            break
        elif not bare:
            gap = True
        elif found and key:
            if any(form.get(key, ())) or (gap and known is not None and key not in known):
                break
            form[key] = [found.value]
            current, gap = key, False
        elif gap:
            break
        else:
            form[current].append(bare)
    return {key: "\n".join(lines).strip() for key, lines in form.items()}


def _as_sent(quoted: str, sent: str) -> bool:
    """Whether a quoted value is the one that was sent, however it was wrapped; of a long one its beginning is enough.

    So it is of several lines: mail programs put blank lines between them.
    """
    one, other = ("".join(MAILTO.sub("", text).split()) for text in (quoted, sent))
    return one == other or ((len(other) > WRAP_FROM or "\n" in sent) and other.startswith(one))


def merge(stored: Mapping[str, str], quoted: Reading | None, own: Reading | None) -> Reading:
    """A repair: own lines beat edited quoted lines, which beat stored values; what was said last settles a clash."""
    edited = dict(quoted.values) if quoted else {}
    newer = {**edited, **(own.values if own else {})}
    values = latest_values({**stored, **newer}, frozenset(newer))
    said = [values.pop(PROSE, ""), own.prose if own else ""]
    prose = "\n".join(dict.fromkeys(words for words in said if words))
    return Reading(values, own.near if own else {}, values.get("request"), prose)
