"""Forms as text: blank ones from the table, and filled in as far as a mail was understood. Both parse back."""

from collections.abc import Iterable, Mapping

from mailbot.core.catalogue import Catalogue
from mailbot.core.forms import FIELDS, FORMS, TITLES, Kind
from mailbot.core.problem import Problem
from mailbot.core.reading import Request
from mailbot.core.values import labels_of

#: A prepared mail must fit into a link.
LINK = 1800


def blank(request: str) -> str:
    """The blank form of a request key: a line for each field of all its actions, the choices named above it."""
    forms = [form for (key, _), form in FORMS.items() if key == request]
    fields = dict.fromkeys(field for form in forms for field in form.fields)
    lines = [f"Request: {request}"]
    if request == "shuttle":
        lines.append("Product: Shuttle")
    for field in (f for f in fields if f != "log"):
        lines.append(f"{FIELDS[field].label}: ")
    return "\n".join(lines)


def choices(request: str, catalogue: Catalogue) -> list[tuple[str, str]]:
    """(label, what may stand there) for the fields that take one of a few values."""
    forms = [form for (key, _), form in FORMS.items() if key == request]
    found = []
    for field in dict.fromkeys(field for form in forms for field in form.fields):
        kind = FIELDS[field].kind
        if kind in (Kind.OPTION, Kind.OPTIONS):
            found.append((FIELDS[field].label, ", ".join(labels_of(field, catalogue).values())))
        elif kind is Kind.YES:
            found.append((FIELDS[field].label, "yes or no"))
    return found


def filled(request: Request, given: Mapping[str, str], problems: Iterable[Problem]) -> str:
    """The form with what was understood; a faulty line stands there empty, to be filled in."""
    form = FORMS.get((request.request, request.action))
    wrong = {problem.field for problem in problems}
    fields = form.fields if form else tuple(given)
    lines = [f"Request: {request.request}/{request.action}" if request.action else f"Request: {request.request}"]
    for field in fields:
        if field in ("log", "request"):
            continue
        value = "" if field in wrong else given.get(field, "")
        if value or field in wrong or (form and field in form.required):
            lines.append(f"{FIELDS[field].label}: {value}".rstrip())
    return "\n".join(lines)


def titles() -> list[tuple[str, str]]:
    """(request key, its title) for the list of forms."""
    return list(TITLES.items())


def prepared(problems: Iterable[Problem]) -> str:
    """The body of a ready reply: the lines to correct, short enough for a link."""
    labels = dict.fromkeys(FIELDS[p.field].label for p in problems if p.field in FIELDS and p.field != "log")
    return "".join(f"{label}: \n" for label in labels)[:LINK]
