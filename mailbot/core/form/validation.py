"""A reading into a request, with every problem of the form itself at once.

The problems that only the ledger shows are left to ``desk.ledger_problems``.
"""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from typing import assert_never

from rapidfuzz import fuzz, process

from mailbot.core.catalogue.contents import Catalogue
from mailbot.core.catalogue.item_kinds import SEATS
from mailbot.core.form import choices, values
from mailbot.core.form.fields import FIELDS, FORMS, LABELS, TITLES, FieldKind, Form, combined_form, normalise
from mailbot.core.form.near_misses import NearMiss, choice_in_prose, count_in_prose
from mailbot.core.form.problem import Code, Problem, either
from mailbot.core.form.request import VALUE_SEPARATOR, Reading, Request, RequestKind
from mailbot.core.form.which_form import CHOOSER, FormChoice, action_of, chooser_values, form_choice

#: The only fields kept while it is not known which form it is: the meaning of the others depends on that.
_COMMON_FIELDS = ("token", "old_token", "new_token", "customer_name", "customer_email", "accept", "comments")
#: The lines that say which form it is; `_choice_problems` checks them, not ``values``.
_CHOICE_LINES = ("request", "product", "action")
#: What people write for "nothing to say". "None" is not here: it may mean 0, or no change.
_EMPTY_VALUES = frozenset({"", "n/a", "n.a."})
#: How alike a near label of an optional field must be, in percent: in general, and if its value can be checked and is right.
_LIKENESS, _LIKENESS_WITH_RIGHT_VALUE = 90, 84
#: Most lines of prose searched for near misses.
_PROSE_LINES_MAX = 300


def validate(
    reading: Reading, catalogue: Catalogue, *, attachments: bool, default_name: str = ""
) -> tuple[Request, tuple[Problem, ...]]:
    """The request as far as it could be read, and its problems. ``attachments``: the mail has a file that could be a log.

    While it is not known which form it is, every given value is checked, and what all forms of that request require. Fields
    that the form does not have are kept in the comments together with the prose, where staff see them.
    """
    choice = form_choice(_in_form_words(reading.values, catalogue))
    form = FORMS.get((choice.request, choice.action))
    given = {**chooser_values(choice.request, choice.action), **reading.values} if form else dict(reading.values)
    if choice.request is RequestKind.INFORMATION and not given.get("question") and reading.prose:
        given["question"] = reading.prose
    check = _FormCheck(form or combined_form(choice.request), given, reading, catalogue)
    parsed, value_problems = check.read_values()
    if choice.request is RequestKind.INFORMATION and not parsed.get("customer_name"):
        parsed["customer_name"] = default_name or None
    problems = [*_choice_problems(choice, given, catalogue), *value_problems]
    problems += check.missing(parsed, {problem.field for problem in problems}, attachments=attachments)
    request = Request(**{**parsed, "request": choice.request, "action": choice.action})  # type: ignore[arg-type]
    problems += _combination_problems(request, catalogue)
    return _known_part(request, form), tuple(problems)


def _in_form_words(given: Mapping[str, str], catalogue: Catalogue) -> dict[str, str]:
    """The values with the form's own words for product and grace period reason, which the catalogue may call otherwise."""
    plain = dict(given)
    product = values.read_product(given.get("product", ""), catalogue.products, catalogue.vendor)
    if isinstance(product, str):
        plain["product"] = product.capitalize()
    reason = values.read_option("reason", given.get("reason", ""), catalogue.reasons.get("reactivate", {}))
    if isinstance(reason, str):
        plain["reason"] = reason.replace("_", " ")
    return plain


def _known_part(request: Request, form: Form | None) -> Request:
    """The request without values whose meaning depends on a form that is not known yet."""
    if request.request is RequestKind.UNKNOWN:
        return Request()
    common = {key: getattr(request, key) for key in _COMMON_FIELDS}
    known = vars(request) if form else {"request": request.request, **common}
    return Request(**{**known, "product": "shuttle" if request.request is RequestKind.SHUTTLE else "motion"})


