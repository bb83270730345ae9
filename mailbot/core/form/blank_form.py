"""Forms as text: blank ones, and ones filled in with what was understood. ``form.reader`` reads both back."""

from collections.abc import Iterable, Iterator, Mapping

from mailbot.core.catalogue.contents import Catalogue
from mailbot.core.form.choices import describe_choices
from mailbot.core.form.fields import FIELDS, FORMS, TITLES, Form, combined_form
from mailbot.core.form.problem import Problem
from mailbot.core.form.request import Action, Request, RequestKind
from mailbot.core.form.which_form import chooser_values

#: Longest link that opens a prepared mail, in characters: Windows and Outlook cut at about 2,000.
LINK_MAX = 1800


def render_blank(request: RequestKind, catalogue: Catalogue, action: Action | None = None) -> str:
    """The blank form of a request, or of one of its actions: a line for each field, with its choices in parentheses.

    Fields that follow from the request and action are filled in.
    """
    form = FORMS.get((request, action)) or combined_form(request)
    known = {"request": _request_value(request, action), **chooser_values(request, action)}
    if request is RequestKind.SHUTTLE:
        known["product"] = "Shuttle"
    fields = dict.fromkeys(("request", *(["product"] if "product" in known else []), *form.fields))
    return "\n".join(_blank_line(field, known.get(field, ""), form, catalogue) for field in fields)


def _request_value(request: RequestKind, action: Action | None) -> str:
    """The value of the ``Request:`` line; "" while the request is unknown."""
    known = "" if request is RequestKind.UNKNOWN else request.value
    return f"{known}/{action}" if action else known


def _blank_line(field: str, value: str, form: Form, catalogue: Catalogue) -> str:
    label = FIELDS[field].label
    choices = "" if value else describe_choices(field, form, catalogue)
    return f"{label} ({choices}): " if choices else f"{label}: {value}"


def render_filled(request: Request, given: Mapping[str, str], problems: Iterable[Problem]) -> str:
    """The form as far as it was understood, from its ``Request:`` line on. Lines with a problem are left empty to fill in."""
    form = FORMS.get((request.request, request.action)) or combined_form(request.request)
    wrong = {problem.field for problem in problems}
    if "items" in wrong:
        wrong |= set(form.one_of)
    known = {**given, **chooser_values(request.request, request.action)}
    known["request"] = _request_value(request.request, request.action)
    if "reason" in given:
        known["reason"] = given["reason"]
    lines = []
    for field in dict.fromkeys(("request", "product", *form.fields)):
        value = "" if field in wrong else known.get(field, "")
        if field != "log" and (value or field in wrong or field in form.required or field == "request"):
            lines.append(f"{FIELDS[field].label}: {value}".rstrip())
    return "\n".join(lines)


def form_titles() -> list[tuple[str, str]]:
    """(request key, title) of each request, for the list of forms."""
    return list(TITLES.items())


def correction_lines(problems: Iterable[Problem]) -> str:
    """The body of a prepared reply: the labels of the lines to correct."""
    labels = dict.fromkeys(FIELDS[p.field].label for p in problems if p.field in FIELDS and p.field != "log")
    return "".join(f"{label}: \n" for label in labels)


def shortened_forms(form: str) -> Iterator[str]:
    """Ever shorter versions for a link: the form, then without its choices, then with ever fewer of its last lines."""
    yield form
    lines = [_without_choices(line) for line in form.split("\n")]
    for count in range(len(lines), 0, -1):
        yield "\n".join(lines[:count])


def _without_choices(line: str) -> str:
    label, opened, rest = line.partition(" (")
    return f"{label}:{rest.rpartition('):')[2]}" if opened and "):" in rest else line
