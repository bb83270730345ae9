"""Mails that no short conversation of ``letters`` sends: each sentence that depends on one fact, made from that fact."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cache
from zoneinfo import ZoneInfo

from mailbot.core.catalogue.item_kinds import ItemKey
from mailbot.core.desk.effects import DecisionResult, Facts, Send
from mailbot.core.desk.mail_kind import MailKind
from mailbot.core.desk.ticket import Billing, Ending, Item, ItemStatus, Route, State, Ticket
from mailbot.core.form.problem import Code, Problem
from mailbot.core.form.request import Action, RequestKind
from mailbot.core.inbound.purpose import Purpose
from mailbot.core.ledger.licence import Licence, LicenceEvent
from mailbot.core.ledger.rule import Rule
from mailbot.core.logs.diagnosis import Diagnosis, Proof
from mailbot.core.outbound.compose import Envelope, Letterhead
from mailbot.core.outbound.draft import Draft
from mailbot.core.outbound.readership import reader_of
from mailbot.wording import load_wording
from tests.support.composed import Made, Recording
from tests.support.desk import catalogue

JOE, EVE, ANNA = "joe@acme.example", "eve@evil.example", "anna@vendor.example"
DAY, MORNING = date(2026, 11, 3), datetime(2026, 11, 3, 9, 0, tzinfo=UTC)
DESK = Letterhead("desk@vendor.example", "Licence Desk", "LIC", "en", True, ZoneInfo("Europe/Rome"))
KEY = "A" * 26
SAID = load_wording("en").sentences
LICENCE = Licence(token="A1B2C3D4E5F6", customer_name="Acme", contacts=(JOE,), plan="voice", agents=10, billing="annual", renews_on=date(2027, 1, 1))  # fmt: skip
BILLED = Billing(kind="increase", fraction="28/30", amount="1234.50", currency="EUR", invoice_on=date(2026, 11, 30))
#: The statuses of the items behind each ending of an outcome.
ENDINGS = {
    "applied": (ItemStatus.APPLIED,),
    "scheduled": (ItemStatus.SCHEDULED,),
    "mixed": (ItemStatus.APPLIED, ItemStatus.SCHEDULED),
    "partly": (ItemStatus.APPLIED, ItemStatus.REFUSED),
    "refused": (ItemStatus.REFUSED,),
    "cancelled": (ItemStatus.CANCELLED,),
    "open": (ItemStatus.WAITING_STAFF,),
}


@dataclass(frozen=True)
class Variant:
    """One mail to be made: what it is about, and the facts."""

    about: str
    send: Send
    ticket: Ticket | None = None
    licence: Licence | None = None
    new_licence: Licence | None = None

    @property
    def made(self) -> Made:
        """The mail as the desk composes it."""
        wording = Recording(load_wording("en"))
        to = str(self.send.to)
        key = KEY if self.send.purpose else None
        reply_to = f"desk+lic-1.{KEY}@vendor.example" if key else None
        envelope = Envelope("<1@vendor.example>", to, MORNING, reply_to, key, "[LIC-1]" if self.ticket else None)
        reader = reader_of(self.send, to, self.licence, self.new_licence)
        draft = Draft(self.send, reader, envelope, DESK, catalogue(), self.ticket, self.licence, self.new_licence)
        wording.render(draft)
        return wording.made[0]


def ticket(**more: object) -> Ticket:
    """A request of Joe's; ``request`` and ``action`` as the words that they are written with."""
    kind, action = RequestKind(str(more.pop("request", "modify"))), more.pop("action", "add")
    plain = Ticket(
        ref="LIC-1", number=1, request=kind, action=Action(str(action)) if action else None, token=LICENCE.token, customer_name="Acme", sender=JOE,
        sender_verdict="verified", sender_is_contact=True, sender_known=True, received_at=MORNING,
    )  # fmt: skip
    return replace(plain, **more)  # type: ignore[arg-type]


