"""Alerts: an incident is reported once, staff get at most one alert mail an hour, and what happens in between is collected."""

from datetime import timedelta

from mailbot.core.desk.effects import Audience, DueKind, Facts, Send
from mailbot.core.desk.mail_kind import MailKind
from mailbot.process.transaction import Transaction
from storage import alerts, due

#: The due thing that tells staff what was collected since the last alert.
ALERTS = DueKind.ALERTS
ALERT_EVERY = timedelta(hours=1)
#: Most incidents in one mail; the others follow an hour later.
MOST_ALERTS = 500


def raise_alert(transaction: Transaction, incident: str, text: str) -> Send | None:
    """Log the incident and remember it. Returns the alert mail, if one may go now."""
    session, now = transaction.session, transaction.now
    transaction.desk.log.alert(text=text)
    if not alerts.note(session, incident, text, now):
        return None
    last = alerts.last_told(session)
    if last is None or now - last >= ALERT_EVERY:
        return collected_alert(transaction)
    due.add(session, kind=ALERTS, due_at=last + ALERT_EVERY, made_at=now)
    return None


def collected_alert(transaction: Transaction) -> Send | None:
    """The alert mail with every unreported incident; None when there is none."""
    session, now = transaction.session, transaction.now
    rows = alerts.untold(session, MOST_ALERTS)
    if not rows:
        return None
    text = "\n".join(row.text for row in rows)
    alerts.mark_told(session, rows, now)
    if alerts.untold(session, 1):
        due.add(session, kind=ALERTS, due_at=now + ALERT_EVERY, made_at=now)
    return Send(MailKind.ALERT, Audience.STAFF, Facts(text=text))
