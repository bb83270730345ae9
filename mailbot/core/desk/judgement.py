"""A form that was read is checked against sender, ledger and catalogue. Nothing happens to a ticket yet."""

from mailbot.core.base.frozen import replace
from mailbot.core.catalogue.contents import Catalogue
from mailbot.core.desk.authorisation import Sender, Standing, standing_of
from mailbot.core.desk.context import Scene
from mailbot.core.desk.events import Judged, SubmittedForm
from mailbot.core.desk.ledger_problems import ledger_problems, schedule_conflicts
from mailbot.core.desk.requested_items import asked
from mailbot.core.desk.rules import Case, items_of
from mailbot.core.desk.ticket import Item
from mailbot.core.form.fields import FORMS, any_form
from mailbot.core.form.problem import Code, Problem
from mailbot.core.form.reader import Request
from mailbot.core.form.request_kinds import RequestKind
from mailbot.core.ledger.licence import Ledger, Licence, without


def judge(form: SubmittedForm, sender: Sender, scene: Scene) -> Judged:
    """The form as the rules see it, with the problems that the ledger shows added to its own."""
    scene = replace(scene, ledger=_without_own_changes(scene, form.ref))
    request = form.request
    licence = scene.ledger.licence(request.token or request.old_token)
    standing = standing_of(request, sender, licence, always_confirm=form.always_confirm)
    if form.confirmed:
        standing = replace(standing, released=True, challenged=(), neutral=False)
    tells_ledger = standing.reads_ledger or form.confirmed
    problems = list(form.problems)
    if tells_ledger:
        problems += ledger_problems(request, scene.ledger, scene.catalogue)
    if standing.token_doubt and standing.reads_ledger:
        problems.append(Problem(field="token", code=Code.TOKEN_UNKNOWN, read=request.token or "", from_ledger=True))
    items = () if problems else _items(form, licence, standing, scene)
    if licence is not None and request.request is RequestKind.MODIFY and tells_ledger:
        problems += schedule_conflicts(licence, items, scene)
    return Judged(
        form=replace(form, problems=_in_form_order(request, problems)),
        items=() if problems else items,
        standing=standing,
        licence=licence,
        agreement_version=scene.catalogue.agreement_version,
        catalogue_version=scene.catalogue.version,
    )


def _in_form_order(request: Request, problems: list[Problem]) -> tuple[Problem, ...]:
    """The problems in the order of the form's lines; those of one line keep their order."""
    form = FORMS.get((request.request, request.action)) or any_form(request.request)
    lines = ("request", "product", *form.fields)
    return tuple(sorted(problems, key=lambda one: lines.index(one.field) if one.field in lines else len(lines)))


def _without_own_changes(scene: Scene, ref: str) -> Ledger:
    found = {token: without(licence, ref, scene.today) for token, licence in scene.ledger.licences.items()}
    return replace(scene.ledger, licences={token: licence for token, licence in found.items() if licence})


def _items(form: SubmittedForm, licence: Licence | None, standing: Standing, scene: Scene) -> tuple[Item, ...]:
    request = form.request
    case = Case(
        request=request.request,
        action=request.action,
        billing=request.billing,
        asked_on=scene.date_of(form.received_at),
        licence=licence,
        catalogue=scene.catalogue,
        staff_whole=standing.staff_whole
        or _demo_for_staff(request, licence, scene.ledger)
        or _of_another_product(request, licence),
    )
    return items_of(case, asked(request, licence, scene.catalogue), scene.today)


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
