"""Which form a mail means: by its ``Request:`` line, its subject, and the fields that choose between the forms of a request.

Only exact words count. Two lines that name different forms are a clash for the customer to settle, never a choice of ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from rapidfuzz import fuzz, process

from mailbot.core.form.fields import FORMS, TITLES, normalise
from mailbot.core.form.forwarded import without_reply_prefixes
from mailbot.core.form.request import VALUE_SEPARATOR
from mailbot.core.form.yes_no import yes_or_no

#: (beginning of a text, request, action): the seed's titles and headings, a longer one before one that it begins with.
_NAMES: tuple[tuple[str, str, str | None], ...] = (
    ("activate a new license", "activate", None),
    ("activate new license", "activate", None),
    ("activate a license", "activate", None),
    ("activate your license", "activate", None),
    ("new license plan", "activate", "plan"),
    ("new license", "activate", None),
    ("request a 30 days free demo", "activate", "demo"),
    ("activate a 30 days free demo", "activate", "demo"),
    ("free 30 days demo", "activate", "demo"),
    ("free 30 day demo", "activate", "demo"),
    ("30 days free demo", "activate", "demo"),
    ("30-days free demo", "activate", "demo"),
    ("30 day free demo", "activate", "demo"),
    ("30-day free demo", "activate", "demo"),
    ("free demo", "activate", "demo"),
    ("demo", "activate", "demo"),
    ("deactivate your license", "modify", "deactivate"),
    ("deactivate the license", "modify", "deactivate"),
    ("deactivate license", "modify", "deactivate"),
    ("license deactivation", "modify", "deactivate"),
    ("modify your license", "modify", None),
    ("modify existing license", "modify", None),
    ("modify license", "modify", None),
    ("modify the shuttle license", "shuttle", "modify"),
    ("transfer the shuttle license", "shuttle", "transfer"),
    ("request contract change", "contract", None),
    ("contract change", "contract", None),
    ("grace period", "reactivate", None),
    ("re-activate", "reactivate", None),
    ("reactivate", "reactivate", None),
    ("re-activation", "reactivate", None),
    ("reactivation", "reactivate", None),
    ("license reactivation", "reactivate", None),
    ("license re-activation", "reactivate", None),
    ("request general information", "information", None),
    ("general information", "information", None),
    ("information request", "information", None),
    ("request for information", "information", None),
    ("shuttle", "shuttle", None),
)
#: What people write -> the action.
ACTIONS: dict[str, str] = {
    "add": "add", "add items": "add", "add new items": "add", "update": "add", "upgrade": "add",
    "update your license": "add", "upgrade your license": "add", "update license": "add", "upgrade license": "add",
    "remove": "remove", "remove items": "remove", "downgrade": "remove", "downgrade your license": "remove", "downgrade license": "remove",
    "deactivate": "deactivate", "deactivation": "deactivate", "deactivate your license": "deactivate",
    "deactivate license": "deactivate", "deactivate the server": "deactivate", "deactivate server": "deactivate",
    "modify": "modify", "transfer": "transfer", "transfer to motion": "transfer",
}  # fmt: skip
#: Actions that imply "modify" when they stand alone. "Upgrade" does not: it may be a contract change.
_MODIFY_ACTIONS = {
    words: action for words, action in ACTIONS.items() if words.startswith(("add", "remove", "deactivat"))
}
#: What people write -> the reason of a grace period, which is the action of "reactivate".
GRACE_REASONS: dict[str, str] = {
    "expired": "expired", "license expired": "expired", "expired license": "expired", "license has expired": "expired",
    "expired license (trial mode)": "expired", "trial mode": "expired", "trial": "expired",
    "token change": "token_change", "token changed": "token_change", "change of token": "token_change", "changed token": "token_change",
    "other": "other",
}  # fmt: skip
_DEMO = {"demo": "demo", "free demo": "demo", "plan": "plan", "license plan": "plan", "new plan": "plan", "new license plan": "plan"}  # fmt: skip
_ACTIONS_OF: dict[str, dict[str, str]] = {
    "activate": _DEMO,
    "modify": ACTIONS,
    "shuttle": ACTIONS,
    "reactivate": GRACE_REASONS,
}
#: Request -> the field that chooses between its forms; a request that is not here has one form.
CHOOSER = {"activate": "demo", "modify": "action", "shuttle": "action", "reactivate": "reason"}
#: How alike a misspelt reason must be, in percent.
_NEAR_LIKENESS = 80


def request_of(text: str) -> tuple[str, str | None] | None:
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
        return "modify", _MODIFY_ACTIONS[words]
    reason = GRACE_REASONS.get(words)
    return ("reactivate", reason) if reason and reason != "other" and "license" in words else None


def _action_after(request: str, rest: str) -> str | None:
    """The action in the words after a request's name; None if they name none of that request."""
    words = rest.strip(" -/:,;")
    if words.startswith("(") and words.endswith(")"):
        words = words[1:-1].strip()
    for filler in ("your license", "license"):
        words = words.removeprefix(filler).strip(" -/:,;")
    choices = _ACTIONS_OF.get(request, {})
    action = choices.get(words) or choices.get(words.replace("-", " "))
    return action if (request, action) in FORMS else None