def item(key: str = "agents", status: ItemStatus | None = None, **more: object) -> Item:
    begins = DAY if status in (ItemStatus.APPLIED, ItemStatus.SCHEDULED) else None
    plain = Item(item=ItemKey(key), from_=10, to=15, status=status, effective=begins, rule=Rule.BY_STAFF)
    return replace(plain, **more)  # type: ignore[arg-type]


def _ended(ending: str) -> tuple[Item, ...]:
    return tuple(item(key, status) for key, status in zip(("agents", "users"), ENDINGS[ending], strict=False))


def _outcomes() -> Iterator[Variant]:
    """Each opening of an outcome."""
    for key in SAID["outcome"]:
        asked, _, ending = key.rpartition("_")
        request, _, action = asked.partition("_")
        about = {"request": request, "action": None if action == "None" else action} if asked else {"action": "other"}
        found = ticket(**about, items=_ended(ending))
        yield Variant(f"outcome.{key}", Send(MailKind.OUTCOME, JOE, purpose=Purpose.CUSTOMER), found, LICENCE)
    for ending in SAID["outcome_private"]:
        found = ticket(sender=EVE, sender_is_contact=False, sender_known=False, items=_ended(ending))
        yield Variant(f"outcome_private.{ending}", Send(MailKind.OUTCOME, EVE), found, LICENCE)
    before = ticket(items=_ended("applied"))
    facts = Facts(replaced=(("agents", "ten", "15"), ("comments", "", "soon")))
    yield Variant("with what a correction replaced", Send(MailKind.OUTCOME, JOE, facts), before, LICENCE)


def _items() -> Iterator[Variant]:
    """Each status, rule, bill and reason of an item."""
    kinds = [*(item(status=status) for status in ItemStatus), item()]
    yield Variant("each status", Send(MailKind.OUTCOME, JOE), ticket(items=tuple(kinds)), LICENCE)
    names = [rule for rule in SAID["rule"] if not rule.startswith("implied")]
    rules = [item(status=ItemStatus.APPLIED, rule=Rule(rule), route=Route.AUTOMATIC) for rule in names]
    implied = item("plugin:live_call_translator", ItemStatus.APPLIED, rule=Rule.IMPLIED, route=Route.IMPLIED)
    rules += [replace(implied, from_=not to, to=to) for to in (True, False)]
    yield Variant("each rule", Send(MailKind.OUTCOME, JOE), ticket(items=tuple(rules)), LICENCE)
    whole = (replace(BILLED, fraction=fraction) for fraction in ("30/30", "365/365"))
    bills = (BILLED, *whole, Billing(kind="increase"), Billing(kind="decrease"), Billing(kind="none"))
    billed = tuple(item(status=ItemStatus.APPLIED, billing=billing) for billing in bills)
    yield Variant("each bill", Send(MailKind.OUTCOME, JOE), ticket(items=billed), LICENCE)
    refused = tuple(item(status=ItemStatus.CANCELLED, reason=why) for why in (*SAID["reason"], "too dear"))
    yield Variant("each reason", Send(MailKind.OUTCOME, JOE), ticket(items=refused), LICENCE)
    waits = ItemStatus.WAITING_STAFF
    waiting = (
        item(status=waits, expected=DAY),
        item("billing", waits, from_="monthly", to="annual", reason="only monthly"),
        item("users", waits, from_=20, to=15, rule=Rule.INCREASE),
    )
    yield Variant("what waits", Send(MailKind.CONFIRMATION, JOE), ticket(items=waiting), LICENCE)


