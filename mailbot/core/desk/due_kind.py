"""The kinds of due things: what happens on a date to a ticket, to a licence or to the desk itself."""

from enum import StrEnum


class DueKind(StrEnum):
    """What a due thing does on its day: see ``process.due_things``."""

    DAY = "day"  # scheduled items take effect
    STAFF_REMINDER = "staff_reminder"
    CUSTOMER_REMINDER = "customer_reminder"
    CLOSE = "close"
    APPLYING = "applying"  # the licence server has not answered for a while
    DEMO_WARNING = "demo_warning"
    DIGEST = "digest"
    ALERTS = "alerts"
    RETENTION = "retention"  # the bytes of old mails go
    KEY_EXPIRY = "key_expiry"
