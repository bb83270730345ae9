"""A reading into a request with every fault of the form itself, all at once. Faults that only the ledger shows: ``checks``."""

from collections.abc import Iterator, Mapping

from mailbot.core import values as read
from mailbot.core.catalogue import Catalogue
from mailbot.core.forms import FIELDS, FORMS, TITLES, Form, Kind
from mailbot.core.problem import Code, Problem
from mailbot.core.reading import Reading, Request, kind_of


def check(
    reading: Reading, catalogue: Catalogue, *, attachments: bool, default_name: str = ""
) -> tuple[Request, tuple[Problem, ...]]:
    """The request as far as it could be read, and its problems. ``attachments``: something that could be a log is there.

    Fields that the form does not have are kept in the comments, so that staff see them.
    """
    request, action = kind_of(reading.values)
    if not request:
        given = reading.values.get("request", "")
        code = Code.UNKNOWN_VALUE if given else Code.MISSING
        return Request(), (Problem(field="request", code=code, read=given, expected=", ".join(TITLES.values())),)
    form = FORMS.get((request, action))
    if form is None:
        return _undecided(request, reading)
    problems = list(_given_twice(reading, form))
    parsed = dict(_read(form, reading.values, catalogue, problems))
    if request == "information" and not parsed.get("customer_name"):
        parsed["customer_name"] = default_name or None
    found = Request(**{**parsed, "request": request, "action": action, "product": _product(request)})  # type: ignore[arg-type]
    problems += _missing(form, reading, problems, attachments=attachments)
    problems += _of_values(found, catalogue)
    return found, tuple(problems)


def _product(request: str) -> str:
    return "shuttle" if request == "shuttle" else "motion"


def _undecided(request: str, reading: Reading) -> tuple[Request, tuple[Problem, ...]]:
    """The request is known, but not which of its forms."""
    field, choices = {
        "activate": ("demo", "yes or no"),
        "modify": ("action", "Add, Remove or Deactivate"),
        "reactivate": ("reason", "expired, token change or other"),
        "shuttle": ("action", "Modify or Transfer"),
    }.get(request, ("request", ", ".join(TITLES.values())))
    given = reading.values.get(field, "")
    code = Code.UNKNOWN_VALUE if given else Code.MISSING
    token = reading.values.get("token") or None
    return Request(request=request, token=token), (Problem(field=field, code=code, read=given, expected=choices),)


def _given_twice(reading: Reading, form: Form) -> Iterator[Problem]:
    for field, given in reading.twice.items():
        if field in form.fields:
            yield Problem(field=field, code=Code.GIVEN_TWICE, read=" / ".join(given), expected="one value")


def _read(
    form: Form, given: Mapping[str, str], catalogue: Catalogue, problems: list[Problem]
) -> Iterator[tuple[str, object]]:
    extra: list[str] = []
    for key, raw in given.items():
        if key in ("request", "product", "action", "log", "comments"):
            continue
        if key not in form.fields:
            extra.append(f"{FIELDS[key].label}: {raw}")
            continue
        least = catalogue.seats[key].minimum if key in catalogue.seats and form.request in ("activate", "modify") else 0
        value = _value(form, key, raw, catalogue, problems, least)
        if isinstance(value, Problem):
            problems.append(value)
        elif value is not None:
            yield key, value
    comments = [given["comments"]] if given.get("comments") and "comments" in form.fields else []
    if comments or extra:
        yield "comments", "\n".join([*comments, *extra])


def _value(
    form: Form, key: str, raw: str, catalogue: Catalogue, problems: list[Problem], least: int
) -> object | Problem:
    match FIELDS[key].kind:
        case Kind.TOKEN:
            return read.token(key, raw)
        case Kind.YES:
            return read.yes(key, raw)
        case Kind.NUMBER:
            return read.number(key, raw, least)
        case Kind.EMAIL:
            return read.email(key, raw)
        case Kind.OPTION:
            return read.option(key, raw, read.labels_of(key, catalogue))
        case Kind.OPTIONS:
            keys, faults = read.options(key, raw, read.labels_of(key, catalogue))
            problems.extend(faults)
            return keys
        case Kind.REASON:
            group = "reactivate" if form.request == "reactivate" else form.action or ""
            return read.reason(raw, catalogue.reasons.get(group, {}))
        case _:
            return raw


def _missing(form: Form, reading: Reading, found: list[Problem], *, attachments: bool) -> Iterator[Problem]:
    wrong = {problem.field for problem in found}
    for field in form.required:
        if field == "log":
            if not attachments:
                yield Problem(field="log", code=Code.ATTACHMENT_MISSING, expected="the license log or status, attached")
        elif not reading.values.get(field) and field not in wrong:
            near = reading.near.get(field)
            code = Code.NEAR_LABEL if near else Code.MISSING
            yield Problem(field=field, code=code, read=near or "", expected=FIELDS[field].label)
    if form.one_of and not any(reading.values.get(field) for field in form.one_of):
        expected = ", ".join(FIELDS[field].label for field in form.one_of)
        yield Problem(field="items", code=Code.MISSING, expected=expected)


def _of_values(request: Request, catalogue: Catalogue) -> Iterator[Problem]:
    """Faults of values that were read well."""
    if request.accept is False:
        yield Problem(field="accept", code=Code.NOT_ACCEPTED, read="no", expected="yes")
    if request.request == "activate":
        for key in request.addons:
            lacking = [need for need in catalogue.addons[key].requires if need not in request.addons]
            if lacking:
                labels = ", ".join(catalogue.addons[need].label for need in lacking)
                yield Problem(field="addons", code=Code.REQUIRES, read=catalogue.addons[key].label, expected=labels)
    other = request.new_token or request.motion_token
    if other and other == (request.old_token or request.token):
        field = "new_token" if request.new_token else "motion_token"
        yield Problem(field=field, code=Code.NO_CHANGE, read=other, expected="another token than the old one")