def _confirmations() -> Iterator[Variant]:
    applying = ticket(state=State.APPLYING, items=(item(status=ItemStatus.APPLYING),))
    yield Variant("applying", Send(MailKind.CONFIRMATION, JOE), applying, LICENCE)
    found = Diagnosis(
        sentence="Nothing could be read.", unreadable=("log.png: a picture",), send_instead=("the log as text",)
    )
    unread = ticket(
        request="reactivate", action="other", items=(item(status=ItemStatus.WAITING_STAFF),), diagnosis=found
    )
    yield Variant("unread files", Send(MailKind.CONFIRMATION, JOE), unread, LICENCE)
    applied = [
        item(key, ItemStatus.APPLIED, from_=None, to=to)
        for key, to in (("plan", "voice"), ("addon:ai_assistants", True))
    ]
    bought = ticket(request="activate", action="plan", items=(*applied, item(status=ItemStatus.WAITING_STAFF)))
    yield Variant("bots, and a date ahead", Send(MailKind.CONFIRMATION, JOE), bought, LICENCE)
    yield Variant("a date ahead", Send(MailKind.DONE, JOE, Facts(on=DAY, items=(ItemKey("plan"),))), bought, LICENCE)
    shuttle = ticket(request="shuttle", action="modify", items=(item(status=ItemStatus.WAITING_STAFF),))
    yield Variant("a Shuttle licence", Send(MailKind.CONFIRMATION, JOE), shuttle, LICENCE)
    yield Variant(
        "part", Send(MailKind.CANCELLED, JOE), ticket(items=_ended("partly"), ending=Ending.CANCELLED), LICENCE
    )


def _problems() -> Iterator[Variant]:
    """Each sentence about what is wrong, and each about what would be right."""
    found = [_problem(key) for key in SAID["problem"] if key != "private"]
    found += [Problem(field="users", code=Code.MISSING, expected=f"expected.{key}") for key in SAID["expected"]]
    found.append(Problem(field="plan", code=Code.UNKNOWN_VALUE, read="Voize", expected="Voice|Digital", hint="Voice"))
    form = "Request: modify/add\nAgents:"
    send = Send(MailKind.INCOMPLETE, JOE, Facts(form=form, replaced=(("agents", "ten", "15"),)), Purpose.CUSTOMER)
    yield Variant("each problem", send, ticket(problems=tuple(found)), LICENCE)
    log = Problem(field="log", code=Code.ATTACHMENT_MISSING, expected="expected.log")
    yield Variant("only the log", send, ticket(request="reactivate", problems=(log,)), LICENCE)
    private = Problem(field="agents", code=Code.NOT_ABOVE_CURRENT, read="3", expected="10", from_ledger=True)
    stranger = ticket(sender=EVE, sender_is_contact=False, sender_known=False, problems=(private,))
    yield Variant("a problem with somebody else's licence", Send(MailKind.INCOMPLETE, EVE), stranger, LICENCE)
    quiet = ticket(sender=EVE, sender_is_contact=False, problems=(_problem("not_a_number"),))
    yield Variant("to a forged sender", Send(MailKind.INCOMPLETE, EVE, Facts(quiet=True)), quiet)


def _problem(key: str) -> Problem:
    """One that has the sentence of that key."""
    code = max((code for code in Code if key.startswith(code.value)), key=lambda code: len(code.value))
    own = key.removeprefix(code.value).strip("_")
    expected = {Code.OUT_OF_RANGE: "5-100", Code.TOKEN_NOT_ACTIVE: own or "moved"}.get(code, "EXPECTED")
    field = own if own and code is not Code.TOKEN_NOT_ACTIVE else "agents"
    return Problem(field=field, code=code, read="READ", expected=expected)


