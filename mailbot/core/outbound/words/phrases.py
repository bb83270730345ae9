"""Dates, numbers, items, bills and whole sentences in the desk's language and time zone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime
from babel.lists import format_list
from babel.numbers import format_currency, format_decimal

from mailbot.core.catalogue.contents import Catalogue
from mailbot.core.desk.ticket import Item
from mailbot.core.ledger.billing import Billing
from mailbot.core.ledger.licence import DATES, Value
from mailbot.core.outbound.words.sentences import Words, item_label, value_word

#: A billing period of more days is a year.
LONGEST_MONTH = 31


@cache
def locale_of(language: str) -> Locale:
    """The locale of a language folder such as "en" or "pt_BR"; English if there is no such locale."""
    whole = language.replace("-", "_")
    for name in (whole, whole.partition("_")[0]):
        try:
            return Locale.parse(name)
        except (UnknownLocaleError, ValueError):
            continue
    return Locale("en")


@dataclass(frozen=True)
class Phrases:
    """The sentences of one language, filled in with the names of one catalogue and the times of one zone."""

    words: Words
    catalogue: Catalogue
    language: str
    zone: ZoneInfo

    def say(self, key: str, /, **values: object) -> str:
        """The sentence of a dotted key, filled in. KeyError if there is none, which is a fault of the templates."""
        return str(self._at(key)).format(**values)

    def has(self, key: str) -> bool:
        """Whether there is such a sentence."""
        try:
            return isinstance(self._at(key), str)
        except KeyError:
            return False

    def _at(self, key: str) -> Any:
        found: Any = self.words.sentences
        for part in key.split("."):
            if not isinstance(found, Mapping):
                raise KeyError(key)
            found = found[part]
        return found

    def day(self, day: date) -> str:
        """``3 November 2026``."""
        return format_date(day, self.say("format.date"), locale_of(self.language))

    def month(self, day: date) -> str:
        """``November 2026``."""
        return format_date(day, self.say("format.month"), locale_of(self.language))

    def period(self, first: date, last: date) -> str:
        """``3 to 30 November 2026``, both days included."""
        same_year = first.year == last.year
        form = "from_year" if not same_year else "from_month" if first.month != last.month else "from_day"
        start = format_date(first, self.say(f"format.{form}"), locale_of(self.language))
        return self.say("format.range", first=start, last=self.day(last))

    def at(self, moment: datetime) -> str:
        """``3 November 2026, 10:15``, in the desk's time zone."""
        return format_datetime(moment, self.say("format.time"), self.zone, locale_of(self.language))

    def number(self, count: int) -> str:
        """``1,000``."""
        return format_decimal(count, locale=locale_of(self.language))

    def listed(self, names: Iterable[str]) -> str:
        """``A, B and C``."""
        return format_list(list(names), locale=locale_of(self.language))

    def item(self, key: str) -> str:
        """The name of an item, or of a term of the ledger."""
        return self.say(f"term.{key}") if self.has(f"term.{key}") else item_label(key, self.catalogue, self.words)

    def value(self, item: str, value: Value) -> str:
        """A value in words."""
        if isinstance(value, int) and not isinstance(value, bool):
            return self.number(value)
        if item in DATES and isinstance(value, str):
            return self.day(date.fromisoformat(value))
        if item == "status" and value is not None:
            return self.say(f"licence_status.{value}") if self.has(f"licence_status.{value}") else str(value)
        return value_word(item, value, self.catalogue, self.words)

    def item_status(self, item: Item) -> str:
        """The status of the item and the day from which it is in effect; an open item with a reason awaits another choice."""
        if item.open and item.reason:
            return self.say("items.another")
        status = item.status.value if item.status else "new"
        return self.say(f"holds.{status}", date=self.day(item.effective) if item.effective else "").strip()

    def billing(self, billing: Billing | None, first: date | None, decrease_day: date, lower: date | None) -> str:
        """The effect on the bill as a sentence; "" if there is no bill.

        ``first`` is the first day that an increase bills. A decrease counts from ``decrease_day``, and ``lower`` is the
        first day of the period that follows, or None if that is not known.
        """
        if billing is None:
            return ""
        if billing.kind == "increase" and billing.fraction and billing.invoice_on:
            return f"{self._increase(billing.fraction, billing.invoice_on, first)} {self._amount(billing)}".strip()
        if billing.kind == "decrease" and lower is not None:
            until = self.day(lower - timedelta(days=1))
            return self.say("billing.decrease", until=until, date=self.day(lower))
        return self.say(f"billing.{billing.kind}_plain", date=self.day(decrease_day))

    def _increase(self, fraction: str, invoice_on: date, first: date | None) -> str:
        left, days = map(int, fraction.split("/"))
        begins = first or invoice_on - timedelta(days=left - 1)
        whole = "" if left < days else "_month" if days <= LONGEST_MONTH else "_year"
        period = self.period(begins, begins + timedelta(days=left - 1))
        return self.say(f"billing.increase{whole}", left=left, days=days, month=self.month(invoice_on), period=period)

    def _amount(self, billing: Billing) -> str:
        if not billing.amount or not billing.currency:
            return ""
        money = format_currency(Decimal(billing.amount), billing.currency, locale=locale_of(self.language))
        return self.say("billing.amount", amount=money)
