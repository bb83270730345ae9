"""The script of the demo: what the people write in each case, which mails they get, and how the ticket ends.

``demo.player`` plays it. The cases build on one another.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mailbot.demo.mail_client import ANNA, BOB, JOE

_WHO = "Customer name: Acme\nI accept the License Agreement: yes\n"
_DEMO, _PLAN, _MOVED, _SECOND = "DEMO1A2B3C4D", "ACME5E6F7G8H", "ACME9J0K1L2M", "ACME3N4P5Q6R"


@dataclass(frozen=True)
class Write:
    """A person writes a new mail to the desk."""

    who: str
    subject: str
    text: str
    files: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True)
class Gets:
    """A person receives a mail of that kind about the ticket of the case."""

    who: str
    kind: str


@dataclass(frozen=True)
class DemoReply:
    """A person replies to the mail of that kind."""

    who: str
    kind: str
    text: str


Step = Write | Gets | DemoReply


@dataclass(frozen=True)
class DemoCase:
    """A case whose ticket ends in ``state``, or in ``late_state`` if it is requested after the day for decreases.

    ``parts`` has the status that some of its items must have at the end.
    """

    title: str
    steps: tuple[Step, ...]
    state: str
    late_state: str | None = None
    parts: dict[str, str] = field(default_factory=dict)


def _form(request: str, token: str, lines: str) -> str:
    return f"Hello,\n\nRequest: {request}\nLicense token: {token}\n{_WHO}{lines}\n-- \nJoe Miller, Acme\n"


def _joe(subject: str, text: str, *files: tuple[str, bytes]) -> Write:
    return Write(JOE[1], subject, text, files)


def _joe_gets(*kinds: str) -> tuple[Gets, ...]:
    return tuple(Gets(JOE[1], kind) for kind in kinds)


def _decided(by: tuple[str, str, str], text: str, *kinds: str) -> tuple[Step, ...]:
    """Both members of staff are asked, one replies, the customer gets mails of those kinds and the replier a receipt."""
    asked = (Gets(ANNA[1], "approval"), Gets(BOB[1], "approval"))
    return (*asked, DemoReply(by[1], "approval", text), *_joe_gets(*kinds), Gets(by[1], "receipt"))


def _log(now: datetime) -> bytes:
    """The log of a server whose licence token was replaced, with entries up to three hours before ``now``."""
    lines = (
        f"[{now - timedelta(hours=hours):%Y-%m-%d %H:%M:%S}] [WARN] license - [LICENSE:CHECK] token={_MOVED} "
        f"previousToken={_PLAN} status=grace reason=token_change daysLeft=10\n"
        for hours in (3, 2, 1)
    )
    return "".join(lines).encode()


def _reactivation(now: datetime) -> DemoCase:
    form = (
        "Request: reactivate\nCustomer name: Acme\nGrace period reason: token change\n"
        f"Old token: {_PLAN}\nNew token: {_MOVED}\nComments: we have moved to a new server\n"
    )
    return DemoCase(
        "A re-activation after a token change, with the log attached",
        (
            _joe("Grace Period / Re-activate License", form, ("license.log", _log(now))),
            *_joe_gets("confirmation"),
            *_decided(ANNA, "APPROVE", "outcome"),
        ),
        "done",
    )


_FREE_DEMO = DemoCase(
    "A free demo of 30 days",
    (
        _joe("Free demo", _form("activate", _DEMO, "30 days free demo: yes\n")),
        *_joe_gets("outcome", "plugins"),
    ),
    "done",
)
_NEW_PLAN = DemoCase(
    "A new plan with two plugins; staff approve it, because the customer is new",
    (
        _joe(
            "Activate a new license",
            _form(
                "activate",
                _PLAN,
                "30 days free demo: no\nPlan: Voice Digital\nAgents: 10\nTelephones: 10\nBilling frequency: monthly\n"
                "Support package: Silver\nPlugins: Botify, Queue Manager\n",
            ),
        ),
        *_joe_gets("confirmation"),
        *_decided(ANNA, "APPROVE", "outcome", "plugins"),
    ),
    "done",
)
_INCREASE = DemoCase(
    "More agents and an add-on",
    (
        _joe(
            "Modify your license",
            _form("modify", _PLAN, "Action: add\nReason: more agents\nAgents: 15\nAdd-ons: Quality Analysis\n"),
        ),
        *_joe_gets("outcome"),
    ),
    "done",
)
_DECREASE = DemoCase(
    "Fewer agents and one plugin less: at once until the 20th, afterwards from the 1st",
    (
        _joe(
            "Modify your license",
            _form("modify", _PLAN, "Action: remove\nReason: fewer agents\nAgents: 12\nPlugins: Botify\n"),
        ),
        *_joe_gets("outcome"),
    ),
    "done",
    late_state="scheduled",
)
_CONTRACT = DemoCase(
    "A contract change",
    (
        _joe(
            "Request contract change",
            _form("contract", _PLAN, "Support package: Platinum\nBilling frequency: annual\n"),
        ),
        *_joe_gets("confirmation"),
        *_decided(BOB, "APPROVE", "outcome"),
    ),
    "scheduled",
    parts={"support": "applied", "billing": "scheduled"},
)
_QUESTION = DemoCase(
    "A question",
    (
        _joe(
            "Request general information",
            "Request: information\nQuestion: Can Quality Analysis be used with recordings of last year?\n",
        ),
        *_joe_gets("confirmation"),
        *_decided(BOB, "ANSWER Yes, with all that are still on your server.", "answer"),
    ),
    "done",
)
_MISTAKES = DemoCase(
    "A form with four mistakes, corrected by a reply; staff decide only part of it, because the customer is known",
    (
        _joe(
            "Activate a new license",
            _form(
                "activate",
                _SECOND,
                "30 days free demo: no\nPlan: Voize\nAgents: 3\nBilling frequency: weekly\nSupport package: Gold\n",
            ),
        ),
        *_joe_gets("incomplete"),
        DemoReply(JOE[1], "incomplete", "Plan: Voice\nAgents: 5\nBilling frequency: annual\nSupport package: Silver"),
        *_joe_gets("confirmation"),
        *_decided(ANNA, "APPROVE", "outcome"),
    ),
    "done",
)
_DEACTIVATION = DemoCase(
    "A deactivation, in effect from the next billing period",
    (
        _joe("Modify your license", _form("modify", _MOVED, "Action: deactivate\nReason: project ended\n")),
        *_joe_gets("outcome"),
    ),
    "scheduled",
)


def cases(now: datetime) -> tuple[DemoCase, ...]:
    """The cases in order. ``now`` is the time up to which the log of the re-activation goes."""
    return (
        _FREE_DEMO, _NEW_PLAN, _INCREASE, _DECREASE, _CONTRACT, _reactivation(now), _QUESTION, _MISTAKES, _DEACTIVATION,
    )  # fmt: skip
