"""The text of a mail into one ``Reading`` for each form in it. What the values mean is left to ``form.validation``."""

import re
from collections.abc import Mapping, Sequence
from itertools import chain, islice, pairwise

from mailbot.core.form.fields import CONTACT_FIELDS
from mailbot.core.form.forwarded import announces_forward, is_forward, is_reply, original_sender
from mailbot.core.form.labels import MailLine
from mailbot.core.form.line_reader import LineReader, prepare_lines
from mailbot.core.form.quotes import is_quote, split_interleaved
from mailbot.core.form.request import VALUE_SEPARATOR, Reading, RequestKind
from mailbot.core.form.which_form import request_of

#: Most forms of one mail; further ``Request:`` lines belong to the last one, whose request is then reported as given twice.
FORMS_MAX = 20
_QUOTE_MARK = re.compile(r"^\s{0,3}> ?")
#: A line drawn between two requests. Above a quoted mail it adds nothing to the header lines below it.
_RULES = re.compile(r"(?m)^[ \t]*_{20,}[ \t]*$")


def read_forms(text: str, subject: str) -> tuple[Reading, ...]:
    """One reading for each ``Request:`` line; lines before the first belong to all. () when there is no form.

    Without such a line there is one form if the subject names a request, or if at least two fields were read, one of them
    more than contact details.
    """
    lines = prepare_lines(text.splitlines())
    starts = _form_starts(lines)
    if len(starts) > 1:
        lines = _without_older_mails(lines, starts[0], subject)
        starts = _form_starts(lines)
    if not starts:
        return _form_without_request_line(LineReader().read(lines).reading(), subject)
    common = LineReader().read(lines[: starts[0]])
    ends = [*starts[1:], len(lines)]
    parts = [common.copy().read(lines[start:end]).reading() for start, end in zip(starts, ends, strict=True)]
    if len(parts) == 1:
        parts = [Reading(_with_subject(parts[0].values, subject), parts[0].near, None, parts[0].prose)]
    return tuple(Reading(p.values, p.near, p.values.get("request", ""), p.prose) for p in parts)


def _form_starts(lines: Sequence[MailLine]) -> list[int]:
    """The numbers of the lines at which forms begin."""
    found = (n for n, line in enumerate(lines) if line.key == "request")
    pairs = pairwise(chain(found, (len(lines),)))
    return list(islice((n for n, below in pairs if not _only_repeats(lines, n, below)), FORMS_MAX))


def _only_repeats(lines: Sequence[MailLine], at: int, below: int) -> bool:
    """Whether a ``Request:`` line only announces the form ``below``, which names the same request."""
    if below == len(lines):
        return False
    one, other = lines[at].labelled, lines[below].labelled
    same = one and other and request_of(one.value) == request_of(other.value) is not None
    quoted = is_quote(lines[below])
    between = lines[at + 1 : below]
    return bool(same) and not any(line.key if quoted else line.strip() for line in between)


def _without_older_mails(lines: list[MailLine], at: int, subject: str) -> list[MailLine]:
    """The lines without older mails quoted below the first form, which begins ``at``; all of them in a forwarded mail."""
    before, rest = lines[:at], lines[at:]
    forwards = is_forward(subject) or any(map(announces_forward, lines))
    if forwards and original_sender("\n".join(before), subject) is None:
        return lines
    if is_quote(rest[0]):
        rest = [MailLine(_QUOTE_MARK.sub("", line)) for line in rest]
    own = [MailLine(line) for line in split_interleaved(_RULES.sub("", "\n".join(rest)), ())[0].splitlines()]
    return [*before, *own] if any(line.key not in (None, "request") for line in own) else lines


def _form_without_request_line(read: Reading, subject: str) -> tuple[Reading, ...]:
    named = request_of(subject)
    if named is None:
        return (read,) if len(read.values) >= 2 and not read.values.keys() <= CONTACT_FIELDS else ()
    if not read.values and not (named[0] is RequestKind.INFORMATION and read.prose):
        return ()
    return (Reading({"request": subject, **read.values}, read.near, subject, read.prose),)


def _with_subject(values: Mapping[str, str], subject: str) -> dict[str, str]:
    """The values of the only form in a mail, its ``Request:`` line completed by the subject.

    A subject that names another request makes the request given twice, unless it came with a reply and may be an old one.
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
    return dict(values) if by_line == by_subject else {**values, "request": f"{line}{VALUE_SEPARATOR}{subject}"}


def read_fields(text: str) -> Reading:
    """Every labelled line of a text as one form."""
    return LineReader().read(prepare_lines(text.splitlines())).reading()