def _lists() -> Iterator[Variant]:
    """Each state, each kind of request and each status, as a list of requests has them."""
    states = [
        ticket(ref=f"LIC-{n}", state=state, items=(item(status=ItemStatus.APPLIED),))
        for n, state in enumerate((s for s in State if s is not State.DENIED), 1)
    ]
    named = [key.partition("_") for key in SAID["request"]]
    asked = [ticket(ref=f"LIC-{n}", request=r, action=a or None) for n, (r, _, a) in enumerate(named, 11)]
    mixed = ticket(ref="LIC-40", items=tuple(item(key, status) for key, status in zip(("agents", "users", "telephones", "mobile_agents", "plan", "support", "billing"), (*ItemStatus, None), strict=True)))  # fmt: skip
    licences = [replace(LICENCE, token=f"TOKEN-{status}", status=status) for status in SAID["licence_status"]]
    facts = Facts(
        tickets=(*states, *asked, mixed),
        licences=(*licences, replace(LICENCE, billing=None, demo_ends=DAY, expires_on=DAY)),
    )
    yield Variant("each state, request and status", Send(MailKind.STATUS, JOE, facts), None)
    for why in ("wrong_sender", "cancel", "settled"):
        send = Send(
            MailKind.STATUS, JOE, Facts(why=why, changed=("agents", "billing"), tickets=(states[0],)), Purpose.CUSTOMER
        )
        yield Variant(why, send, ticket(items=_ended("applied")), LICENCE)
    yield Variant("cancel, of several", Send(MailKind.STATUS, JOE, Facts(why="cancel", tickets=(states[0],))))
    yield Variant("none", Send(MailKind.STATUS, JOE))
    yield Variant("each state", Send(MailKind.DIGEST, ANNA, Facts(tickets=tuple(states)), Purpose.DIGEST))
    told = [said for table in ("alert", "unanswered", "broken", "digest") for said in SAID.get(table, {}).values()]
    lines = tuple(re.sub(r"\{(\w+)\}", lambda name: name[1].upper(), line) for line in told)
    yield Variant("each line", Send(MailKind.DIGEST, ANNA, Facts(lines=lines), Purpose.DIGEST))
    yield Variant("nothing waits", Send(MailKind.DIGEST, ANNA, purpose=Purpose.DIGEST))


def _decisions() -> Iterator[Variant]:
    """Each reason why a decision does not count, and what stands in a receipt."""
    results = [DecisionResult(read="APPROVE all", done=False, ref="LIC-1", why=why) for why in SAID["why"]]
    results.append(
        DecisionResult(
            read="", done=True, ref="LIC-1", word="APPROVE", items=(ItemKey("agents"), ItemKey("plan")), until=DAY
        )
    )
    results.append(DecisionResult(read="", done=True, word="ANSWER", sent="Dear Joe"))
    facts = Facts(results=tuple(results), lines=("price.pdf",))
    yield Variant("each reason", Send(MailKind.RECEIPT, ANNA, facts), ticket())
    waiting = ticket(state=State.WAITING_STAFF, items=(item(status=ItemStatus.WAITING_STAFF),))
    asked = ticket(request="information", action=None, state=State.WAITING_STAFF, question="How much?", items=())
    yield Variant(
        "still open", Send(MailKind.ALREADY_DECIDED, ANNA, Facts(why="changed", decided_by="Bob")), waiting, LICENCE
    )
    facts = Facts(text="soon?", by=EVE, why="quoting", lines=("plan.pdf",))
    yield Variant(
        "with files, of somebody else", Send(MailKind.COMMENT, ANNA, facts, Purpose.DECISION), waiting, LICENCE
    )
    yield Variant(
        "without words",
        Send(MailKind.COMMENT, ANNA, Facts(by=JOE, why="denied")),
        ticket(state=State.CANCELLED),
        LICENCE,
    )
    yield Variant("of a question", Send(MailKind.COMMENT, ANNA, Facts(text="soon?", by=JOE), Purpose.DECISION), asked)
    for why in ("unverified_member", "unclear"):
        send = Send(MailKind.NOT_UNDERSTOOD, ANNA, Facts(why=why, text="APPROVE"), Purpose.CONFIRM_DECISION)
        yield Variant(why, send, waiting, LICENCE)
    read = Facts(results=(DecisionResult(read="Yes", done=False, why="no_decision_word"),))
    yield Variant("of a question", Send(MailKind.NOT_UNDERSTOOD, ANNA, read, Purpose.DECISION), asked)
    yield Variant("of no ticket", Send(MailKind.NOT_UNDERSTOOD, ANNA, read))
    yield Variant(
        "another billing",
        Send(MailKind.QUESTION, JOE, Facts(why="billing", text="Monthly?"), Purpose.CUSTOMER),
        waiting,
        LICENCE,
    )
    yield Variant("asked", Send(MailKind.REMINDER, JOE, purpose=Purpose.CUSTOMER), ticket(asked=True), LICENCE)
    yield Variant(
        "token in doubt", Send(MailKind.REMINDER, JOE, purpose=Purpose.CUSTOMER), ticket(token_doubt=True), None
    )
    words = ticket(question="How much?", description="A new server", comments="See you")
    yield Variant("with words", Send(MailKind.REMINDER, ANNA, Facts(why="staff"), Purpose.DECISION), words, LICENCE)
    yield Variant("tomorrow", Send(MailKind.DEMO_ENDING, JOE, Facts(on=DAY, days=1)), ticket(), LICENCE)
    yield Variant("a stranger to the desk", Send(MailKind.CONFIRM_YOU, EVE, purpose=Purpose.CONFIRM), ticket(sender=EVE, request="activate", action="plan"))  # fmt: skip
    shuttle = ticket(request="shuttle", action="modify", items=_ended("applied"))
    yield Variant("a Shuttle licence", Send(MailKind.ANSWER, JOE, Facts(text="Done.")), shuttle, LICENCE)


