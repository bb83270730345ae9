"""What the people of the demo write, case by case, which mails they get for it, and how each ticket ends."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mailbot.demo.correspondents import ANNA, BOB, JOE

_WHO = "Customer name: Acme\nI accept the License Agreement: yes\n"
_DEMO, _PLAN, _MOVED, _SECOND = "DEMO1A2B3C4D", "ACME5E6F7G8H", "ACME9J0K1L2M", "ACME3N4P5Q6R"


@dataclass(frozen=True)
class Write:
    """A person writes to the desk."""

    who: str
    subject: str
    text: str
    files: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True)
class Gets:
    """A mail of that kind comes to a person, about the case's ticket."""

    who: str
    kind: str


@dataclass(frozen=True)
class DemoReply:
    """A person answers the mail of that kind."""

    who: str
    kind: str
    text: str


Step = Write | Gets | DemoReply


@dataclass(frozen=True)
class DemoCase:
    """``state``: how its ticket ends; ``late_state`` instead when it was asked after the day of decreases."""

    title: str
    steps: tuple[Step, ...]
    state: str
    late_state: str | None = None
    parts: dict[str, str] = field(default_factory=dict)  # item -> the status that it must have at the end


def _form(request: str, token: str, lines: str) -> str:
    return f"Hello,\n\nRequest: {request}\nLicense token: {token}\n{_WHO}{lines}\n-- \nJoe Miller, Acme\n"


def _customer(*kinds: str) -> tuple[Gets, ...]:
    return tuple(Gets(JOE[1], kind) for kind in kinds)


def _decided(by: tuple[str, str, str], text: str, *kinds: str) -> tuple[Step, ...]:
    """Staff are asked, one of them replies, and all hear of it."""
    asked = (Gets(ANNA[1], "approval"), Gets(BOB[1], "approval"))
    return (*asked, DemoReply(by[1], "approval", text), *_customer(*kinds), Gets(by[1], "receipt"))


def _log(now: datetime) -> bytes:
    """What the server of a licence that was moved writes, up to now."""
    lines = (
        f"[{now - timedelta(hours=hours):%Y-%m-%d %H:%M:%S}] [WARN] license - [LICENSE:CHECK] token={_MOVED} "
        f"previousToken={_PLAN} status=grace reason=token_change daysLeft=10\n"
        for hours in (3, 2, 1)
    )
    return "".join(lines).encode()


def cases(now: datetime) -> tuple[DemoCase, ...]:
    """The cases in order; each builds on what the ones before have left. ``now`` is the time in the log of one."""
    return (
        DemoCase(
            "A free demo of 30 days",
            (
                Write(JOE[1], "Free demo", _form("activate", _DEMO, "30 days free demo: yes\n")),
                *_customer("outcome", "plugins"),
            ),
            "done",
        ),
        DemoCase(
            "A new plan with two plugins; staff approve it, because the customer is new",
            (
                Write(
                    JOE[1],
                    "Activate a new license",
                    _form(
                        "activate",
                        _PLAN,
                        "30 days free demo: no\nPlan: Voice Digital\nAgents: 10\nTelephones: 10\nBilling frequency: monthly\n"
                        "Support package: Silver\nPlugins: Botify, Queue Manager\n",
                    ),
                ),
                *_customer("confirmation"),
                *_decided(ANNA, "APPROVE", "outcome", "plugins"),
            ),
            "done",
        ),
        DemoCase(
            "More agents and an add-on",
            (
                Write(
                    JOE[1],
                    "Modify your license",
                    _form("modify", _PLAN, "Action: add\nReason: more agents\nAgents: 15\nAdd-ons: Quality Analysis\n"),
                ),
                *_customer("outcome"),
            ),
            "done",
        ),
        DemoCase(
            "Fewer agents and one plugin less: at once until the 20th, afterwards from the 1st",
            (
                Write(
                    JOE[1],
                    "Modify your license",
                    _form("modify", _PLAN, "Action: remove\nReason: fewer agents\nAgents: 12\nPlugins: Botify\n"),
                ),
                *_customer("outcome"),
            ),
            "done",
            late_state="scheduled",
        ),
        DemoCase(
            "A contract change",
            (
                Write(
                    JOE[1],
                    "Request contract change",
                    _form("contract", _PLAN, "Support package: Platinum\nBilling frequency: annual\n"),
                ),
                *_customer("confirmation"),
                *_decided(BOB, "APPROVE", "outcome"),
            ),
            "scheduled",
            parts={"support": "applied", "billing": "scheduled"},
        ),
        DemoCase(
            "A re-activation after a token change, with the log attached",
            (
                Write(
                    JOE[1],
                    "Grace Period / Re-activate License",
                    "Request: reactivate\nCustomer name: Acme\nGrace period reason: token change\n"
                    f"Old token: {_PLAN}\nNew token: {_MOVED}\nComments: we have moved to a new server\n",
                    (("license.log", _log(now)),),
                ),
                *_customer("confirmation"),
                *_decided(ANNA, "APPROVE", "outcome"),
            ),
            "done",
        ),
        DemoCase(
            "A question",
            (
                Write(
                    JOE[1],
                    "Request general information",
                    "Request: information\nQuestion: Can Quality Analysis be used with recordings of last year?\n",
                ),
                *_customer("confirmation"),
                *_decided(BOB, "ANSWER Yes, with all that are still on your server.", "answer"),
            ),
            "done",
        ),
        DemoCase(
            "A form with four mistakes, corrected by a reply; staff decide only part of it, because the customer is known",
            (
                Write(
                    JOE[1],
                    "Activate a new license",
                    _form(
                        "activate",
                        _SECOND,
                        "30 days free demo: no\nPlan: Voize\nAgents: 3\nBilling frequency: weekly\nSupport package: Gold\n",
                    ),
                ),
                *_customer("incomplete"),
                DemoReply(
                    JOE[1],
                    "incomplete",
                    "Plan: Voice\nAgents: 5\nBilling frequency: annual\nSupport package: Silver",
                ),
                *_customer("confirmation"),
                *_decided(ANNA, "APPROVE", "outcome"),
            ),
            "done",
        ),
        DemoCase(
            "A deactivation, in effect from the next billing period",
            (
                Write(
                    JOE[1],
                    "Modify your license",
                    _form("modify", _MOVED, "Action: deactivate\nReason: project ended\n"),
                ),
                *_customer("outcome"),
            ),
            "scheduled",
        ),
    )
