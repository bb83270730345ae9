"""``mailbot check``: everything that a running desk needs, looked at one by one, each with what to do."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from mailbot.assembly import read_catalogue
from mailbot.config.settings import Config, ConfigError
from mailbot.core.mail.auth_results_probe import BorderFinding
from mailbot.maillog import MailLog
from mailbot.servers.imap import ImapError, ImapSettings, Mailbox
from mailbot.servers.smtp import Smtp, SmtpError
from mailbot.service.delivery import smtp_settings
from mailbot.service.mailbox_loop import imap_settings
from mailbot.wording import load_wording
from storage import licence_posts
from storage.engine import head, open_store
from storage.faults import StoreError


def check_all(config: Config) -> list[BorderFinding]:
    """All checks in order; a fault in one does not keep the others from being made."""
    lines = [BorderFinding("configuration", True, "no faults")]
    lines.append(_try("catalogue", lambda: f"version {read_catalogue(config.mailbot.catalogue).version}"))
    lines.append(_try("templates", lambda: _templates(config)))
    lines.append(_try("database", lambda: _database(config)))
    lines.append(_try("imap", lambda: _imap(imap_settings(config), MailLog())))
    lines.append(_try("smtp", lambda: asyncio.run(Smtp(smtp_settings(config)).check())))
    return lines


#: Where to look when a server does not do what it must; other faults name their place themselves.
KEYS = {
    "imap": "see host, port, security, username, password, folder, done_folder and quarantine_folder in [imap]",
    "smtp": "see host, port, security, username and password in [smtp]",
}


def _try(name: str, look: Callable[[], str]) -> BorderFinding:
    try:
        return BorderFinding(name, True, look())
    except (ImapError, SmtpError) as error:
        return BorderFinding(name, False, f"{error}; {KEYS[name]}")
    except (ConfigError, StoreError, OSError, ValueError) as error:
        return BorderFinding(name, False, str(error))


def _templates(config: Config) -> str:
    wording = load_wording(
        config.mailbot.language, Path(config.mailbot.templates) if config.mailbot.templates else None
    )
    faults = wording.faults()
    if faults:
        raise ValueError("; ".join(faults))
    return f"{len(wording.kinds)} kinds of mail, version {wording.version}"


def _database(config: Config) -> str:
    store = open_store(config.database_url)
    store.migrate()
    store.verify()
    with store.read() as session:
        waiting = licence_posts.count_waiting(session)
    store.close()
    if waiting and config.licence_server is None:
        raise ValueError(
            f"{waiting} events are waiting for the licence server, but [licence_server] is missing: put it back, or their items stay in state applying"
        )
    return f"{store.dialect}, revision {head()}"


def _imap(settings: ImapSettings, log: MailLog) -> str:
    mailbox = Mailbox.open(settings, log)
    try:
        return "; ".join(mailbox.check())
    finally:
        mailbox.close()
