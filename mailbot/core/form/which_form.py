"""Which form a mail means: by its ``Request:`` line, its subject and the lines that choose between the forms of a request.

Exact words only; two lines that say different things are a clash, never a choice of ours.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from mailbot.core.form.fields import FORMS, TITLES, normal
from mailbot.core.form.request_kinds import Action, RequestKind
from mailbot.core.form.yes_no import yes_or_no

#: Stands between the values of a field that was given twice. No text that was read holds it.
TWICE = "\x1f"

#: What a line begins with or is, longest first where one begins another. The words are the seed's titles and headings.
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
#: How one may write the words that choose between the forms of a request.
ACTIONS: dict[str, Action] = {
    "add": Action.ADD, "add items": Action.ADD, "add new items": Action.ADD, "update": Action.ADD, "upgrade": Action.ADD,
    "update your license": Action.ADD, "upgrade your license": Action.ADD, "update license": Action.ADD, "upgrade license": Action.ADD,
    "remove": Action.REMOVE, "remove items": Action.REMOVE, "downgrade": Action.REMOVE, "downgrade your license": Action.REMOVE, "downgrade license": Action.REMOVE,
    "deactivate": Action.DEACTIVATE, "deactivation": Action.DEACTIVATE, "deactivate your license": Action.DEACTIVATE,
    "deactivate license": Action.DEACTIVATE, "deactivate the server": Action.DEACTIVATE, "deactivate server": Action.DEACTIVATE,
    "modify": Action.MODIFY, "transfer": Action.TRANSFER, "transfer to motion": Action.TRANSFER,
}  # fmt: skip
#: Those that say which request it is too; an upgrade may be one of the contract.
_ALONE = {words: action for words, action in ACTIONS.items() if words.startswith(("add", "remove", "deactivat"))}
GRACE: dict[str, Action] = {
    "expired": Action.EXPIRED, "license expired": Action.EXPIRED, "expired license": Action.EXPIRED, "license has expired": Action.EXPIRED,
    "expired license (trial mode)": Action.EXPIRED, "trial mode": Action.EXPIRED, "trial": Action.EXPIRED,
    "token change": Action.TOKEN_CHANGE, "token changed": Action.TOKEN_CHANGE, "change of token": Action.TOKEN_CHANGE, "changed token": Action.TOKEN_CHANGE,
    "other": Action.OTHER,
}  # fmt: skip
_DEMO = {"demo": Action.DEMO, "free demo": Action.DEMO, "plan": Action.PLAN, "license plan": Action.PLAN, "new plan": Action.PLAN, "new license plan": Action.PLAN}  # fmt: skip
_TAILS: dict[RequestKind, dict[str, Action]] = {
    RequestKind.ACTIVATE: _DEMO,
    RequestKind.MODIFY: ACTIONS,
    RequestKind.SHUTTLE: ACTIONS,
    RequestKind.REACTIVATE: GRACE,
}
#: The field that chooses between the forms of a request.
CHOOSER = {
    "activate": Action.DEMO,
    RequestKind.MODIFY: "action",
    RequestKind.SHUTTLE: "action",
    RequestKind.REACTIVATE: "reason",
}
_FORWARDS = ("fwd:", "fw:", "wg:", "tr:", "i:", "rv:", "inoltro:")
_REPLIES = ("re:", "aw:", "r:", "sv:", "antw:", *_FORWARDS)
_ANSWERED = re.compile(rf"(?:(?:{'|'.join(sign[:-1] for sign in _REPLIES)}) ?: ?)+")
_NEAR_REASON = 80
_SPACED = re.compile(r"^([a-z]{1,7}) :")


def is_reply(subject: str) -> bool:
    """Whether a subject is that of an answered or forwarded mail."""
    return _opening(subject).startswith(_REPLIES)


def is_forward(subject: str) -> bool:
    """Whether a subject is that of a forwarded mail."""
    return _opening(subject).startswith(_FORWARDS)


def _opening(subject: str) -> str:
    """The words of a subject; the French put a space before the colon."""
    return _SPACED.sub(r"\1:", normal(subject))


def request_of(text: str) -> tuple[RequestKind, Action | None] | None:
    """The request that a ``Request:`` value or a subject names, with its action where it says one; None otherwise."""
    words = _opening(_ANSWERED.sub("", _opening(text), count=1)).strip(" .:;,!*\"'")
    for key in TITLES:
        if words == key:
            return key, None
        if words.startswith((f"{key}/", f"{key} ", f"{key}-")):
            action = _action(key, words.removeprefix(key))
            if action is not None:
                return key, action
            if words.startswith(f"{key}/"):
                return None
    for start, request, action in _NAMES:
        rest = words.removeprefix(start)
        if words.startswith(start) and not rest[:1].isalnum():
            return request, action or _action(request, rest)
    if words in _ALONE:
        return RequestKind.MODIFY, _ALONE[words]
    alone = GRACE.get(words)
    license_ = alone is not None and alone is not Action.OTHER and "license" in words
    return (RequestKind.REACTIVATE, alone) if license_ else None


def _action(request: RequestKind, tail: str) -> Action | None:
    """The action in the words behind a request's name; None where they say none that it has."""
    words = tail.strip(" -/:,;")
    if words.startswith("(") and words.endswith(")"):
        words = words[1:-1].strip()
    for more in ("your license", "license"):
        words = words.removeprefix(more).strip(" -/:,;")
    choices = _TAILS.get(request, {})
    action = choices.get(words) or choices.get(words.replace("-", " "))
    return action if (request, action) in FORMS else None


