"""Builds the desk from its configuration, in the same way for every command."""

from functools import cache
from importlib.resources import files
from pathlib import Path

from mailbot.clock import Clock, system
from mailbot.config.settings import Config, ConfigError
from mailbot.core.catalogue import contents as core
from mailbot.environment import Desk
from mailbot.ids import Ids, SystemIds
from mailbot.maillog import MailLog
from mailbot.process.invoicing import remember_prices
from mailbot.wording import load_wording
from storage.engine import open_store


def assemble(
    config: Config, clock: Clock = system, ids: Ids | None = None, log: MailLog | None = None, *, writes: bool = True
) -> Desk:
    """The desk, its database brought up to date. ConfigError when catalogue or templates are not good.

    Prices hold from the first time that a desk which ``writes`` has them; merely looking changes nothing.
    """
    store = open_store(config.database_url)
    store.migrate()
    catalogue = read_catalogue(config.mailbot.catalogue)
    overlay = Path(config.mailbot.templates) if config.mailbot.templates else None
    try:
        wording = load_wording(config.mailbot.language, overlay)
    except ValueError as error:
        raise ConfigError("templates", [str(error)]) from error
    if overlay and (
        faults := wording.faults(overlaid=True)
    ):  # else the first customer whose mail it is would find them
        raise ConfigError("templates", faults)
    if writes:
        remember_prices(store, catalogue, clock())
    return Desk(config, catalogue, wording, store, clock, ids or SystemIds(), log or MailLog())


def read_catalogue(path: object) -> core.Catalogue:
    """The configured catalogue, else the shipped one. ConfigError lists all its faults."""
    if not path:
        return _shipped_catalogue()
    try:
        text = Path(str(path)).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), [f"cannot be read as UTF-8 text: {error}"]) from error
    return _parsed(text, str(path))


@cache
def _shipped_catalogue() -> core.Catalogue:
    return _parsed((files("mailbot") / "xcally.toml").read_text("utf-8"), "the shipped catalogue")


def _parsed(text: str, source: str) -> core.Catalogue:
    found = core.parse_catalogue(text)
    if isinstance(found, core.Catalogue):
        return found
    raise ConfigError(source, found)
