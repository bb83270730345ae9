"""Where a unit of work happens: the desk, the open transaction, the moment, and the kept mail behind it, if there is one."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session

from mailbot.environment import Desk


@dataclass
class Transaction:
    """``label`` names the work (a kept mail, a due thing, a command) and seeds its random bytes.

    ``inbox_id`` is the row of the kept mail, ``mail`` its Message-ID or hash, for the history.
    """

    desk: Desk
    session: Session
    now: datetime
    label: str
    inbox_id: int | None = None
    mail: str | None = None

    @property
    def today(self) -> date:
        """The business date of ``now``."""
        return self.now.astimezone(self.desk.config.zone).date()
