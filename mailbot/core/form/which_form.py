"""Which form a mail means: by its ``Request:`` line, its subject and the lines that choose between the forms of a request.

Exact words only; two lines that say different things are a clash, never a choice of ours.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from mailbot.core.form.fields import FORMS, TITLES, normal
from mailbot.core.form.yes_no import yes_or_no

#: Stands between the values of a field that was given twice. No text that was read holds it.
TWICE = "\x1f"

#: What a line begins with or is, longest first where one begins another. The words are the seed's titles and headings.
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
#: How one may write the words that choose between the forms of a request.
ACTIONS: dict[str, str] = {
    "add": "add", "add items": "add", "add new items": "add", "update": "add", "upgrade": "add",
    "update your license": "add", "upgrade your license": "add", "update license": "add", "upgrade license": "add",
    "remove": "remove", "remove items": "remove", "downgrade": "remove", "downgrade your license": "remove", "downgrade license": "remove",
    "deactivate": "deactivate", "deactivation": "deactivate", "deactivate your license": "deactivate",
    "deactivate license": "deactivate", "deactivate the server": "deactivate", "deactivate server": "deactivate",
    "modify": "modify", "transfer": "transfer", "transfer to motion": "transfer",
}  # fmt: skip
#: Those that say which request it is too; an upgrade may be one of the contract.
_ALONE = {words: action for words, action in ACTIONS.items() if words.startswith(("add", "remove", "deactivat"))}
GRACE: dict[str, str] = {
    "expired": "expired", "license expired": "expired", "expired license": "expired", "license has expired": "expired",
    "expired license (trial mode)": "expired", "trial mode": "expired", "trial": "expired",
    "token change": "token_change", "token changed": "token_change", "change of token": "token_change", "changed token": "token_change",
    "other": "other",
}  # fmt: skip
_DEMO = {"demo": "demo", "free demo": "demo", "plan": "plan", "license plan": "plan", "new plan": "plan", "new license plan": "plan"}  # fmt: skip
_TAILS: dict[str, dict[str, str]] = {"activate": _DEMO, "modify": ACTIONS, "shuttle": ACTIONS, "reactivate": GRACE}
#: The field that chooses between the forms of a request.
CHOOSER = {"activate": "demo", "modify": "action", "shuttle": "action", "reactivate": "reason"}
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


def request_of(text: str) -> tuple[str, str | None] | None:
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
        return "modify", _ALONE[words]
    alone = GRACE.get(words)
    return ("reactivate", alone) if alone and alone != "other" and "license" in words else None


def _action(request: str, tail: str) -> str | None:
    """The action in the words behind a request's name; None where they say none that it has."""
    words = tail.strip(" -/:,;")
    if words.startswith("(") and words.endswith(")"):
        words = words[1:-1].strip()
    for more in ("your license", "license"):
        words = words.removeprefix(more).strip(" -/:,;")
    choices = _TAILS.get(request, {})
    action = choices.get(words) or choices.get(words.replace("-", " "))
    return action if (request, action) in FORMS else None


def action_of(raw: str) -> str | None:
    """The action that a value names; "Update/Upgrade" is one, "Add/Remove" is none."""
    found = {ACTIONS.get(word.strip(" .;,!\"'")) for word in normal(raw).split("/")}
    return found.pop() if len(found) == 1 else None


def grace_of(raw: str) -> str | None:
    """The grace period reason of a value; None for one that is nearly, but not, a known reason (see ``nearly_grace``)."""
    word = normal(raw).strip(" .!\"'")
    if word in GRACE:
        return GRACE[word]
    return None if nearly_grace(raw) else "other"


def nearly_grace(raw: str) -> str:
    """The known reason that a value is a misspelling of, "" if of none."""
    word = normal(raw).strip(" .!\"'")
    if not word or word in GRACE:
        return ""
    near = process.extractOne(word[:100], GRACE.keys(), scorer=fuzz.ratio, score_cutoff=_NEAR_REASON)
    return str(near[0]) if near else ""


@dataclass(frozen=True)
class Named:
    """``request`` ("" = not said) and its ``action``; ``clash``: the field that is said twice, and both ways it is said."""

    request: str = ""
    action: str | None = None
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
    request = by_line[0] if by_line else "shuttle" if shuttle else _deduced(values, action)
    if shuttle and request == "modify":
        request, by_line = "shuttle", ("shuttle", "modify") if action is None else None
    if shuttle and request != "shuttle":
        return Named(request, None, ("request", f"{line or request} / Product: {values['product']}"))
    if normal(values.get("product", "")) in ("motion", "xcally motion") and request == "shuttle":
        return Named(request, None, ("request", f"{line or request} / Product: {values['product']}"))
    if action is not None and request and (request, action) not in FORMS and request not in ("modify", "shuttle"):
        return Named(request, None, ("request", f"{line or request} / Action: {values['action']}"))
    return _chosen(request, by_line[1] if by_line else None, values)


def _chosen(request: str, said: str | None, values: Mapping[str, str]) -> Named:
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


def _choice(request: str, raw: str) -> str | None:
    if TWICE in raw:
        return None
    if request == "activate":
        wanted = yes_or_no(raw)
        return None if wanted is None else "demo" if wanted else "plan"
    action = grace_of(raw) if request == "reactivate" else action_of(raw)
    return action if (request, action) in FORMS else None


def _deduced(values: Mapping[str, str], action: str | None) -> str:
    if action in ("add", "remove", "deactivate"):
        return "modify"
    if values.get("motion_token") or action == "transfer":
        return "shuttle"
    if values.get("old_token"):
        return "reactivate"
    if values.get("demo"):
        return "activate"
    return "information" if values.get("question") else ""


def stated(request: str, action: str | None) -> dict[str, str]:
    """The line that says the action of a form, as a field and its value; empty for a request with one form."""
    field = CHOOSER.get(request)
    if field is None or action is None:
        return {}
    if field == "demo":
        return {field: "yes" if action == "demo" else "no"}
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
