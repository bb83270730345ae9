"""Text into readings (which label says what), and readings into a request with all its problems at once."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from rapidfuzz import process

from mailbot.core.forms import ACTIONS, FIELDS, LABELS, Kind, normal, request_of

#: Fields whose value runs over several lines.
_LONG = frozenset({Kind.PROSE, Kind.OPTIONS})
_LINE = re.compile(r"^[\s>*•·|-]*([^:：\t|?]{1,60}\??)\s*(?:[:：]|\t|\|)\s*(.*)$")
_SIGNATURE = ("-- ", "--", "best regards", "kind regards", "regards", "cordiali saluti", "mit freundlichen grüßen")


@dataclass(frozen=True)
class Reading:
    """Field key -> text as read; fields given twice with different values; near labels; ``prose`` belongs to no field."""

    values: Mapping[str, str] = field(default_factory=dict)
    twice: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    near: Mapping[str, str] = field(default_factory=dict)
    request_line: str | None = None
    prose: str = ""


@dataclass(frozen=True)
class Request:
    """A form as far as it could be read; ``reason`` is a catalogue key or ``other: text``. None: not given."""

    request: str = ""
    action: str | None = None
    product: str = "motion"
    token: str | None = None
    customer_name: str | None = None
    customer_email: str | None = None
    accept: bool | None = None
    demo: bool | None = None
    plan: str | None = None
    agents: int | None = None
    users: int | None = None
    telephones: int | None = None
    mobile_agents: int | None = None
    billing: str | None = None
    whitelabel: bool | None = None
    support: str | None = None
    addons: tuple[str, ...] = ()
    plugins: tuple[str, ...] = ()
    reason: str | None = None
    old_token: str | None = None
    new_token: str | None = None
    motion_token: str | None = None
    comments: str | None = None
    question: str | None = None
    description: str | None = None


def read_forms(text: str, subject: str) -> tuple[Reading, ...]:
    """One reading per ``Request:`` line; lines before the first hold for all. Empty when there is no form.

    Without such a line there is a form when the subject names a request, or when at least two fields were read.
    """
    lines = text.splitlines()
    starts = [n for n, line in enumerate(lines) if _label(line)[0] == "request"]
    if not starts:
        read = read_fields(text)
        named = request_of(subject)
        if len(read.values) < (1 if named else 2):
            return ()
        values = {"request": subject, **read.values} if named else dict(read.values)
        return (Reading(values, read.twice, read.near, subject if named else None, read.prose),)
    common, parts = lines[: starts[0]], []
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        parts.append(read_fields("\n".join([*common, *lines[start:end]])))
    return tuple(Reading(p.values, p.twice, p.near, p.values.get("request", ""), p.prose) for p in parts)


def read_fields(text: str) -> Reading:
    """Every labelled line of a text."""
    given: dict[str, list[str]] = {}
    near: dict[str, str] = {}
    prose: list[str] = []
    current: str | None = None
    signed = False
    for line in text.splitlines():
        signed = signed or line.strip().lower().rstrip(",") in _SIGNATURE
        key, value = _label(line)
        if key and not signed:
            given.setdefault(key, []).append(value)
            current = key
        elif not signed and current and _continues(current, given[current][-1], line):
            given[current][-1] = f"{given[current][-1]}\n{line.strip()}".strip()
        elif line.strip():
            current = None
            if not signed:
                near.update(_nearly(line))
            prose.append(line.strip())
    values = {key: next((v for v in reversed(found) if v), "") for key, found in given.items()}
    twice = {key: tuple(dict.fromkeys(v for v in found if v)) for key, found in given.items()}
    twice = {key: found for key, found in twice.items() if len(found) > 1}
    return Reading({k: v for k, v in values.items() if v}, twice, near, values.get("request"), "\n".join(prose))


def _label(line: str) -> tuple[str | None, str]:
    """(field key or None, the value behind the label)."""
    match = _LINE.match(line[:2000])
    if match is None:
        return None, ""
    key = LABELS.get(normal(match[1].strip(" *_").removesuffix("?"))) or LABELS.get(normal(match[1].strip(" *_")))
    return key, match[2].strip(" \t*")


def _continues(key: str, so_far: str, line: str) -> bool:
    """Whether a line without a label goes on with the field before: prose and lists do, others only when still empty."""
    return bool(line.strip()) and (FIELDS[key].kind in _LONG or not so_far)


def _nearly(line: str) -> dict[str, str]:
    match = _LINE.match(line[:200])
    if match is None or not match[2].strip():
        return {}
    found = process.extractOne(normal(match[1]), LABELS.keys(), score_cutoff=84)
    return {LABELS[found[0]]: match[1].strip()} if found else {}


def merge(stored: Mapping[str, str], quoted: Reading | None, own: Reading | None) -> Reading:
    """A repair: own lines beat edited quoted lines, which beat stored values."""
    values = dict(stored)
    if quoted is not None:
        values |= {key: value for key, value in quoted.values.items() if value}
    if own is not None:
        values |= {key: value for key, value in own.values.items() if value}
    twice = own.twice if own is not None else {}
    near = own.near if own is not None else {}
    return Reading(values, twice, near, values.get("request"), own.prose if own else "")


def kind_of(values: Mapping[str, str]) -> tuple[str, str | None]:
    """The request and action that the values amount to; ("", None) when they do not say."""
    named = request_of(values.get("request", ""))
    action = ACTIONS.get(normal(values.get("action", "")).split(" ")[0] if values.get("action") else "")
    if normal(values.get("product", "")).startswith("shuttle") or (named and named[0] == "shuttle"):
        return "shuttle", action if action in ("modify", "transfer") else _shuttle(values, named)
    request = named[0] if named else _deduced(values, action)
    if request == "activate":
        return request, _demo_or_plan(values, named)
    if request == "modify":
        return request, action if action in ("add", "remove", "deactivate") else (named[1] if named else None)
    if request == "reactivate":
        return request, _why(values, named)
    return request, None


def _shuttle(values: Mapping[str, str], named: tuple[str, str | None] | None) -> str | None:
    return "transfer" if values.get("motion_token") else (named[1] if named else None)


def _deduced(values: Mapping[str, str], action: str | None) -> str:
    if action in ("add", "remove", "deactivate"):
        return "modify"
    if values.get("old_token"):
        return "reactivate"
    if values.get("demo"):
        return "activate"
    return "information" if values.get("question") else ""


def _demo_or_plan(values: Mapping[str, str], named: tuple[str, str | None] | None) -> str | None:
    word = normal(values.get("demo", ""))
    if word:
        return "demo" if word[:1] in ("y", "s", "j", "o", "t", "x", "[") else "plan"
    return named[1] if named else None


def _why(values: Mapping[str, str], named: tuple[str, str | None] | None) -> str | None:
    text = normal(values.get("reason", ""))
    if "token" in text:
        return "token_change"
    if "expired" in text or "trial" in text:
        return "expired"
    return "other" if text else (named[1] if named else None)


def lines_of(values: Mapping[str, str], keys: Iterable[str]) -> str:
    """Values as labelled lines."""
    return "\n".join(f"{FIELDS[key].label}: {values[key]}" for key in keys if key in values)
