"""A reading into a request with every fault of the form itself, all at once. Faults that only the ledger shows: ``checks``."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from rapidfuzz import fuzz, process

from mailbot.core.catalogue.contents import Catalogue
from mailbot.core.catalogue.item_kinds import SEATS
from mailbot.core.form import values as read
from mailbot.core.form.fields import FIELDS, FORMS, LABELS, TITLES, FieldKind, Form, any_form, normal
from mailbot.core.form.near_misses import chosen, counted
from mailbot.core.form.problem import Code, Problem, either
from mailbot.core.form.reader import Reading, Request
from mailbot.core.form.request_kinds import RequestKind
from mailbot.core.form.which_form import CHOOSER, TWICE, Named, action_of, named, stated

#: Of a form that is not known yet only these are kept: what the others ask for depends on it.
_SURE = ("token", "old_token", "new_token", "customer_name", "customer_email", "accept", "comments")
#: Choose the form; their values are judged here, not by ``values``.
_CHOOSERS = ("request", "product", "action")
#: What people write where they have nothing to say; a "none" may mean 0, or that nothing changes.
_NOTHING = frozenset({"", "n/a", "n.a."})
#: How alike a label must be to that of a field which may be left out: where its value says nothing, and where it fits.
_ALIKE, _ALIKE_AND_FITTING = 90, 84
#: So many lines of prose are looked at for what is meant for a field.
_MOST_MEANT = 300


def validate(
    reading: Reading, catalogue: Catalogue, *, attachments: bool, default_name: str = ""
) -> tuple[Request, tuple[Problem, ...]]:
    """The request as far as it could be read, and its problems. ``attachments``: something that could be a log is there.

    Where it is not known which form it is, what all forms of that request have in common is checked, and the value of
    every field that is given. Fields that the form does not have, and prose, are kept in the comments: staff see them.
    """
    said = named(_canonical(reading.values, catalogue))
    form = FORMS.get((said.request, said.action))
    given = {**stated(said.request, said.action), **reading.values} if form else dict(reading.values)
    if said.request is RequestKind.INFORMATION and not given.get("question") and reading.prose:
        given["question"] = reading.prose
    found = _Found(form or any_form(said.request), given, reading, catalogue)
    found.problems += _of_form(said, given, catalogue)
    parsed = dict(found.parsed())
    if said.request is RequestKind.INFORMATION and not parsed.get("customer_name"):
        parsed["customer_name"] = default_name or None
    found.problems += found.missing(parsed, attachments=attachments)
    request = Request(**{**parsed, "request": said.request, "action": said.action})  # type: ignore[arg-type]
    found.problems += _of_values(request, catalogue)
    return _known(request, form), tuple(found.problems)


def _known(request: Request, form: Form | None) -> Request:
    """What counts of it; where the form is not known yet, what every form has."""
    if request.request is RequestKind.UNKNOWN:
        return Request()
    sure = vars(request) if form else {"request": request.request, **{key: getattr(request, key) for key in _SURE}}
    return Request(**{**sure, "product": "shuttle" if request.request is RequestKind.SHUTTLE else "motion"})


def _canonical(values: Mapping[str, str], catalogue: Catalogue) -> dict[str, str]:
    """The values with product and grace period reason as the form's own words where the catalogue has other labels."""
    plain = dict(values)
    product = read.product(values.get("product", ""), catalogue.products, catalogue.vendor)
    if isinstance(product, str):
        plain["product"] = product.capitalize()
    reason = read.option("reason", values.get("reason", ""), catalogue.reasons.get("reactivate", {}))
    if isinstance(reason, str):
        plain["reason"] = reason.replace("_", " ")
    return plain


def _of_form(said: Named, given: Mapping[str, str], catalogue: Catalogue) -> Iterator[Problem]:
    """What is wrong with the lines that say which form it is."""
    for key in _CHOOSERS:
        if TWICE in given.get(key, ""):
            yield _twice(key, given[key])
    if said.clash:
        yield Problem(field=said.clash[0], code=Code.GIVEN_TWICE, read=said.clash[1], expected="expected.one_of_them")
    line = given.get("request", "")
    if said.request is RequestKind.UNKNOWN and TWICE not in line:
        yield _unknown("request", line, tuple(key.value for key in TITLES))
    product = given.get("product", "")
    if product and TWICE not in product:
        known = read.product(product, catalogue.products, catalogue.vendor)
        if isinstance(known, Problem):
            yield known
    action = given.get("action", "")
    needed = CHOOSER.get(said.request) == "action"
    if needed and action and TWICE not in action and (said.request, action_of(action)) not in FORMS:
        actions = tuple(str(a).capitalize() for r, a in FORMS if r is said.request)
        yield _unknown("action", action, actions)


def _unknown(key: str, raw: str, names: tuple[str, ...]) -> Problem:
    near = process.extractOne(normal(raw)[:100], [normal(name) for name in names], score_cutoff=70) if raw else None
    code = Code.UNKNOWN_VALUE if raw else Code.MISSING
    return Problem(field=key, code=code, read=raw, expected=either(names), hint=names[near[2]] if near else "")


def _twice(key: str, raw: str) -> Problem:
    return Problem(field=key, code=Code.GIVEN_TWICE, read=" / ".join(raw.split(TWICE)), expected="expected.one_value")


