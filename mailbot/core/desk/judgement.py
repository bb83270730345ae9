"""Checks a form against sender, ledger and catalogue. Nothing happens to a ticket yet."""

from mailbot.core.base.frozen import replace
from mailbot.core.catalogue.contents import Catalogue
from mailbot.core.desk.authorisation import Sender, Standing, standing_of
from mailbot.core.desk.context import DecisionContext
from mailbot.core.desk.events import JudgedForm, SubmittedForm
from mailbot.core.desk.ledger_problems import ledger_problems, schedule_conflicts
from mailbot.core.desk.requested_items import requested_items
from mailbot.core.desk.rules import RuleCase, items_by_rules
from mailbot.core.desk.ticket import Item
from mailbot.core.form.fields import FORMS, combined_form
from mailbot.core.form.problem import Code, Problem
from mailbot.core.form.request import Request, RequestKind
from mailbot.core.ledger.licence import Ledger, Licence, without


def judge(form: SubmittedForm, sender: Sender, context: DecisionContext) -> JudgedForm:
    """The form with the problems found in the ledger added to its own, its items and its authorisation."""
    context = replace(context, ledger=_without_own_changes(context, form.ref))
    request = form.request
    licence = context.ledger.licence(request.token or request.old_token)
    standing = standing_of(request, sender, licence, always_confirm=form.always_confirm)
    if form.confirmed:
        standing = replace(standing, released=True, challenged=(), neutral=False)
    tells_ledger = standing.reads_ledger or form.confirmed
    problems = list(form.problems)
    if tells_ledger:
        problems += ledger_problems(request, context.ledger, context.catalogue)
    if standing.token_doubt and standing.reads_ledger:
        problems.append(Problem(field="token", code=Code.TOKEN_UNKNOWN, read=request.token or "", from_ledger=True))
    items = () if problems else _items(form, licence, standing, context)
    if licence is not None and request.request is RequestKind.MODIFY and tells_ledger:
        problems += schedule_conflicts(licence, items, context)
    return JudgedForm(
        form=replace(form, problems=_in_form_order(request, problems)),
        items=() if problems else items,
        standing=standing,
        licence=licence,
        agreement_version=context.catalogue.agreement_version,
        catalogue_version=context.catalogue.version,
    )


def _in_form_order(request: Request, problems: list[Problem]) -> tuple[Problem, ...]:
    """The problems sorted by the form's lines."""
    form = FORMS.get((request.request, request.action)) or combined_form(request.request)
    lines = ("request", "product", *form.fields)
    return tuple(sorted(problems, key=lambda one: lines.index(one.field) if one.field in lines else len(lines)))


def _without_own_changes(context: DecisionContext, ref: str) -> Ledger:
    found = {token: without(licence, ref, context.today) for token, licence in context.ledger.licences.items()}
    return replace(context.ledger, licences={token: licence for token, licence in found.items() if licence})


def _items(
    form: SubmittedForm, licence: Licence | None, standing: Standing, context: DecisionContext
) -> tuple[Item, ...]:
    request = form.request
    case = RuleCase(
        request=request.request,
        action=request.action,
        billing=request.billing,
        asked_on=context.date_of(form.received_at),
        licence=licence,
        catalogue=context.catalogue,
        staff_whole=standing.staff_whole
        or _demo_for_staff(request, licence, context.ledger)
        or _of_another_product(request, licence),
    )
    return items_by_rules(case, requested_items(request, licence, context.catalogue), context.today)


def _demo_for_staff(request: Request, licence: Licence | None, ledger: Ledger) -> bool:
    """Staff decide on a demo for a customer who had one elsewhere, or on a token that was in use."""
    return (
        bool(request.demo)
        and request.request is RequestKind.ACTIVATE
        and (ledger.demo_elsewhere or licence is not None)
    )


def _of_another_product(request: Request, licence: Licence | None) -> bool:
    """Staff decide on a form for Motion on a Shuttle licence: Shuttle licences are changed by hand."""
    return request.request is RequestKind.MODIFY and licence is not None and licence.product != request.product


def question(text: str, name: str, address: str, catalogue: Catalogue) -> Request:
    """A mail without a form, as a question to staff."""
    return Request(
        request=RequestKind.INFORMATION,
        action=None,
        product=next(iter(catalogue.products)),
        question=text,
        customer_name=name,
        customer_email=address,
    )
