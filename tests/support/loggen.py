"""Generates realistic logs with a known truth: simulates an installation day by day and writes its logs.

A name and a number determine a scenario. ``truth`` holds what the files prove. It comes from the simulation and not
from the files. It omits every statement that the files cannot prove. A diagnosis that makes such a statement is wrong.
"""

import gzip
import io
import json
import random
import textwrap
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from mailbot.core.ledger.licence import Licence
from mailbot.core.logs.diagnosis import FormClaim

ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
CUSTOMER = "Example S.p.A."


#: A statement that is not judged.
ANY = object()


@dataclass(frozen=True)
class OneOf:
    """Several values are right, for example when a line is cut."""

    values: tuple[object, ...]


@dataclass(frozen=True)
class State:
    """What an installation logs at each check. ``started`` is the first day of its grace period."""

    token: str
    status: str
    reason: str | None = None
    previous: str | None = None
    started: date | None = None
    grace_days: int = 0

    def left(self, on: date) -> int | None:
        return None if self.started is None else max(0, self.grace_days - (on - self.started).days)


@dataclass(frozen=True)
class Entry:
    """A log line and the state that it reports (None: traffic)."""

    at: datetime
    text: str
    state: State | None = None


@dataclass(frozen=True)
class Scenario:
    """The files, form and ledger of one request, its day of arrival, and what the files prove.

    A diagnosis must not make a statement that is not in ``truth``. A statement with the value ANY is not judged.
    ``since_known``: the files show the beginning of the state. Otherwise ``since`` is only its first line in the files.
    ``disagreements``: how the expected sentences begin. The diagnosis must contain all of them and no others.
    """

    name: str
    files: tuple[tuple[str, bytes], ...]
    form: FormClaim
    received_on: date
    truth: dict[str, object]
    since_known: bool = True
    disagreements: tuple[str, ...] = ()
    ledger: tuple[Licence, ...] = ()
    sentence: str | None = None


