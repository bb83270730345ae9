"""Which form a mail means: by its ``Request:`` line, its subject, and the fields that choose between the forms of a request.

Only exact words count. Two lines that name different forms are a clash for the customer to settle, never a choice of ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from rapidfuzz import fuzz, process

from mailbot.core.form.fields import FORMS, TITLES, normalise
from mailbot.core.form.forwarded import without_reply_prefixes
from mailbot.core.form.request import VALUE_SEPARATOR, Action, RequestKind
from mailbot.core.form.yes_no import yes_or_no

#: (beginning of a text, request, action): the seed's titles and headings, a longer one before one that it begins with.
_NAMES: tuple[tuple[str, RequestKind, Action | None], ...] = (
    ("activate a new license", RequestKind.ACTIVATE, None),
    ("activate new license", RequestKind.ACTIVATE, None),
    ("activate a license", RequestKind.ACTIVATE, None),
    ("activate your license", RequestKind.ACTIVATE, None),
    ("new license plan", RequestKind.ACTIVATE, Action.PLAN),
    ("new license", RequestKind.ACTIVATE, None),
    ("request a 30 days free demo", RequestKind.ACTIVATE, Action.DEMO),
    ("activate a 30 days free demo", RequestKind.ACTIVATE, Action.DEMO),
    ("free 30 days demo", RequestKind.ACTIVATE, Action.DEMO),
    ("free 30 day demo", RequestKind.ACTIVATE, Action.DEMO),
    ("30 days free demo", RequestKind.ACTIVATE, Action.DEMO),
    ("30-days free demo", RequestKind.ACTIVATE, Action.DEMO),
    ("30 day free demo", RequestKind.ACTIVATE, Action.DEMO),
    ("30-day free demo", RequestKind.ACTIVATE, Action.DEMO),
    ("free demo", RequestKind.ACTIVATE, Action.DEMO),
    ("demo", RequestKind.ACTIVATE, Action.DEMO),
    ("deactivate your license", RequestKind.MODIFY, Action.DEACTIVATE),
    ("deactivate the license", RequestKind.MODIFY, Action.DEACTIVATE),
    ("deactivate license", RequestKind.MODIFY, Action.DEACTIVATE),
    ("license deactivation", RequestKind.MODIFY, Action.DEACTIVATE),
    ("modify your license", RequestKind.MODIFY, None),
    ("modify existing license", RequestKind.MODIFY, None),
    ("modify license", RequestKind.MODIFY, None),
    ("modify the shuttle license", RequestKind.SHUTTLE, Action.MODIFY),
    ("transfer the shuttle license", RequestKind.SHUTTLE, Action.TRANSFER),
    ("request contract change", RequestKind.CONTRACT, None),
    ("contract change", RequestKind.CONTRACT, None),
    ("grace period", RequestKind.REACTIVATE, None),
    ("re-activate", RequestKind.REACTIVATE, None),
    ("reactivate", RequestKind.REACTIVATE, None),
    ("re-activation", RequestKind.REACTIVATE, None),
    ("reactivation", RequestKind.REACTIVATE, None),
    ("license reactivation", RequestKind.REACTIVATE, None),
    ("license re-activation", RequestKind.REACTIVATE, None),
    ("request general information", RequestKind.INFORMATION, None),
    ("general information", RequestKind.INFORMATION, None),
    ("information request", RequestKind.INFORMATION, None),
    ("request for information", RequestKind.INFORMATION, None),
    ("shuttle", RequestKind.SHUTTLE, None),
)
#: What people write -> the action.
ACTIONS: dict[str, Action] = {
    "add": Action.ADD, "add items": Action.ADD, "add new items": Action.ADD, "update": Action.ADD, "upgrade": Action.ADD,
    "update your license": Action.ADD, "upgrade your license": Action.ADD, "update license": Action.ADD, "upgrade license": Action.ADD,
    "remove": Action.REMOVE, "remove items": Action.REMOVE, "downgrade": Action.REMOVE, "downgrade your license": Action.REMOVE, "downgrade license": Action.REMOVE,
    "deactivate": Action.DEACTIVATE, "deactivation": Action.DEACTIVATE, "deactivate your license": Action.DEACTIVATE,
    "deactivate license": Action.DEACTIVATE, "deactivate the server": Action.DEACTIVATE, "deactivate server": Action.DEACTIVATE,
    "modify": Action.MODIFY, "transfer": Action.TRANSFER, "transfer to motion": Action.TRANSFER,
}  # fmt: skip
#: Actions that imply "modify" when they stand alone. "Upgrade" does not: it may be a contract change.
_MODIFY_ACTIONS = {
    words: action for words, action in ACTIONS.items() if words.startswith(("add", "remove", "deactivat"))
}
#: What people write -> the reason of a grace period, which is the action of "reactivate".
GRACE_REASONS: dict[str, Action] = {
    "expired": Action.EXPIRED, "license expired": Action.EXPIRED, "expired license": Action.EXPIRED, "license has expired": Action.EXPIRED,
    "expired license (trial mode)": Action.EXPIRED, "trial mode": Action.EXPIRED, "trial": Action.EXPIRED,
    "token change": Action.TOKEN_CHANGE, "token changed": Action.TOKEN_CHANGE, "change of token": Action.TOKEN_CHANGE, "changed token": Action.TOKEN_CHANGE,
    "other": Action.OTHER,
}  # fmt: skip
_DEMO = {"demo": Action.DEMO, "free demo": Action.DEMO, "plan": Action.PLAN, "license plan": Action.PLAN, "new plan": Action.PLAN, "new license plan": Action.PLAN}  # fmt: skip
_ACTIONS_OF: dict[RequestKind, dict[str, Action]] = {
    RequestKind.ACTIVATE: _DEMO,
    RequestKind.MODIFY: ACTIONS,
    RequestKind.SHUTTLE: ACTIONS,
    RequestKind.REACTIVATE: GRACE_REASONS,
}
#: Request -> the field that chooses between its forms; a request that is not here has one form.
CHOOSER = {
    RequestKind.ACTIVATE: "demo",
    RequestKind.MODIFY: "action",
    RequestKind.SHUTTLE: "action",
    RequestKind.REACTIVATE: "reason",
}
#: How alike a misspelt reason must be, in percent.
_NEAR_LIKENESS = 80


def request_of(text: str) -> tuple[RequestKind, Action | None] | None:
    """The (request, action) that a ``Request:`` line or a subject names; None if it names no request."""
    words = without_reply_prefixes(text).strip(" .:;,!*\"'")
    for key in TITLES:
        if words == key:
            return key, None
        if words.startswith((f"{key}/", f"{key} ", f"{key}-")):
            action = _action_after(key, words.removeprefix(key))
            if action is not None:
                return key, action
            if words.startswith(f"{key}/"):
                return None
    for start, request, action in _NAMES:
        rest = words.removeprefix(start)
        if words.startswith(start) and not rest[:1].isalnum():
            return request, action or _action_after(request, rest)
    if words in _MODIFY_ACTIONS:
        return RequestKind.MODIFY, _MODIFY_ACTIONS[words]
    reason = GRACE_REASONS.get(words)
    known = reason is not None and reason is not Action.OTHER and "license" in words
    return (RequestKind.REACTIVATE, reason) if known else None


def _action_after(request: RequestKind, rest: str) -> Action | None:
    """The action in the words after a request's name; None if they name none of that request."""
    words = rest.strip(" -/:,;")
    if words.startswith("(") and words.endswith(")"):
        words = words[1:-1].strip()
    for filler in ("your license", "license"):
        words = words.removeprefix(filler).strip(" -/:,;")
    choices = _ACTIONS_OF.get(request, {})
    action = choices.get(words) or choices.get(words.replace("-", " "))
    return action if (request, action) in FORMS else None