def _approvals() -> Iterator[Variant]:
    """Who asks, what the log says, and each line of a ledger."""
    history = tuple(
        LicenceEvent(
            token=LICENCE.token, revision=n, at=MORNING, effective=DAY, kind=kind, changes={"agents": n}, ticket=f"LIC-{n}", decider="mailbot"
        )
        for n, kind in enumerate([*SAID["history"], "gift"], 1)
    )  # fmt: skip
    changed = replace(history[0], changes={"replaced_by": "B1B2C3D4E5F6", "renews_on": "2027-01-01"})
    ledger = replace(LICENCE, history=(changed, *history[1:]))
    proof = (
        Proof(file="license.log", line=7, text="status=grace", proves=("status", "expires_at")),
        Proof(file="license.log", line=9, text="x"),
    )
    found = Diagnosis(
        sentence="The log confirms it.", token=LICENCE.token, tokens=(LICENCE.token,), previous_tokens=("OLD",), status="grace",
        reason="expired", since="2026-11-01T00:00:00", since_or_before=True, days_left=3, expires_at="2026-11-06", version="3.58.0",
        last_contact="2026-11-02", first_at="2026-11-01", last_at="2026-11-03", files=("license.log",), proof=proof,
        disagreements=("The ledger says active.",), changes=("from OLD to A1B2C3D4E5F6",), unreadable=("log.png: a picture",),
    )  # fmt: skip
    full = ticket(
        request="reactivate", action="token_change", new_token="B1B2C3D4E5F6", diagnosis=found, forwarded_from="lou@acme.example",
        linked=("LIC-7",), confirmed_by=JOE, customer_email="lou@acme.example", sender_is_partner=True, sender_name="Joe",
        description="A new server", question="How much?", comments="See you", agreement_version="2025-11", product="shuttle",
    )  # fmt: skip
    send = Send(MailKind.APPROVAL, ANNA, Facts(changed=("comments",), why="licence_changed"), Purpose.DECISION)
    yield Variant("everything", send, full, ledger, replace(LICENCE, token="B1B2C3D4E5F6", product="shuttle"))
    plain = {"request": "reactivate", "action": "expired", "sender_is_contact": False, "files": ("plan.pdf",)}
    for verdict, known in (("unverified", True), ("refused", False)):
        who = ticket(sender_verdict=verdict, sender_known=known, **plain)
        yield Variant(f"{verdict}, no log", Send(MailKind.APPROVAL, ANNA, purpose=Purpose.DECISION), who)


@cache
def variants() -> tuple[Variant, ...]:
    """All of them."""
    made = (_outcomes(), _items(), _confirmations(), _problems(), _lists(), _decisions(), _approvals())
    return tuple(one for some in made for one in some)
