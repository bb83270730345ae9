"""Billing periods: the calendar month of monthly licences, the twelve months to ``renews_on`` of annual ones."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True)
class Period:
    """A billing period, both days included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """Its length in days."""
        return (self.last - self.first).days + 1

    def fraction(self, day: date) -> str:
        """The part of the period from ``day`` on, that day included: "days left/days", not reduced."""
        return f"{(self.last - day).days + 1}/{self.days}"


def month_of(day: date) -> Period:
    """The calendar month that holds ``day``."""
    return Period(day.replace(day=1), month_end(day))


def month_end(day: date) -> date:
    """The last day of that month."""
    return day.replace(day=monthrange(day.year, day.month)[1])


def next_month(day: date) -> date:
    """The first day of the following month."""
    return month_end(day) + timedelta(days=1)


def years_later(day: date, years: int = 1) -> date:
    """The same day in another year; 29 February becomes the 28th where there is none."""
    year = day.year + years
    return day.replace(year=year, day=min(day.day, monthrange(year, day.month)[1]))


def next_renewal(renews_on: date, on: date) -> date:
    """The first renewal after ``on``, counted in whole years from ``renews_on``."""
    years = max(0, on.year - renews_on.year)
    candidate = years_later(renews_on, years)
    return candidate if candidate > on else years_later(renews_on, years + 1)


def period_of(billing: str | None, renews_on: date | None, day: date) -> Period:
    """The running period on ``day``: the year up to the next renewal when billed annually, else the calendar month.

    Years are counted from ``renews_on`` itself, back and forth, so that they meet without gap also at 29 February.
    """
    if billing == "annual" and renews_on is not None:
        years = day.year - renews_on.year
        years += years_later(renews_on, years) <= day
        return Period(years_later(renews_on, years - 1), years_later(renews_on, years) - timedelta(days=1))
    return month_of(day)


def next_period(billing: str | None, renews_on: date | None, day: date) -> date:
    """The first day of the period after the running one."""
    return period_of(billing, renews_on, day).last + timedelta(days=1)


#: The last day of the month on which a decrease still takes effect at once.
DECREASE_DAY = 20


def decrease_day(asked_on: date) -> date:
    """The day from which a decrease that was asked for then counts, however late it is committed: billing looks at it."""
    return asked_on if asked_on.day <= DECREASE_DAY else next_month(asked_on)
