"""A read form against sender, ledger and catalogue: everything that is known before anything happens."""

from datetime import datetime

from mailbot.core.base.frozen import replace
from mailbot.core.catalogue.contents import Catalogue
from mailbot.core.desk.authorisation import Sender, Standing, standing_of
from mailbot.core.desk.context import Scene
from mailbot.core.desk.events import Judged
from mailbot.core.desk.ledger_problems import ledger_problems
from mailbot.core.desk.requested_items import asked
from mailbot.core.desk.rules import Case, items_of
from mailbot.core.desk.schedule_conflicts import clashes
from mailbot.core.desk.ticket import Item
from mailbot.core.form.fields import FORMS, any_form
from mailbot.core.form.problem import Code, Problem
from mailbot.core.form.reader import Request
from mailbot.core.form.request_kinds import RequestKind
from mailbot.core.ledger.licence import Ledger, Licence, without
from mailbot.core.logs.diagnosis import Diagnosis


def judge(
    request: Request,
    problems: tuple[Problem, ...],
    fields: dict[str, str],
    sender: Sender,
    scene: Scene,
    *,
    received_at: datetime,
    diagnosis: Diagnosis | None = None,
    log_mails: tuple[int, ...] = (),
    form: str = "",
    always_confirm: bool = False,
    confirmed: bool = False,
    ref: str = "",
) -> Judged:
    """The form as the rules see it; ``problems`` are those of the form itself, those of the ledger are added.

    ``confirmed``: one of those asked has said yes, so that the ledger's faults may be told and nobody is asked again.
    ``ref``: its ticket, whose own changes of the ledger, if it is partly applied, are no fault of its correction.
    """
    scene = replace(scene, ledger=_before(scene, ref))
    licence = scene.ledger.licence(request.token or request.old_token)
    stands = standing_of(request, sender, licence, always_confirm=always_confirm)
    if confirmed:
        stands = replace(stands, released=True, challenged=(), neutral=False)
    found = list(problems)
    if stands.reads_ledger or confirmed:
        found += ledger_problems(request, scene.ledger, scene.catalogue)
    if stands.token_doubt and stands.reads_ledger:
        found.append(Problem(field="token", code=Code.TOKEN_UNKNOWN, read=request.token or "", from_ledger=True))
    items = _items(request, found, licence, stands, scene, received_at)
    if licence is not None and request.request is RequestKind.MODIFY and (stands.reads_ledger or confirmed):
        found += clashes(licence, items, scene)
    return Judged(
        request=request,
        fields=fields,
        problems=_in_order(request, found),
        items=() if found else items,
        standing=stands,
        received_at=received_at,
        licence=licence,
        diagnosis=diagnosis,
        log_mails=log_mails,
        form=form,
        agreement_version=scene.catalogue.agreement_version,
        catalogue_version=scene.catalogue.version,
    )


def _in_order(request: Request, problems: list[Problem]) -> tuple[Problem, ...]:
    """The problems as the form has its lines, those of one line as they were found."""
    form = FORMS.get((request.request, request.action)) or any_form(request.request)
    lines = ("request", "product", *form.fields)
    return tuple(sorted(problems, key=lambda one: lines.index(one.field) if one.field in lines else len(lines)))


def _before(scene: Scene, ref: str) -> Ledger:
    found = {token: without(licence, ref, scene.today) for token, licence in scene.ledger.licences.items()}
    return replace(scene.ledger, licences={token: licence for token, licence in found.items() if licence})


def _items(
    request: Request, problems: list[Problem], licence: Licence | None, stands: Standing, scene: Scene, at: datetime
) -> tuple[Item, ...]:
    """The items of a form without faults; a faulty one asks for nothing yet."""
    if problems or request.request is RequestKind.UNKNOWN:
        return ()
    case = Case(
        request=request.request,
        action=request.action,
        billing=request.billing,
        asked_on=scene.date_of(at),
        licence=licence,
        catalogue=scene.catalogue,
        staff_whole=stands.staff_whole
        or _demo_for_staff(request, licence, scene.ledger)
        or _of_another_product(request, licence),
    )
    return items_of(case, asked(request, licence, scene.catalogue), scene.today)


def _demo_for_staff(request: Request, licence: Licence | None, ledger: Ledger) -> bool:
    """A demo for somebody who had one elsewhere, or on a token that was in use, is not given by the rules alone."""
    return (
        bool(request.demo)
        and request.request is RequestKind.ACTIVATE
        and (ledger.demo_elsewhere or licence is not None)
    )


def _of_another_product(request: Request, licence: Licence | None) -> bool:
    """A form for Motion on a Shuttle licence, which is changed by hand: staff must know before anything is promised."""
    return request.request is RequestKind.MODIFY and licence is not None and licence.product != request.product


def question(text: str, name: str, address: str, catalogue: Catalogue) -> Request:
    """Prose that is no form, as the question that it is."""
    return Request(
        request=RequestKind.INFORMATION,
        action=None,
        product=next(iter(catalogue.products)),
        question=text,
        customer_name=name,
        customer_email=address,
    )