@dataclass
class _Found:
    """A form under check; ``problems`` grow."""

    form: Form
    given: Mapping[str, str]
    reading: Reading
    catalogue: Catalogue
    problems: list[Problem] = field(default_factory=list)

    def parsed(self) -> Iterator[tuple[str, object]]:
        """Field and value of what could be read."""
        extra: list[str] = []
        for key, raw in self.given.items():
            if key in _CHOOSERS and (key != "action" or self._takes_action()):
                continue
            if key in ("log", "comments"):
                continue
            if key not in self.form.fields:
                extra.append(f"{FIELDS[key].label}: {raw.replace(TWICE, ' / ')}")
            elif TWICE in raw:
                self.problems.append(_twice(key, raw))
            elif normal(raw).strip("- ") in _NOTHING:
                continue
            else:
                yield from self._one(key, raw)
        prose = self.reading.prose if self.form.request is not RequestKind.INFORMATION else ""
        words = [self.given.get("comments", ""), *extra, prose]
        if any(words):
            yield "comments", "\n".join(word for word in words if word)

    def _takes_action(self) -> bool:
        unknown = self.form.request is RequestKind.UNKNOWN
        return unknown or "action" in self.form.fields or action_of(self.given["action"]) is not None

    def _one(self, key: str, raw: str) -> Iterator[tuple[str, object]]:
        value = self._value(key, raw)
        if isinstance(value, Problem):
            self.problems.append(value)
        elif value is not None:
            yield key, value

    def _value(self, key: str, raw: str) -> object | Problem:
        match FIELDS[key].kind:
            case FieldKind.TOKEN:
                return read.token_value(key, raw)
            case FieldKind.YES:
                return read.yes(key, raw)
            case FieldKind.NUMBER:
                return read.number(key, raw, self._least(key))
            case FieldKind.EMAIL:
                return read.email(key, raw)
            case FieldKind.OPTION:
                return read.option(key, raw, read.labels_of(key, self.catalogue))
            case FieldKind.OPTIONS:
                keys, faults = read.options(
                    key, raw, read.labels_of(key, self.catalogue), read.unoffered(key, self.catalogue)
                )
                self.problems.extend(fault for fault in faults if not self._of_the_other(key, fault.read))
                return keys
            case FieldKind.REASON if self.form.request is RequestKind.REACTIVATE:
                return read.grace_reason(raw, self.catalogue.reasons.get("reactivate", {}))
            case FieldKind.REASON:
                return read.reason_value(raw, self.catalogue.reasons.get(self.form.action or "", {}))
            case _:
                return raw

    def _of_the_other(self, key: str, name: str) -> bool:
        """Whether a name that is none of a field's belongs to the other field of one list of add-ons and plugins."""
        if self.given.get("addons") != self.given.get("plugins"):
            return False
        other = "plugins" if key == "addons" else "addons"
        choices = read.labels_of(other, self.catalogue), read.unoffered(other, self.catalogue)
        return key == "plugins" or not read.options(other, name, *choices)[1]

    def _least(self, key: str) -> int:
        counted = self.form.request in (RequestKind.ACTIVATE, RequestKind.MODIFY) and key in self.catalogue.seats
        return self.catalogue.seats[key].minimum if counted else 0

    def missing(self, parsed: Mapping[str, object], *, attachments: bool) -> Iterator[Problem]:
        """What the form needs and does not have, and labels that may be meant for what it does not have."""
        wrong = {problem.field for problem in self.problems}
        lacking = [key for key in self.form.fields if not self.given.get(key) and key not in wrong]
        near = {
            key: (self.reading.near[key][0], FIELDS[key].label)
            for key in lacking
            if key in self.reading.near and self._may_mean(key)
        }
        near |= {key: line for key in lacking if key not in near and (line := self._meant(key))}
        for key in lacking:
            if key == "log":
                if key in self.form.required and not attachments:
                    yield Problem(field=key, code=Code.ATTACHMENT_MISSING, expected="expected.log")
            elif key in near:
                yield Problem(field=key, code=Code.NEAR_LABEL, read=near[key][0], expected=near[key][1])
            elif key in self.form.required:
                yield Problem(field=key, code=Code.MISSING, expected=read.wanted(key, self.form, self.catalogue))
        one_of = self.form.one_of
        if one_of and not any(parsed.get(key) not in (None, ()) or key in wrong or key in near for key in one_of):
            yield Problem(field="items", code=Code.MISSING, expected=either(FIELDS[key].label for key in one_of))

    def _meant(self, key: str) -> tuple[str, str] | None:
        """A line of the prose that is meant for the field, and how it would be written."""
        lines = self.reading.prose.splitlines()[:_MOST_MEANT]
        if FIELDS[key].kind is FieldKind.OPTIONS:
            return chosen(key, lines, read.labels_of(key, self.catalogue))
        return counted(key, lines) if key in SEATS else None

    def _may_mean(self, key: str) -> bool:
        """Whether a line nearly labelled as a field is meant for it.

        Of a field that can be left out only where the value would be right for it, so that "Phone: +39 ..." is none.
        """
        label, raw = self.reading.near[key]
        kind = FIELDS[key].kind
        if key in self.form.required:
            return True
        if kind in (FieldKind.PROSE, FieldKind.FILE):
            return False  # it is kept as prose
        names = [name for name, of in LABELS.items() if of == key]
        alike = process.extractOne(normal(label), names, scorer=fuzz.ratio, score_cutoff=_ALIKE_AND_FITTING)
        if alike is None or (kind in (FieldKind.TEXT, FieldKind.EMAIL) and alike[1] < _ALIKE):
            return False
        before = len(self.problems)
        value = self._value(key, raw)
        faults = len(self.problems) > before
        del self.problems[before:]
        return not faults and not isinstance(value, Problem) and value != ()


def _of_values(request: Request, catalogue: Catalogue) -> Iterator[Problem]:
    """Faults of values that were read well."""
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