def _choice_problems(choice: FormChoice, given: Mapping[str, str], catalogue: Catalogue) -> Iterator[Problem]:
    """What is wrong with the lines that say which form it is."""
    for key in _CHOICE_LINES:
        if VALUE_SEPARATOR in given.get(key, ""):
            yield _given_twice(key, given[key])
    if clash := choice.clash:
        yield Problem(field=clash.field, code=Code.GIVEN_TWICE, read=clash.read, expected="expected.one_of_them")
    line = given.get("request", "")
    if choice.request is RequestKind.UNKNOWN and VALUE_SEPARATOR not in line:
        yield _unknown("request", line, tuple(kind.value for kind in TITLES))
    product = given.get("product", "")
    if product and VALUE_SEPARATOR not in product:
        known = values.read_product(product, catalogue.products, catalogue.vendor)
        if isinstance(known, Problem):
            yield known
    action = given.get("action", "")
    needed = CHOOSER.get(choice.request) == "action" and action and VALUE_SEPARATOR not in action
    if needed and (choice.request, action_of(action)) not in FORMS:
        actions = tuple(str(a).capitalize() for r, a in FORMS if r is choice.request)
        yield _unknown("action", action, actions)


def _unknown(key: str, raw: str, names: tuple[str, ...]) -> Problem:
    plain_names = [normalise(name) for name in names]
    near = process.extractOne(normalise(raw)[:100], plain_names, score_cutoff=70) if raw else None
    code = Code.UNKNOWN_VALUE if raw else Code.MISSING
    return Problem(field=key, code=code, read=raw, expected=either(names), hint=names[near[2]] if near else "")


def _given_twice(key: str, raw: str) -> Problem:
    read = " / ".join(raw.split(VALUE_SEPARATOR))
    return Problem(field=key, code=Code.GIVEN_TWICE, read=read, expected="expected.one_value")


