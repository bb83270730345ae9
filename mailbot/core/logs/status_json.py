"""Reads the licence status as JSON (``license-status/1``) among any lines, leniently; keeps unknown keys."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from mailbot.core.logs.masking import redact, visible_characters
from mailbot.core.logs.statement import LogExcerpt, Statement, iso, plain_key, statement, unknown_status

SCHEMA = "license-status/1"
_KNOWN = frozenset(
    {"schema", "token", "previousToken", "product", "version", "status", "reason", "type", "plan", "expiresAt"}
    | {"grace", "staff", "addOns", "plugins", "lastContactAt", "generatedAt"}
)
_LICENCE_KEYS = frozenset(
    {"previousToken", "expiresAt", "grace", "lastContactAt"}
)  # keys that only a licence status has
_KEY_OF = {  # field of Statement -> key in the file
    "status": "status",
    "token": "token",
    "previous_token": "previousToken",
    "reason": "reason",
    "days_left": "daysLeft",
    "since": "startedAt",
    "expires_at": "expiresAt",
    "version": "version",
    "last_contact": "lastContactAt",
}
_SIZE_MAX = 65_536  # characters of a block
_LINES_MAX = 2_000
_STARTS_MAX = 5
_UNKNOWN_MAX = 20
_PAIR = re.compile(r'"(\w{1,40})"\s{0,20}:\s{0,20}(?:"((?:[^"\\]|\\.){0,300})"|(-?\d{1,9})(?=[\s,}]))')


@dataclass(frozen=True)
class Terms:
    """The contract in a status file; None for what it leaves out. Keys by ``plain_key``; ``seats`` are limits."""

    plan: str | None = None
    seats: tuple[tuple[str, int], ...] = ()
    addons: frozenset[str] | None = None
    plugins: frozenset[str] | None = None


NOTHING_SAID = Terms()


@dataclass(frozen=True)
class Status:
    """A status file: its statement and terms, unknown keys (redacted), and sentences about what is odd."""

    said: Statement
    terms: Terms = NOTHING_SAID
    unknown: tuple[tuple[str, str], ...] = ()
    odd: tuple[str, ...] = ()


@dataclass
class Block:
    """Lines that may be one JSON object, collected until its braces balance or a cap is reached."""

    file: str
    first: int
    lines: list[str] = field(default_factory=list)
    size: int = 0
    depth: int = 0

    def add(self, line: str) -> bool:
        """Adds a line. Returns whether the block is complete."""
        self.lines.append(line)
        self.size += len(line)
        self.depth += line.count("{") - line.count("}")
        return self.depth <= 0 or self.size > _SIZE_MAX or len(self.lines) >= _LINES_MAX

    def may_be_status(self) -> bool:
        """Whether the block may be a licence status."""
        return any("status" in line for line in self.lines) and any(map(may_hold_status, self.lines))

    def status(self) -> Status | None:
        """The licence status in the block; None if there is none."""
        text = "\n".join(self.lines)
        for found in self._objects(text):
            if (licence := _licence(found, 3)) is not None:
                return self._as_status(licence, ())
        if "license-status/" in text or "previousToken" in text:
            pairs = {key: number or value for key, value, number in _PAIR.findall(straight(text))}
            return self._as_status(pairs, (f"The status in {self.file} is incomplete.",)) if pairs else None
        return None

    def _objects(self, text: str) -> Iterator[object]:
        """Yields the JSON objects that begin a line; a stray brace before them must not hide them."""
        decoder = json.JSONDecoder(strict=False)
        starts = [match.start() for match in re.finditer(r"^[^\S\n]*\{", text, re.MULTILINE)][:_STARTS_MAX]
        for start in dict.fromkeys([max(text.find("{"), 0), *starts]):
            for version in dict.fromkeys((text[start:].lstrip(), straight(text[start:].lstrip()))):
                try:
                    yield decoder.raw_decode(version)[0]
                except (ValueError, RecursionError):
                    continue

    def _as_status(self, licence: Mapping[str, object], odd: tuple[str, ...]) -> Status | None:
        flat = _flat(licence)
        said = statement(self._line("status"), iso(flat.get("generatedat")), flat)
        where = {name: self._line(_KEY_OF[name]) for name in said.where}
        if said.status is None and (strange := unknown_status(licence.get("status"))):
            odd += (f"The status in {self.file} is unknown: {strange}.",)
        schema = licence.get("schema")
        if isinstance(schema, str) and schema != SCHEMA:
            odd += (
                f"The status in {self.file} has the schema {visible_characters(schema[:60])}, but only {SCHEMA} is known.",
            )
        return Status(replace(said, from_file=True, where=where), _terms(licence), _unknown(licence), odd)

    def _line(self, key: str) -> LogExcerpt:
        """The line with that key; the first line if the key is spelled differently."""
        index = next((index for index, line in enumerate(self.lines) if f'"{key}"' in line), 0)
        return LogExcerpt(self.file, self.first + index, self.lines[index][:1200])


def may_hold_status(text: str) -> bool:
    """Whether ``text`` contains a word that every licence status contains."""
    return "license-status/" in text or any(word in text for word in _LICENCE_KEYS)


def starts(line: str) -> int:
    """The offset in ``line`` (without leading blanks) at which a JSON object may start; -1 if none."""
    if line.startswith("{"):
        return 0
    if "license-status/" in line:
        return line.find("{")
    return line.rfind("{") if line.rstrip().endswith("{") else -1


def straight(text: str) -> str:
    """``text`` with typographic quotes and no-break spaces replaced by plain ones."""
    if text.isascii():
        return text
    return text.replace("“", '"').replace("”", '"').replace("„", '"').replace("\u00a0", " ")


def _licence(found: object, depth: int) -> Mapping[str, object] | None:
    """The licence object: ``found`` itself, or one wrapped in an API response up to ``depth`` levels deep."""
    if isinstance(found, dict):
        if str(found.get("schema", "")).startswith("license-status/"):
            return found
        if "status" in found and not _LICENCE_KEYS.isdisjoint(found):
            return found
    inner = list(found.values()) if isinstance(found, dict) else found if isinstance(found, list) else []
    for value in inner[:50] if depth else ():
        if isinstance(value, dict | list) and (licence := _licence(value, depth - 1)) is not None:
            return licence
    return None


def _flat(licence: Mapping[str, object]) -> dict[str, object]:
    """The keys of the licence and of its ``grace`` object; the licence's own win."""
    flat: dict[str, object] = {}
    grace = licence.get("grace")
    for part in (grace if isinstance(grace, dict) else {}, licence):
        flat.update({plain_key(str(key)): value for key, value in part.items() if value is not None})
    return flat


