"""Billing periods: calendar months for monthly licences, twelve months up to the renewal date for annual ones."""

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
        """The share of the period from ``day`` on, that day included, as "days left/days", not reduced."""
        return f"{(self.last - day).days + 1}/{self.days}"


def month_of(day: date) -> Period:
    """The calendar month that contains ``day``."""
    return Period(day.replace(day=1), month_end(day))


def month_end(day: date) -> date:
    """The last day of the month that contains ``day``."""
    return day.replace(day=monthrange(day.year, day.month)[1])


def next_month(day: date) -> date:
    """The first day of the month after ``day``."""
    return month_end(day) + timedelta(days=1)


def years_later(day: date, years: int = 1) -> date:
    """The same day ``years`` later; 29 February becomes 28 February in a common year."""
    year = day.year + years
    return day.replace(year=year, day=min(day.day, monthrange(year, day.month)[1]))


def next_renewal(renews_on: date, on: date) -> date:
    """The first renewal after ``on``, counted in whole years from ``renews_on``."""
    years = max(0, on.year - renews_on.year)
    candidate = years_later(renews_on, years)
    return candidate if candidate > on else years_later(renews_on, years + 1)


def period_of(billing: str | None, renews_on: date | None, day: date) -> Period:
    """The billing period that contains ``day``: the year up to the next renewal if annual, else the calendar month.

    Years are counted from ``renews_on`` in both directions, so that they meet without a gap at 29 February too.
    """
    if billing == "annual" and renews_on is not None:
        years = day.year - renews_on.year
        years += years_later(renews_on, years) <= day
        return Period(years_later(renews_on, years - 1), years_later(renews_on, years) - timedelta(days=1))
    return month_of(day)


def next_period(billing: str | None, renews_on: date | None, day: date) -> date:
    """The first day of the period after the one that contains ``day``."""
    return period_of(billing, renews_on, day).last + timedelta(days=1)


#: A decrease requested up to this day of the month takes effect at once; later ones on the 1st of the next month.
DECREASE_DAY = 20


def decrease_day(asked_on: date) -> date:
    """The day from which a decrease requested on ``asked_on`` is billed, however late it is committed."""
    return asked_on if asked_on.day <= DECREASE_DAY else next_month(asked_on)
