"""What a decision depends on besides ticket and event: time, time zone, catalogue, ledger and timers."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from mailbot.core.catalogue.contents import Catalogue
from mailbot.core.ledger.licence import Ledger


@dataclass(frozen=True)
class Timers:
    """How long the desk waits before it reminds and closes; dated mails go out at ``morning``."""

    staff_reminder_hours: int = 24
    customer_reminder_days: int = 3
    close_after_days: int = 14
    key_days: int = 30
    morning: time = time(8)


@dataclass(frozen=True)
class DecisionContext:
    """``now`` is aware; business dates are in ``zone``; ``mail`` names the mail being handled, if there is one."""

    now: datetime
    zone: ZoneInfo
    catalogue: Catalogue
    ledger: Ledger
    timers: Timers = Timers()
    mail: str | None = None

    @property
    def today(self) -> date:
        """The business date of ``now``."""
        return self.date_of(self.now)

    def date_of(self, moment: datetime) -> date:
        """The business date of a moment."""
        return moment.astimezone(self.zone).date()

    def start_of(self, day: date) -> datetime:
        """The first moment of a business day."""
        return datetime.combine(day, time(0), self.zone)

    def morning_of(self, day: date) -> datetime:
        """When dated mails of that day go out."""
        return datetime.combine(day, self.timers.morning, self.zone)

    def in_days(self, days: int) -> datetime:
        """That many days from now."""
        return self.now + timedelta(days=days)

    def in_hours(self, hours: int) -> datetime:
        """That many hours from now."""
        return self.now + timedelta(hours=hours)