def action_of(raw: str) -> str | None:
    """The one action that a value names ("Update/Upgrade"); None for none or several ("Add/Remove")."""
    found = {ACTIONS.get(word.strip(" .;,!\"'")) for word in normalise(raw).split("/")}
    return found.pop() if len(found) == 1 else None


def grace_reason_of(raw: str) -> str | None:
    """The reason of a grace period that a value names, "other" if it is like none; None for a misspelt one."""
    word = normalise(raw).strip(" .!\"'")
    if word in GRACE_REASONS:
        return GRACE_REASONS[word]
    return None if near_grace_reason(raw) else "other"


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
    """The form that the values name. ``request``: "" if none; ``action``: None if it is not said or there is a ``clash``."""

    request: str = ""
    action: str | None = None
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
    request = by_line[0] if by_line else "shuttle" if is_shuttle else _implied_request(values, action)
    if is_shuttle and request == "modify":
        request, by_line = "shuttle", ("shuttle", "modify") if action is None else None
    if (is_shuttle and request != "shuttle") or (is_motion and request == "shuttle"):
        return FormChoice(request, None, Clash("request", f"{line or request} / Product: {values['product']}"))
    if action is not None and request and (request, action) not in FORMS and request not in ("modify", "shuttle"):
        return FormChoice(request, None, Clash("request", f"{line or request} / Action: {values['action']}"))
    return _choice_within(request, by_line[1] if by_line else None, values)


def _choice_within(request: str, by_line: str | None, values: Mapping[str, str]) -> FormChoice:
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


def _chosen_action(request: str, raw: str) -> str | None:
    if VALUE_SEPARATOR in raw:
        return None
    if request == "activate":
        demo = yes_or_no(raw)
        return None if demo is None else "demo" if demo else "plan"
    action = grace_reason_of(raw) if request == "reactivate" else action_of(raw)
    return action if (request, action) in FORMS else None


def _implied_request(values: Mapping[str, str], action: str | None) -> str:
    """The request that fields of only one request imply, "" if there are none."""
    if action in ("add", "remove", "deactivate"):
        return "modify"
    if values.get("motion_token") or action == "transfer":
        return "shuttle"
    if values.get("old_token"):
        return "reactivate"
    if values.get("demo"):
        return "activate"
    return "information" if values.get("question") else ""


def chooser_values(request: str, action: str | None) -> dict[str, str]:
    """The field that chooses a form, with the value that chooses this one; {} for a request with one form."""
    field = CHOOSER.get(request)
    if field is None or action is None:
        return {}
    if field == "demo":
        return {field: "yes" if action == "demo" else "no"}
    return {field: action.replace("_", " ")}