def action_of(raw: str) -> Action | None:
    """The action that a value names; "Update/Upgrade" is one, "Add/Remove" is none."""
    found = {ACTIONS.get(word.strip(" .;,!\"'")) for word in normal(raw).split("/")}
    return found.pop() if len(found) == 1 else None


def grace_of(raw: str) -> Action | None:
    """The grace period reason of a value; None for one that is nearly, but not, a known reason (see ``nearly_grace``)."""
    word = normal(raw).strip(" .!\"'")
    if word in GRACE:
        return GRACE[word]
    return None if nearly_grace(raw) else Action.OTHER


def nearly_grace(raw: str) -> str:
    """The known reason that a value is a misspelling of, "" if of none."""
    word = normal(raw).strip(" .!\"'")
    if not word or word in GRACE:
        return ""
    near = process.extractOne(word[:100], GRACE.keys(), scorer=fuzz.ratio, score_cutoff=_NEAR_REASON)
    return str(near[0]) if near else ""


@dataclass(frozen=True)
class Named:
    """``request`` and its ``action``; ``clash``: the field that is said twice, and both ways it is said."""

    request: RequestKind = RequestKind.UNKNOWN
    action: Action | None = None
    clash: tuple[str, str] | None = None


def named(values: Mapping[str, str]) -> Named:
    """What the values amount to."""
    line = values.get("request", "")
    if TWICE in line:
        return Named()
    by_line = request_of(line)
    if line and by_line is None:
        return Named()
    action = action_of(values.get("action", ""))
    shuttle = normal(values.get("product", "")) in ("shuttle", "xcally shuttle")
    request = by_line[0] if by_line else RequestKind.SHUTTLE if shuttle else _deduced(values, action)
    if shuttle and request is RequestKind.MODIFY:
        request = RequestKind.SHUTTLE
        by_line = (RequestKind.SHUTTLE, Action.MODIFY) if action is None else None
    if shuttle and request is not RequestKind.SHUTTLE:
        return Named(request, None, ("request", f"{line or request} / Product: {values['product']}"))
    if normal(values.get("product", "")) in ("motion", "xcally motion") and request is RequestKind.SHUTTLE:
        return Named(request, None, ("request", f"{line or request} / Product: {values['product']}"))
    by_action = (RequestKind.MODIFY, RequestKind.SHUTTLE, RequestKind.UNKNOWN)
    if action is not None and (request, action) not in FORMS and request not in by_action:
        return Named(request, None, ("request", f"{line or request} / Action: {values['action']}"))
    return _chosen(request, by_line[1] if by_line else None, values)


def _chosen(request: RequestKind, said: Action | None, values: Mapping[str, str]) -> Named:
    """The form among those of a request: what the ``Request:`` line says and what its own line says must agree."""
    field = CHOOSER.get(request)
    if field is None:
        return Named(request)
    raw = values.get(field, "")
    if not raw:
        return Named(request, said)
    chosen = _choice(request, raw)
    if said is not None and chosen is not None and said != chosen:
        return Named(request, None, (field, f"{request}/{said} / {raw}"))
    return Named(request, chosen)


def _choice(request: RequestKind, raw: str) -> Action | None:
    if TWICE in raw:
        return None
    if request is RequestKind.ACTIVATE:
        wanted = yes_or_no(raw)
        return None if wanted is None else Action.DEMO if wanted else Action.PLAN
    action = grace_of(raw) if request is RequestKind.REACTIVATE else action_of(raw)
    return action if (request, action) in FORMS else None


def _deduced(values: Mapping[str, str], action: Action | None) -> RequestKind:
    if action in (Action.ADD, Action.REMOVE, Action.DEACTIVATE):
        return RequestKind.MODIFY
    if values.get("motion_token") or action is Action.TRANSFER:
        return RequestKind.SHUTTLE
    if values.get("old_token"):
        return RequestKind.REACTIVATE
    if values.get("demo"):
        return RequestKind.ACTIVATE
    return RequestKind.INFORMATION if values.get("question") else RequestKind.UNKNOWN


def stated(request: RequestKind, action: Action | None) -> dict[str, str]:
    """The line that says the action of a form, as a field and its value; empty for a request with one form."""
    field = CHOOSER.get(request)
    if field is None or action is None:
        return {}
    if field == "demo":
        return {field: "yes" if action is Action.DEMO else "no"}
    return {field: action.replace("_", " ")}


def latest_values(values: dict[str, str], newer: frozenset[str]) -> dict[str, str]:
    """``values`` in which what was said last holds: an older line that contradicts a newer one is dropped."""
    clash = named(values).clash
    if clash is None:
        return values
    choosers = {"request", "product", *CHOOSER.values()}
    if "request" in newer:
        older = choosers - newer
        return {key: value for key, value in values.items() if key not in older or not _clashes(values, key)}
    if newer & choosers:
        bare = request_of(values.get("request", ""))
        if clash[0] != "request" and bare:
            return {**values, "request": bare[0]}
        return {key: value for key, value in values.items() if key != "request"}
    return values


def _clashes(values: Mapping[str, str], key: str) -> bool:
    """Whether the values agree without that one."""
    return key in values and named({k: v for k, v in values.items() if k != key}).clash is None
