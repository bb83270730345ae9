"""Forms as text: blank ones from the table, and filled in as far as a mail was understood. Both parse back."""

from collections.abc import Iterable, Iterator, Mapping

from mailbot.core.catalogue.contents import Catalogue
from mailbot.core.form.fields import FIELDS, FORMS, TITLES, Form, any_form
from mailbot.core.form.problem import Problem
from mailbot.core.form.reader import Request
from mailbot.core.form.request_kinds import Action, RequestKind
from mailbot.core.form.values import choices
from mailbot.core.form.which_form import stated

#: So long may a link be that opens a prepared mail: Windows and Outlook cut at about 2,000 characters.
LINK = 1800


def blank(request: RequestKind, catalogue: Catalogue, action: Action | None = None) -> str:
    """The blank form of a request key, or of one of its actions alone: a line for each field, its choices in parentheses.

    What the form itself says is filled in. Readers pass over the parentheses, so that it parses back when sent whole.
    """
    form = FORMS.get((request, action)) or any_form(request)
    said = {"request": _named(request, action), **stated(request, action)}
    if request is RequestKind.SHUTTLE:
        said["product"] = "Shuttle"
    fields = dict.fromkeys(("request", *(["product"] if "product" in said else []), *form.fields))
    return "\n".join(_line(field, said.get(field, ""), form, catalogue) for field in fields)


def _named(request: RequestKind, action: Action | None) -> str:
    """The value of the ``Request:`` line; "" where it is not known what is asked for."""
    known = "" if request is RequestKind.UNKNOWN else request.value
    return f"{known}/{action}" if action else known


def _line(field: str, value: str, form: Form, catalogue: Catalogue) -> str:
    label = FIELDS[field].label
    aside = "" if value else choices(field, form, catalogue)
    return f"{label} ({aside}): " if aside else f"{label}: {value}"


def filled_form(request: Request, given: Mapping[str, str], problems: Iterable[Problem]) -> str:
    """The form with what was understood, from its ``Request:`` line on; a faulty line stands there empty, to be filled in."""
    form = FORMS.get((request.request, request.action)) or any_form(request.request)
    wrong = {problem.field for problem in problems}
    if "items" in wrong:
        wrong |= set(form.one_of)
    known = {**given, **stated(request.request, request.action)}
    known["request"] = _named(request.request, request.action)
    if "reason" in given:
        known["reason"] = given["reason"]
    lines = []
    for field in dict.fromkeys(("request", "product", *form.fields)):
        value = "" if field in wrong else known.get(field, "")
        if field != "log" and (value or field in wrong or field in form.required or field == "request"):
            lines.append(f"{FIELDS[field].label}: {value}".rstrip())
    return "\n".join(lines)


def titles() -> list[tuple[str, str]]:
    """(request key, its title) for the list of forms."""
    return list(TITLES.items())


def prepared(problems: Iterable[Problem]) -> str:
    """The body of a ready reply: the lines to correct."""
    labels = dict.fromkeys(FIELDS[p.field].label for p in problems if p.field in FIELDS and p.field != "log")
    return "".join(f"{label}: \n" for label in labels)


def shorter(form: str) -> Iterator[str]:
    """The form, then without its asides, then with ever fewer of its last lines: the first that fits a link is taken."""
    yield form
    lines = [_without_aside(line) for line in form.split("\n")]
    for count in range(len(lines), 0, -1):
        yield "\n".join(lines[:count])


def _without_aside(line: str) -> str:
    label, opened, rest = line.partition(" (")
    return f"{label}:{rest.rpartition('):')[2]}" if opened and "):" in rest else line
