"""What the catalogue offers for a field: the options that ``form.values`` reads, and their description on a blank form."""

from collections.abc import Mapping
from typing import Protocol, assert_never

from mailbot.core.catalogue.contents import Catalogue
from mailbot.core.form.fields import FIELDS, FORMS, FieldKind, Form
from mailbot.core.form.request import RequestKind

_LOG_CHOICES = "attach it to your mail: .log, .txt, .json, .gz or .zip"


def unoffered_labels(field: str, catalogue: Catalogue) -> dict[str, str]:
    """The choices of a field that come included with others, so that no form offers them: key -> label."""
    return {p.key: p.label for p in catalogue.plugins.values() if p.implied_by} if field == "plugins" else {}


class _Choice(Protocol):
    """Anything in the catalogue that has a label."""

    @property
    def label(self) -> str: ...


def option_labels(field: str, catalogue: Catalogue) -> dict[str, str]:
    """The choices of an option field, key -> label."""
    choices: dict[str, Mapping[str, _Choice]] = {
        "plan": catalogue.plans,
        "support": catalogue.support,
        "billing": catalogue.billing,
        "addons": catalogue.addons,
        "plugins": {p.key: p for p in catalogue.askable_plugins()},
    }
    return {key: choice.label for key, choice in choices[field].items()}


def describe_choices(field: str, form: Form, catalogue: Catalogue) -> str:
    """The choices of a field as a blank form shows them; "" if its label says enough."""
    match FIELDS[field].kind:
        case FieldKind.YES:
            return "yes / no"
        case FieldKind.OPTION:
            return " / ".join(option_labels(field, catalogue).values())
        case FieldKind.OPTIONS:
            return "any of " + ", ".join(option_labels(field, catalogue).values())
        case FieldKind.ACTION:
            return " / ".join(str(a).capitalize() for r, a in FORMS if r is form.request)
        case FieldKind.REASON if form.request is RequestKind.REACTIVATE:
            return " / ".join(catalogue.reasons.get("reactivate", {}).values())
        case FieldKind.REASON if form.action:
            return " / ".join([*catalogue.reasons.get(form.action, {}).values(), "or your own words"])
        case FieldKind.NUMBER:
            return _describe_count(field, form, catalogue)
        case FieldKind.FILE:
            return _LOG_CHOICES
        case (
            FieldKind.REASON
            | FieldKind.REQUEST
            | FieldKind.PRODUCT
            | FieldKind.TOKEN
            | FieldKind.TEXT
            | FieldKind.PROSE
            | FieldKind.EMAIL
        ):
            return ""
        case _ as kind:
            assert_never(kind)


def _describe_count(field: str, form: Form, catalogue: Catalogue) -> str:
    seat = catalogue.seats.get(field)
    notes = [seat.note] if seat and seat.note else []
    return ", ".join(["the new total", *notes] if form.request is RequestKind.MODIFY else notes)


def describe_expected(field: str, form: Form, catalogue: Catalogue) -> str:
    """What a missing line should hold, for the ``expected`` of a ``problem.Problem``."""
    kind = FIELDS[field].kind
    free = {FieldKind.TOKEN: "expected.token", FieldKind.TEXT: "expected.company"}
    return free.get(kind) or describe_choices(field, form, catalogue) or "expected.own_words"