def action_of(raw: str) -> Action | None:
    """The one action that a value names ("Update/Upgrade"); None for none or several ("Add/Remove")."""
    found = {ACTIONS.get(word.strip(" .;,!\"'")) for word in normalise(raw).split("/")}
    return found.pop() if len(found) == 1 else None


def grace_reason_of(raw: str) -> Action | None:
    """The reason of a grace period that a value names, OTHER if it is like none; None for a misspelt one."""
    word = normalise(raw).strip(" .!\"'")
    if word in GRACE_REASONS:
        return GRACE_REASONS[word]
    return None if near_grace_reason(raw) else Action.OTHER


def near_grace_reason(raw: str) -> str:
    """The known reason that a value is a misspelling of, "" if of none."""
    word = normalise(raw).strip(" .!\"'")
    if not word or word in GRACE_REASONS:
        return ""
    near = process.extractOne(word[:100], GRACE_REASONS.keys(), scorer=fuzz.ratio, score_cutoff=_NEAR_LIKENESS)
    return str(near[0]) if near else ""


class Clash(NamedTuple):
    """Two lines that name different forms: the field to correct, and both as read."""

    field: str
    read: str


@dataclass(frozen=True)
class FormChoice:
    """The form that the values name. ``action``: None if it is not said or there is a ``clash``."""

    request: RequestKind = RequestKind.UNKNOWN
    action: Action | None = None
    clash: Clash | None = None