@dataclass(frozen=True)
class _FormCheck:
    """A form with the text of its fields, to be checked; ``given``: with the fields that follow from its request and action."""

    form: Form
    given: Mapping[str, str]
    reading: Reading
    catalogue: Catalogue

    def read_values(self) -> tuple[dict[str, object], list[Problem]]:
        """(field -> value, the problems of the others)."""
        parsed: dict[str, object] = {}
        problems: list[Problem] = []
        foreign: list[str] = []
        for key, raw in self.given.items():
            if key in ("log", "comments") or (key in _CHOICE_LINES and (key != "action" or self._takes_action())):
                continue
            if key not in self.form.fields:
                foreign.append(f"{FIELDS[key].label}: {raw.replace(VALUE_SEPARATOR, ' / ')}")
            elif VALUE_SEPARATOR in raw:
                problems.append(_given_twice(key, raw))
            elif normalise(raw).strip("- ") not in _EMPTY_VALUES:
                value, faults = self._read_value(key, raw)
                problems += faults
                if value is not None:
                    parsed[key] = value
        prose = self.reading.prose if self.form.request is not RequestKind.INFORMATION else ""
        words = [text for text in (self.given.get("comments", ""), *foreign, prose) if text]
        if words:
            parsed["comments"] = "\n".join(words)
        return parsed, problems

    def _takes_action(self) -> bool:
        unknown = self.form.request is RequestKind.UNKNOWN
        return unknown or "action" in self.form.fields or action_of(self.given["action"]) is not None

    def _read_value(self, key: str, raw: str) -> tuple[object, tuple[Problem, ...]]:
        """(the value, None if it has a problem; its problems)."""
        if FIELDS[key].kind is FieldKind.OPTIONS:
            labels, unoffered = self._choices(key)
            keys, faults = values.read_options(key, raw, labels, unoffered)
            return keys, tuple(fault for fault in faults if not self._is_in_other_list(key, fault.read))
        value = self._read_single(key, raw)
        return (None, (value,)) if isinstance(value, Problem) else (value, ())

    def _read_single(self, key: str, raw: str) -> object | Problem:
        kind = FIELDS[key].kind
        match kind:
            case FieldKind.TOKEN:
                return values.read_token(key, raw)
            case FieldKind.YES:
                return values.read_yes_no(key, raw)
            case FieldKind.NUMBER:
                return values.read_number(key, raw, self._least_count(key))
            case FieldKind.EMAIL:
                return values.read_email(key, raw)
            case FieldKind.OPTION:
                return values.read_option(key, raw, choices.option_labels(key, self.catalogue))
            case FieldKind.REASON if self.form.request is RequestKind.REACTIVATE:
                return values.read_grace_reason(raw, self.catalogue.reasons.get("reactivate", {}))
            case FieldKind.REASON:
                return values.read_reason(raw, self.catalogue.reasons.get(self.form.action or "", {}))
            case (
                FieldKind.REQUEST
                | FieldKind.ACTION
                | FieldKind.PRODUCT
                | FieldKind.TEXT
                | FieldKind.PROSE
                | FieldKind.OPTIONS
                | FieldKind.FILE
            ):
                return raw
            case _:
                assert_never(kind)

    def _choices(self, key: str) -> tuple[dict[str, str], dict[str, str]]:
        """The choices of a list that a form offers, and those that it knows but does not offer; each key -> label."""
        return choices.option_labels(key, self.catalogue), choices.unoffered_labels(key, self.catalogue)

    def _is_in_other_list(self, key: str, name: str) -> bool:
        """Whether one list held add-ons and plugins together, and the name belongs to the other of the two fields."""
        if self.given.get("addons") != self.given.get("plugins"):
            return False
        other = "plugins" if key == "addons" else "addons"
        return key == "plugins" or not values.read_options(other, name, *self._choices(other))[1]

    def _least_count(self, key: str) -> int:
        limited = self.form.request in (RequestKind.ACTIVATE, RequestKind.MODIFY) and key in self.catalogue.seats
        return self.catalogue.seats[key].minimum if limited else 0

    def missing(self, parsed: Mapping[str, object], wrong: Set[str], *, attachments: bool) -> Iterator[Problem]:
        """What the form requires and lacks, and near misses of what it lacks. ``wrong``: the fields with a problem."""
        lacking = [key for key in self.form.fields if not self.given.get(key) and key not in wrong]
        near = {key: miss for key in lacking if (miss := self._near_miss(key))}
        for key in lacking:
            if key == "log":
                if key in self.form.required and not attachments:
                    yield Problem(field=key, code=Code.ATTACHMENT_MISSING, expected="expected.log")
            elif key in near:
                yield Problem(field=key, code=Code.NEAR_LABEL, read=near[key].read, expected=near[key].expected)
            elif key in self.form.required:
                expected = choices.describe_expected(key, self.form, self.catalogue)
                yield Problem(field=key, code=Code.MISSING, expected=expected)
        one_of = self.form.one_of
        if one_of and not any(parsed.get(key) not in (None, ()) or key in wrong or key in near for key in one_of):
            yield Problem(field="items", code=Code.MISSING, expected=either(FIELDS[key].label for key in one_of))

    def _near_miss(self, key: str) -> NearMiss | None:
        """A line that may be meant for the field: under nearly its label, else in the prose."""
        if key in self.reading.near and self._may_mean(key):
            return NearMiss(self.reading.near[key].label, FIELDS[key].label)
        lines = self.reading.prose.splitlines()[:_PROSE_LINES_MAX]
        if FIELDS[key].kind is FieldKind.OPTIONS:
            return choice_in_prose(key, lines, choices.option_labels(key, self.catalogue))
        return count_in_prose(key, lines) if key in SEATS else None

    def _may_mean(self, key: str) -> bool:
        """Whether a line with nearly the label of a field is meant for it.

        For an optional field its value must be right too, so that "Phone: +39 ..." is not taken for "Telephones".
        """
        label, raw = self.reading.near[key]
        kind = FIELDS[key].kind
        if key in self.form.required:
            return True
        if kind in (FieldKind.PROSE, FieldKind.FILE):
            return False  # it is kept as prose anyway
        names = [name for name, field in LABELS.items() if field == key]
        alike = process.extractOne(normalise(label), names, scorer=fuzz.ratio, score_cutoff=_LIKENESS_WITH_RIGHT_VALUE)
        if alike is None or (kind in (FieldKind.TEXT, FieldKind.EMAIL) and alike[1] < _LIKENESS):
            return False
        value, problems = self._read_value(key, raw)
        return not problems and value != ()


def _combination_problems(request: Request, catalogue: Catalogue) -> Iterator[Problem]:
    """Problems of values that are right one by one."""
    if request.accept is False:
        yield Problem(field="accept", code=Code.NOT_ACCEPTED, read="no", expected="yes")
    if request.request is RequestKind.ACTIVATE:
        for key in request.addons:
            lacking = [need for need in catalogue.addons[key].requires if need not in request.addons]
            if lacking:
                labels = ", ".join(catalogue.addons[need].label for need in lacking)
                yield Problem(field="addons", code=Code.REQUIRES, read=catalogue.addons[key].label, expected=labels)
        for key in request.plugins:
            if needs := catalogue.lacking(key, request.plan, frozenset(request.addons)):
                label = catalogue.plugins[key].label
                yield Problem(field="plugins", code=Code.REQUIRES, read=label, expected=either(needs))
    other = request.new_token or request.motion_token
    if other and other == (request.old_token or request.token):
        key = "new_token" if request.new_token else "motion_token"
        yield Problem(field=key, code=Code.NO_CHANGE, read=other)