@dataclass
class World:
    """The random choices for one scenario: the days, the tokens and the log style of one product version."""

    rng: random.Random
    habit: int = 0
    day: date = field(default=date(2026, 3, 1))

    def token(self) -> str:
        return "".join(self.rng.choices(ALPHABET, k=self.rng.choice((12, 16, 24))))

    def pick(self, *choices: object) -> object:
        return self.rng.choice(choices)

    # Lines

    def traffic(self, at: datetime) -> Entry:
        rng = self.rng
        address = ".".join(str(rng.randrange(256)) for _ in range(4))
        message = rng.choice(
            (
                f"motion - GET /api/voice/channels/{rng.randrange(999)}?agent={rng.randrange(50)} status=200 ip={address} {rng.randrange(90)}ms",
                f'[chat] - visitor "Mario Rossi" <mario.rossi@kunde.example> from {address}: please help, status=active they said',
                f'[openchannel] - POST /hook {{"id":{rng.randrange(10**6)},"status":"open","token":"x{rng.randrange(10**9)}"}}',
                f"voice - call {rng.randrange(10**6)} answered by agent{rng.randrange(30)}@10.0.0.{rng.randrange(250)}",
                "chat - he pasted: [LICENSE:CHECK] token=NOTALICENCE1 status=active reason=other",
                f"license - POST /api/license/check 200 {rng.randrange(900)}ms",
                f"auth - user name=Anna Bianchi password={rng.randrange(10**8)} logged in",
                "database - connection pool: {\n  size: 10,\n  status: ok\n}",
                "scheduler - Gerät nicht erreichbar, später noch einmal – größer als erwartet",
            )
        )
        level = rng.choice(("INFO", "DEBUG", "WARN", "ERROR"))
        return Entry(at, f"[{at:%Y-%m-%d %H:%M:%S}] [{level}] {message}")

    def check(self, at: datetime, state: State) -> Entry:
        pairs = [f"token={state.token}"]
        if state.previous:
            pairs.append(f"previousToken={state.previous}")
        pairs.append(f"status={state.status}")
        if state.reason:
            pairs.append(f"reason={state.reason}")
        left = state.left(at.date())
        if left is not None:
            pairs.append(f"daysLeft={left}")
        service = "[license]" if self.habit % 2 else "license"
        verbose = "VERBOSE " if self.habit % 3 == 2 else ""
        level = "INFO" if state.status == "active" else "WARN"
        text = f"{verbose}[{at:%Y-%m-%d %H:%M:%S}] [{level}] {service} - [LICENSE:CHECK] {self.message(pairs)}"
        return Entry(at, text, state)

    def message(self, pairs: list[str]) -> str:
        """The pairs in the style of this version: unchanged, in another order, in quotes, or with JSON."""
        match self.habit % 7:
            case 4:
                return " ".join(sorted(pairs, key=lambda pair: pair[-1]))
            case 5:
                return " ".join(f'{key}="{value}"' for key, _, value in (pair.partition("=") for pair in pairs))
            case 6 if pairs[-1].startswith("daysLeft"):
                return f'{" ".join(pairs[:-1])} {{"daysLeft": {pairs[-1].partition("=")[2]}}}'
            case _:
                return " ".join(pairs)

    def life(self, states: Callable[[date], State], days: int, *, traffic: int = 6) -> list[Entry]:
        """A check each morning and traffic during the day, for ``days`` days from ``self.day``."""
        entries = []
        for n in range(days):
            morning = datetime.combine(self.day + timedelta(n), datetime.min.time()) + timedelta(hours=8, minutes=15)
            entries.append(self.check(morning + timedelta(seconds=self.rng.randrange(60)), states(morning.date())))
            seconds = sorted(self.rng.randrange(3600, 50_000) for _ in range(self.rng.randrange(traffic + 1)))
            entries += [self.traffic(morning + timedelta(seconds=s)) for s in seconds]
        return entries

    # Files

    def encoded(self, text: str) -> bytes:
        """The text with the line ends and the encoding of some system or mail program."""
        if self.rng.random() < 0.3:
            text = text.replace("\n", "\r\n")
        return text.encode(self.rng.choice(("utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "windows-1252")))

    def packed(self, name: str, data: bytes) -> tuple[str, bytes]:
        match self.rng.randrange(4):
            case 0:
                return f"{name}.gz", gzip.compress(data, mtime=0)
            case 1:
                return f"{name}.zip", zipped((f"var/log/{name}", data))
            case _:
                return name, data


def zipped(*files: tuple[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files:
            archive.writestr(zipfile.ZipInfo(name), data)
    return made.getvalue()


def written(entries: list[Entry]) -> str:
    return "".join(f"{entry.text}\n" for entry in entries)


def proven(entries: list[Entry]) -> dict[str, object]:
    """What complete lines prove about the last state and the time span."""
    spoken = [entry for entry in entries if entry.state]
    truth: dict[str, object] = {"first_at": entries[0].at.isoformat(), "last_at": entries[-1].at.isoformat()}
    truth |= {"tokens": frozenset(e.state.token for e in spoken if e.state), "previous_tokens": frozenset(e.state.previous for e in spoken if e.state and e.state.previous)}  # fmt: skip
    if not spoken or (last := spoken[-1].state) is None:
        return truth
    run = [entry for entry in spoken if entry.state == last]
    truth |= {"status": last.status, "reason": last.reason, "since": run[0].at.isoformat(), "token": last.token}
    truth |= {"previous_token": last.previous, "days_left": last.left(spoken[-1].at.date())}
    return {name: value for name, value in truth.items() if value is not None}


def status_json(world: World, state: State, at: datetime, **extra: object) -> tuple[str, dict[str, object]]:
    """A status file for the time ``at``, and what it proves."""
    started = f"{state.started}T07:15:00+00:00" if state.started else None
    contact, version, expires = f"{(at - timedelta(hours=3)):%Y-%m-%dT%H:%M:%S}+00:00", f"3.{world.rng.randrange(99)}.0", "2026-12-31T23:59:59+00:00"  # fmt: skip
    left = state.left(at.date())
    made = {
        "schema": "license-status/1",
        "token": state.token,
        "previousToken": state.previous,
        "product": "motion",
        "version": version,
        "status": state.status,
        "reason": state.reason,
        "type": "annual",
        "plan": "voice_digital",
        "expiresAt": expires,
        "grace": {"startedAt": started, "daysLeft": left} if started else None,
        "staff": {"agents": {"limit": 10, "inUse": 8}},
        "addOns": [],
        "plugins": ["botify"],
        "lastContactAt": contact,
        "generatedAt": f"{at:%Y-%m-%dT%H:%M:%S}+00:00",
        **extra,
    }
    truth = {"status": state.status, "reason": state.reason, "token": state.token, "previous_token": state.previous}
    truth |= {"since": started, "days_left": left, "expires_at": expires, "version": version, "last_contact": contact}
    text = json.dumps(made, indent=world.rng.choice((None, 1, 2, 4)))
    return text, {name: value for name, value in truth.items() if value is not None}


# Scenarios


def _changed(world: World, days: int = 0) -> tuple[str, str, date, Callable[[date], State]]:
    """(old token, new token, day of the change, states). The states are active, then grace with the new token."""
    old, new, grace = world.token(), world.token(), world.rng.choice((10, 14, 15, 30))
    day = world.day + timedelta(days or world.rng.randrange(3, 8))

    def states(on: date) -> State:
        if on < day:
            return State(old, "active")
        return State(new, "grace", "token_change", old, day, grace)

    return old, new, day, states


def _form(old: str, new: str | None = None, reason: str = "token_change") -> FormClaim:
    return FormClaim(reason, old, new, CUSTOMER)  # type: ignore[arg-type]


def _whole(world: World, name: str, entries: list[Entry], form: FormClaim, *told: str, **more: object) -> Scenario:
    """A scenario with one complete file. It arrives on the day of its last line."""
    data = world.encoded(written(entries))
    files = (world.packed("license.log", data),)
    received = entries[-1].at.date()
    return Scenario(name, files, form, received, proven(entries), disagreements=told, **more)  # type: ignore[arg-type]


def healthy(world: World) -> Scenario:
    token = world.token()
    entries = world.life(lambda _: State(token, "active"), world.rng.randrange(3, 12))
    told = "The log says that the licence is active."
    return _whole(world, "healthy", entries, _form(token, None, "expired"), told, since_known=False)


def token_change(world: World) -> Scenario:
    old, new, day, states = _changed(world)
    entries = world.life(states, (day - world.day).days + world.rng.randrange(1, 9))
    return _whole(world, "token change", entries, _form(old, new), sentence=f"The log confirms a token change from {old} to {new} on {day.day} ")  # fmt: skip


def two_changes(world: World) -> Scenario:
    _, middle, day, before = _changed(world)
    last, later = world.token(), day + timedelta(world.rng.randrange(1, 5))

    def states(on: date) -> State:
        return before(on) if on < later else State(last, "grace", "token_change", middle, later, 10)

    entries = world.life(states, (later - world.day).days + world.rng.randrange(1, 6))
    return _whole(world, "two token changes", entries, _form(middle, last), sentence=f"The log confirms a token change from {middle} to {last} on {later.day} ")  # fmt: skip


def _expiry(world: World) -> tuple[str, date, int, Callable[[date], State]]:
    token, grace = world.token(), world.rng.choice((5, 7, 10))
    day = world.day + timedelta(world.rng.randrange(2, 5))

    def states(on: date) -> State:
        if on < day:
            return State(token, "active")
        if (on - day).days < grace:
            return State(token, "grace", "expired", None, day, grace)
        return State(token, "trial", "expired")

    return token, day, grace, states


def expired(world: World) -> Scenario:
    token, day, grace, states = _expiry(world)
    entries = world.life(states, (day - world.day).days + world.rng.randrange(1, grace))
    return _whole(world, "expired, in grace", entries, _form(token, None, "expired"))


def into_trial(world: World) -> Scenario:
    token, day, grace, states = _expiry(world)
    entries = world.life(states, (day - world.day).days + grace + world.rng.randrange(1, 5))
    return _whole(world, "expired into trial", entries, _form(token, None, "expired"))


def grace_over(world: World) -> Scenario:
    old, new, day, states = _changed(world)
    over = day + timedelta(states(day).grace_days)

    def until_the_end(on: date) -> State:
        return states(on) if on < over else State(new, "inactive", "token_change", old)

    entries = world.life(until_the_end, (over - world.day).days + world.rng.randrange(1, 4), traffic=2)
    return _whole(world, "grace over", entries, _form(old, new), "The log says that the licence is inactive.")


def unreachable(world: World) -> Scenario:
    token, day = world.token(), world.day + timedelta(world.rng.randrange(2, 6))

    def states(on: date) -> State:
        return State(token, "active") if on < day else State(token, "grace", "unreachable", None, day, 15)

    entries = world.life(states, (day - world.day).days + world.rng.randrange(1, 12))
    told = "The form says expired licence, but the log says licence server unreachable."
    return _whole(world, "server unreachable", entries, _form(token, None, "expired"), told)


def clock_skew(world: World) -> Scenario:
    """The clock jumps back by years for some days around the change. It may stay wrong until the end."""
    old, new, _, states = _changed(world, 4)
    entries = world.life(states, 10, traffic=2)
    off = timedelta(days=world.rng.randrange(400, 4000))
    from_, to = world.rng.randrange(2, 5), world.rng.choice((6, 7, 30))
    moved = []
    for entry in entries:
        n = (entry.at.date() - world.day).days
        at = entry.at - off if from_ <= n < to else entry.at
        text = entry.text.replace(f"{entry.at:%Y-%m-%d %H:%M:%S}", f"{at:%Y-%m-%d %H:%M:%S}", 1)
        moved.append(Entry(at, text, entry.state))
    truth = proven(moved) | {"first_at": ANY, "last_at": ANY, "days_left": proven(entries)["days_left"]}
    del truth["since"]  # no line of this log can show it
    files = (("license.log", world.encoded(written(moved))),)
    received = entries[-1].at.date()
    return Scenario("clock skew", files, _form(old, new), received, truth, disagreements=("The times in ",))


def clock_ahead(world: World) -> Scenario:
    old, new, day, states = _changed(world)
    entries = world.life(states, (day - world.day).days + 3)
    scenario = _whole(world, "clock ahead", entries, _form(old, new))
    received = entries[-1].at.date() - timedelta(world.rng.randrange(5, 300))
    return Scenario("clock ahead", scenario.files, scenario.form, received, scenario.truth, disagreements=("The log ends on ",))  # fmt: skip


def wrong_customer(world: World) -> Scenario:
    token, theirs = world.token(), world.token()
    entries = world.life(lambda _: State(theirs, "active"), 4)
    ledger = (Licence(token, customer_name=CUSTOMER, status="expired"), Licence(theirs, customer_name="Somebody else"))
    told = (
        "The log says that the licence is active.",
        f"The old token in the form, {token}, is not in the log.",
        f"The token {theirs} in the log belongs to another customer.",
    )
    return _whole(world, "another customer's log", entries, _form(token, None, "expired"), *told, since_known=False, ledger=ledger)  # fmt: skip


def rotated(world: World) -> Scenario:
    """Ten files of a rotated log in random order. They come in one archive, or some of them are compressed."""
    old, new, _, states = _changed(world, world.rng.randrange(5, 15))
    entries = world.life(states, 20, traffic=3)
    cuts = sorted(world.rng.sample(range(1, len(entries)), 9))
    parts = [entries[a:b] for a, b in zip([0, *cuts], [*cuts, len(entries)], strict=True)]
    files = [(f"license.log.{number}", written(part).encode()) for number, part in enumerate(reversed(parts))]
    world.rng.shuffle(files)
    if world.rng.random() < 0.5:
        given = [("logs.zip", zipped(*((f"var/log/app/{name}", data) for name, data in files)))]
    else:
        given = [world.packed(name, data) for name, data in files]
    return Scenario("rotated set of ten", tuple(given), _form(old, new), entries[-1].at.date(), proven(entries))


def general_only(world: World) -> Scenario:
    start = datetime.combine(world.day, datetime.min.time())
    entries = [world.traffic(start + timedelta(seconds=60 * n)) for n in range(world.rng.randrange(50, 400))]
    form = _form(world.token(), world.token())
    return _whole(world, "general log only", entries, form, sentence="The log says nothing about the licence.")


def few_lines(world: World) -> Scenario:
    old, new, _, states = _changed(world, 2)
    entries = world.life(states, 4, traffic=400)
    return _whole(world, "general log, few licence lines", entries, _form(old, new))


def mixed_encodings(world: World) -> Scenario:
    """One file mixes two encodings and two kinds of line end. Some lines have NUL bytes before them."""
    old, new, day, states = _changed(world)
    entries = world.life(states, (day - world.day).days + 3)
    data = b""
    for entry in entries:
        if world.rng.random() < 0.1:
            data += bytes(world.rng.randrange(1, 500))
        data += entry.text.encode(world.rng.choice(("utf-8", "windows-1252"))) + world.rng.choice((b"\n", b"\r\n"))
    return Scenario("mixed encodings", (("app.log", data),), _form(old, new), entries[-1].at.date(), proven(entries))


def truncated(world: World) -> Scenario:
    """The file is cut at both ends at random positions, for example inside a number or a token."""
    old, new, _, states = _changed(world, 6)
    entries = world.life(states, 16, traffic=2)
    text = written(entries)
    start, end = world.rng.randrange(1, len(text) // 4), world.rng.randrange(3 * len(text) // 4, len(text))
    if world.rng.random() < 0.7:  # cuts inside a licence line matter most
        lines = [e for e in entries[len(entries) * 3 // 4 :] if e.state]
        chosen = world.rng.choice(lines)
        end = text.index(chosen.text) + world.rng.randrange(30, len(chosen.text))
    kept, at = [], 0
    for entry in entries:
        if at >= start and at + len(entry.text) <= end:
            kept.append(entry)
        at += len(entry.text) + 1
    truth = proven(kept) | {"first_at": ANY, "last_at": ANY}  # a cut line may still have its time
    tail = text[:end].rpartition("\n")[2]
    torn = next((e for e in entries if e.state and tail and e.text.startswith(tail)), None)
    if torn and torn.state and f"status={torn.state.status}" in tail:  # the status is complete
        truth["days_left"] = OneOf((truth.get("days_left"), torn.state.left(torn.at.date())))
    head = text[start:].partition("\n")[0]
    if head.startswith("[LICENSE:CHECK] ") or "- [LICENSE:CHECK] " in head:
        truth["tokens"] = OneOf((truth["tokens"], frozenset({old, new})))
    files = (("a.log", text[start:end].encode()),)
    return Scenario("truncated", files, _form(old, new), kept[-1].at.date(), truth)


def installations(world: World) -> Scenario:
    """Two servers write their lines into the same file."""
    old, new, day, states = _changed(world)
    other, days = world.token(), (day - world.day).days + world.rng.randrange(2, 6)
    ours = world.life(states, days)
    theirs = [e for e in world.life(lambda _: State(other, "active"), days) if e.state]
    entries = sorted([*ours, *theirs], key=lambda entry: entry.at)
    truth = proven(ours) | {name: proven(entries)[name] for name in ("first_at", "last_at", "tokens")}
    data = world.encoded(written(entries))
    told = (f"The log is also about the licence {other}: active",)
    return Scenario("several installations in one file", (("all.log", data),), _form(old, new), entries[-1].at.date(), truth, disagreements=told)  # fmt: skip


def status_only(world: World) -> Scenario:
    old, new, day, states = _changed(world)
    at = datetime.combine(day + timedelta(world.rng.randrange(6)), datetime.min.time()) + timedelta(hours=9)
    text, truth = status_json(world, states(at.date()), at, region="eu", seats=[1, 2])
    truth |= {"unknown": {"region": "eu", "seats": "[1, 2]"}, "first_at": at.isoformat(), "last_at": at.isoformat()}
    truth |= {"tokens": frozenset({new}), "previous_tokens": frozenset({old})}
    files = (world.packed("status.json", world.encoded(text)),)
    return Scenario("status file only", files, _form(old, new), at.date(), truth)


def log_and_status(world: World) -> Scenario:
    old, new, day, states = _changed(world)
    entries = world.life(states, (day - world.day).days + 3)
    at = entries[-1].at.replace(hour=9) if entries[-1].at.hour < 9 else entries[-1].at
    text, truth = status_json(world, states(at.date()), at)
    spans = {name: proven(entries)[name] for name in ("first_at", "last_at", "tokens", "previous_tokens")}
    files = (("license.log", world.encoded(written(entries))), ("status", world.encoded(text)))
    return Scenario("log and status file", files, _form(old, new), at.date(), truth | spans)


def old_log(world: World) -> Scenario:
    old, new, day, states = _changed(world)
    entries = world.life(states, (day - world.day).days + 3)
    scenario = _whole(world, "an old log", entries, _form(old, new))
    late = entries[-1].at.date() + timedelta(world.rng.randrange(3, 90))
    return Scenario("an old log", scenario.files, scenario.form, late, scenario.truth, disagreements=("The log ends on ",))  # fmt: skip


def silence(world: World) -> Scenario:
    """The log has a gap of some days around the change, so the start of the new state is unknown."""
    old, new, _, states = _changed(world, 5)
    entries = [e for e in world.life(states, 14) if not 2 <= (e.at.date() - world.day).days < world.rng.randrange(6, 9)]
    return _whole(world, "silence before the change", entries, _form(old, new), since_known=False)


def pasted(world: World) -> Scenario:
    """A mail contains the licence lines. It may wrap them at 76 columns and may quote them."""
    old, new, day, states = _changed(world, 3)
    entries = [e for e in world.life(states, (day - world.day).days + world.rng.randrange(1, 5)) if e.state]
    text = written(entries)
    if world.rng.random() < 0.5:
        text = "".join(f"{line}\n" for one in entries for line in textwrap.wrap(one.text, 76, break_long_words=False, break_on_hyphens=False))  # fmt: skip
    if world.rng.random() < 0.3:
        text = "".join(f"> {line}\n" for line in text.splitlines())
    head = (
        "From: joe@kunde.example\nTo: desk@example.com\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n"
    )
    words = f"Hello,\nplease help, this is our log:\n\n{text}\nBest regards\nJoe\n"
    return Scenario("pasted into a mail", (("a.eml", (head + words).encode()),), _form(old, new), entries[-1].at.date(), proven(entries))  # fmt: skip


def misfit(world: World) -> Scenario:
    """The log is good, but the form or the ledger contradicts it."""
    old, new, day, states = _changed(world)
    entries = world.life(states, (day - world.day).days + world.rng.randrange(1, 6))
    third = world.token()
    ledger = [Licence(old, customer_name=CUSTOMER)]
    form = _form(old, new)
    match world.rng.randrange(9):
        case 0:
            form, told = _form(third, new), (f"The old token in the form, {third}, is not in the log.",)
            ledger = [Licence(third, customer_name=CUSTOMER)]
        case 1:
            form, told = _form(old, third), (f"The new token in the form, {third}, is not in the log.",)
        case 2:
            form, told = _form(new, old), ("According to the log, the form has swapped the old and the new token.",)
            ledger = []
        case 3:
            form, told = _form(old, old), ("The form gives the same token as old and as new token.",)
        case 4:
            form, told = _form(old, None, "expired"), ("The form says expired licence, but the log says token change.",)
        case 5:
            ledger, told = [Licence(old, customer_name=CUSTOMER, status="replaced", replaced_by=new)], ("According to the ledger, the old token has already been replaced.",)  # fmt: skip
        case 6:
            ledger, told = [Licence(old, customer_name="Somebody else")], (f"The form names the customer {CUSTOMER}, but the ledger names Somebody else.",)  # fmt: skip
        case 7:
            ledger.append(Licence(new, customer_name=CUSTOMER))
            told = (f"The new token in the form, {new}, is already in the ledger (active).",)
        case _:
            ledger = [Licence(new, customer_name="Somebody else")]
            form = _form(old, third)
            told = (f"The new token in the form, {third}, is not in the log.", f"The token {new} in the log belongs to another customer.")  # fmt: skip
    return _whole(world, "form or ledger that does not fit", entries, form, *told, ledger=tuple(ledger))


SCENARIOS = (
    *(healthy, token_change, two_changes, expired, into_trial, grace_over, unreachable, clock_skew, clock_ahead),
    *(wrong_customer, rotated, general_only, few_lines, mixed_encodings, truncated, installations, status_only),
    *(log_and_status, old_log, silence, pasted, misfit),
)


def scenario(make: Callable[[World], Scenario], number: int) -> Scenario:
    """The scenario for this function and number. The result is always the same."""
    rng = random.Random(f"{make.__name__} {number}")
    world = World(rng, number, date(2026, 1, 1) + timedelta(rng.randrange(300)))
    return make(world)