def form_choice(values: Mapping[str, str]) -> FormChoice:
    """The form that the lines of a form name together."""
    line = values.get("request", "")
    if VALUE_SEPARATOR in line:
        return FormChoice()
    by_line = request_of(line)
    if line and by_line is None:
        return FormChoice()
    action = action_of(values.get("action", ""))
    product = normalise(values.get("product", ""))
    is_shuttle, is_motion = product in ("shuttle", "xcally shuttle"), product in ("motion", "xcally motion")
    request = by_line[0] if by_line else RequestKind.SHUTTLE if is_shuttle else _implied_request(values, action)
    if is_shuttle and request is RequestKind.MODIFY:
        request = RequestKind.SHUTTLE
        by_line = (RequestKind.SHUTTLE, Action.MODIFY) if action is None else None
    if (is_shuttle and request is not RequestKind.SHUTTLE) or (is_motion and request is RequestKind.SHUTTLE):
        return FormChoice(request, None, Clash("request", f"{line or request} / Product: {values['product']}"))
    takes_action = request in (RequestKind.MODIFY, RequestKind.SHUTTLE, RequestKind.UNKNOWN)
    if action is not None and (request, action) not in FORMS and not takes_action:
        return FormChoice(request, None, Clash("request", f"{line or request} / Action: {values['action']}"))
    return _choice_within(request, by_line[1] if by_line else None, values)


def _choice_within(request: RequestKind, by_line: Action | None, values: Mapping[str, str]) -> FormChoice:
    """The form of a request: the action on the ``Request:`` line must agree with the field that chooses."""
    field = CHOOSER.get(request)
    if field is None:
        return FormChoice(request)
    raw = values.get(field, "")
    if not raw:
        return FormChoice(request, by_line)
    chosen = _chosen_action(request, raw)
    if by_line is not None and chosen is not None and by_line != chosen:
        return FormChoice(request, None, Clash(field, f"{request}/{by_line} / {raw}"))
    return FormChoice(request, chosen)


def _chosen_action(request: RequestKind, raw: str) -> Action | None:
    if VALUE_SEPARATOR in raw:
        return None
    if request is RequestKind.ACTIVATE:
        demo = yes_or_no(raw)
        return None if demo is None else Action.DEMO if demo else Action.PLAN
    action = grace_reason_of(raw) if request is RequestKind.REACTIVATE else action_of(raw)
    return action if (request, action) in FORMS else None


def _implied_request(values: Mapping[str, str], action: Action | None) -> RequestKind:
    """The request that fields of only one request imply."""
    if action in (Action.ADD, Action.REMOVE, Action.DEACTIVATE):
        return RequestKind.MODIFY
    if values.get("motion_token") or action is Action.TRANSFER:
        return RequestKind.SHUTTLE
    if values.get("old_token"):
        return RequestKind.REACTIVATE
    if values.get("demo"):
        return RequestKind.ACTIVATE
    return RequestKind.INFORMATION if values.get("question") else RequestKind.UNKNOWN


def chooser_values(request: RequestKind, action: Action | None) -> dict[str, str]:
    """The field that chooses a form, with the value that chooses this one; {} for a request with one form."""
    field = CHOOSER.get(request)
    if field is None or action is None:
        return {}
    if field == "demo":
        return {field: "yes" if action is Action.DEMO else "no"}
    return {field: action.replace("_", " ")}
