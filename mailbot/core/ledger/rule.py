"""The named rules: by which one an item takes effect and is billed. Tickets, events and invoice lines name them."""

from enum import StrEnum


class Rule(StrEnum):
    """When an item takes effect and what it does to the bill; which one applies: ``desk.rules``."""

    AUTOMATIC = "automatic"
    BY_STAFF = "by_staff"
    IMPLIED = "implied"
    DEMO = "demo"
    INCREASE = "increase"
    DECREASE_BY_20TH = "decrease_by_20th"
    DECREASE_AFTER_20TH = "decrease_after_20th"
    DEACTIVATION = "deactivation"
    NEXT_PERIOD = "next_period"


DECREASES = frozenset({Rule.DECREASE_BY_20TH, Rule.DECREASE_AFTER_20TH})