def _terms(licence: Mapping[str, object]) -> Terms:
    plan, staff = licence.get("plan"), licence.get("staff")
    limits = {
        plain_key(str(key)): value.get("limit")
        for key, value in (staff.items() if isinstance(staff, dict) else ())
        if isinstance(value, dict)
    }
    return Terms(
        plan=plain_key(plan) if isinstance(plan, str) and plan else None,
        seats=tuple((key, n) for key, n in limits.items() if isinstance(n, int) and 0 <= n < 1_000_000),
        addons=_keys(licence.get("addOns")),
        plugins=_keys(licence.get("plugins")),
    )


def _keys(listed: object) -> frozenset[str] | None:
    if not isinstance(listed, list) or not all(isinstance(key, str) for key in listed):
        return None
    return frozenset(plain_key(visible_characters(key[:60])) for key in listed[:100])


def _unknown(licence: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    kept: list[tuple[str, str]] = []
    for key, value in licence.items():
        if key in _KNOWN or plain_key(key) in ("daysleft", "startedat", "endsat"):
            continue
        try:
            shown = value if isinstance(value, str) else json.dumps(value)
        except (ValueError, RecursionError):
            continue
        masked = redact(f"{key[:60]}={shown[:1200]}").partition("=")[2]
        kept.append((visible_characters(key[:60]), masked))
        if len(kept) == _UNKNOWN_MAX:
            break
    return tuple(kept)
