"""Plays the cases: each step in turn, and at the end of each whether its ticket is as it should be."""

from typing import assert_never

from mailbot.core.mail.message import Message
from mailbot.demo.correspondents import Client
from mailbot.demo.demo_desk import RunningDesk
from mailbot.demo.script import DemoCase, DemoReply, Gets, Step, Write
from mailbot.demo.transcript import Transcript

#: How long a person waits for a mail, in seconds. It comes in less than one.
PATIENCE = 30.0


class Play:
    """``faults`` are the sentences on what did not end as expected."""

    def __init__(self, desk: RunningDesk, people: dict[str, Client], told: Transcript) -> None:
        self.desk, self.people, self.told = desk, people, told
        self.faults: list[str] = []
        self._seen: set[str] = set()  # tickets of earlier cases
        self._ref: str | None = None
        self._got: dict[tuple[str, str], Message] = {}

    def play(self, cases: tuple[DemoCase, ...]) -> bool:
        """Whether all cases ended as expected; the first that does not is the last."""
        for case in cases:
            self.told.case(case.title)
            self._ref, self._got = None, {}
            if not all(self._step(step) for step in case.steps) or not self._ended(case):
                self.told.trouble(self.faults[-1])
                return False
            if self._ref is not None:
                self._seen.add(self._ref)
        return True

    def _step(self, step: Step) -> bool:
        match step:
            case Write(who, subject, text, files):
                self.people[who].send(text, subject=subject, files=files)
                return True
            case DemoReply(who, kind, text):
                self.people[who].reply(self._got[who, kind], text)
                return True
            case Gets(who, kind):
                return self._gets(who, kind)
            case _:
                assert_never(step)

    def _gets(self, who: str, kind: str) -> bool:
        mail = self.people[who].wait(lambda mail: self._is(mail, kind), PATIENCE)
        if mail is None:
            self.faults.append(f"{who} got no mail of the kind {kind!r} within {PATIENCE:.0f} seconds")
            return False
        self._got[who, kind] = mail
        self._ref = self.desk.kind(mail.message_id)[1]
        return True

    def _is(self, mail: Message, kind: str) -> bool:
        found, ref = self.desk.kind(mail.message_id)
        return found == kind and ref is not None and (ref == self._ref if self._ref else ref not in self._seen)

    def _ended(self, case: DemoCase) -> bool:
        ticket = self.desk.ticket(self._ref or "")
        if ticket is None:
            self.faults.append(f"{case.title}: there is no ticket")
            return False
        late = case.late_state is not None and not self.desk.asked_by_the_20th(ticket)
        wanted = case.late_state if late else case.state
        if ticket.state.value != wanted:
            self.faults.append(f"{ticket.ref} is {ticket.state.value}, must be {wanted}")
            return False
        statuses: dict[str, str] = {item.item: item.status.value for item in ticket.items if item.status is not None}
        for item, status in case.parts.items():
            if statuses.get(item) != status:
                self.faults.append(f"{ticket.ref}: {item} is {statuses.get(item)}, must be {status}")
                return False
        return True
