"""The configuration: every key with its type, default and limits; one ``ConfigError`` lists every fault.

``config.toml_file`` reads the values, ``config.value_types`` has the types, ``config.consistency`` the rules between keys.
"""

from collections.abc import Mapping, Sequence
from datetime import time
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, SecretStr, Strict, ValidationError

from mailbot.config.consistency import config_inconsistencies, not_built
from mailbot.config.toml_file import read_config
from mailbot.config.value_types import (
    Address,
    ClockTime,
    DatabaseUrl,
    File,
    Folder,
    Header,
    Host,
    Language,
    Line,
    Partner,
    Prefix,
    WebAddress,
    Zone,
)
from mailbot.core.base.config_faults import sentences

Security = Literal["tls", "starttls", "plain"]
_IMAP_PORTS = {"tls": 993, "starttls": 143, "plain": 143}
_SMTP_PORTS = {"tls": 465, "starttls": 587, "plain": 25}
_SECURITY = "'tls', 'starttls' or 'plain' (this machine only)"


class ConfigError(Exception):
    """The configuration cannot be used. ``faults`` has every reason, one sentence each, without secrets."""

    def __init__(self, source: str, faults: Sequence[str]) -> None:
        self.source, self.faults = source, tuple(faults)
        super().__init__("\n  ".join((f"{source}: {_counted(len(faults))}", *faults)))


def _counted(number: int) -> str:
    return "1 fault" if number == 1 else f"{number} faults"


def _whole(default: int, low: int, high: int) -> Any:
    return Field(default, ge=low, le=high, strict=True, description=f"a whole number from {low} to {high}")


class Section(BaseModel):
    """Base of all sections: immutable, and an unknown key is a fault."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class MailbotSection(Section):
    """The desk itself. ``data_dir`` holds the database; ``catalogue`` and ``templates`` replace those shipped with mailbot."""

    address: Address = Field(description="the desk's one plain address, such as 'licences@example.com'")
    name: Line = Field("License Desk", description="one line of text")
    time_zone: Zone = Field(description="the name of a time zone, such as 'Europe/Rome'")
    data_dir: Path = Field(Path("var"), description="the path of a folder")
    ticket_prefix: Prefix = Field("LIC", description="2 to 10 capital letters A-Z")
    language: Language = Field("en", description="a language code, such as 'en'")
    catalogue: File | None = Field(None, description="a file that exists")
    templates: Folder | None = Field(None, description="a folder that exists")
    public_url: WebAddress | None = Field(None, description="an address that begins with https:// or http://")


class DatabaseSection(Section):
    """The database. "<data_dir>" in ``url`` stands for ``mailbot.data_dir``."""

    url: DatabaseUrl = Field(
        SecretStr("sqlite:///<data_dir>/mailbot.db"),
        description="sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/NAME",
    )


class ImapSection(Section):
    """The mailbox that receives requests and replies."""

    host: Host = Field(description="the name of the IMAP server")
    security: Security = Field("tls", description=_SECURITY)
    port: int = Field(
        default_factory=lambda given: _IMAP_PORTS[given["security"]],
        ge=1, le=65535, strict=True, description="a whole number from 1 to 65535",
    )  # fmt: skip
    username: Line = Field(description="the name to log in with")
    password: SecretStr = Field(min_length=1, description="text, the password (or password_file, a file with it)")
    folder: Line = Field("INBOX", description="the name of a folder")
    done_folder: Line = Field("Done", description="the name of a folder")
    quarantine_folder: Line = Field("Quarantine", description="the name of a folder")
    poll_seconds: int = _whole(60, 1, 3600)
    spam_header: Header | None = Field(None, description="a header field as 'Name: value', such as 'X-Spam-Flag: YES'")


class SmtpSection(Section):
    """The server that sends our mails; without ``username`` there is no login."""

    host: Host = Field(description="the name of the SMTP server")
    security: Security = Field("tls", description=_SECURITY)
    port: int = Field(
        default_factory=lambda given: _SMTP_PORTS[given["security"]],
        ge=1, le=65535, strict=True, description="a whole number from 1 to 65535",
    )  # fmt: skip
    username: Line | None = Field(None, description="the name to log in with")
    password: SecretStr | None = Field(None, min_length=1, description="text, the password")
    connections: int = _whole(4, 1, 64)
    sub_addressing: Annotated[bool, Strict()] = Field(True, description="true or false")


class IdentitySection(Section):
    """How a sender is verified, and what an unverified one may do."""

    authserv_id: Host | None = Field(None, description="the name at the start of your server's Authentication-Results")
    staff: Literal["key+verified", "key"] = Field("key+verified", description="'key+verified' or 'key'")
    customers: Literal["verified-or-confirm", "confirm", "trust"] = Field(
        "verified-or-confirm", description="'verified-or-confirm', 'confirm' or 'trust'"
    )
    partners: tuple[Partner, ...] = Field(
        (), description="addresses and domains, such as 'anna@example.com' or '@example.com'"
    )


class StaffMember(Section):
    """A member of staff. Without ``name``, the address is the name."""

    address: Address = Field(description="one plain address, such as 'anna@example.com'")
    name: Line = Field(default_factory=lambda given: given["address"], description="one line of text")


class LicenceServerSection(Section):
    """The server that every ledger event is posted to, signed. A change applies once the server accepts it."""

    url: WebAddress = Field(description="an address that begins with https://, or http:// on this machine")
    secret: SecretStr = Field(min_length=16, description="text of at least 16 characters (or secret_file)")


class LimitsSection(Section):
    """The largest mail accepted, and how many replies are sent."""

    raw_mb: int = _whole(45, 1, 1000)
    replies_per_sender_per_day: int = _whole(10, 1, 10_000)
    replies_to_unknown_per_hour: int = _whole(60, 0, 100_000)


class TimersSection(Section):
    """When reminders and the digest go out, tickets close, and reply keys expire."""

    staff_reminder_hours: int = _whole(24, 1, 8760)
    digest_at: ClockTime = Field(time(8), description="a time of day, such as '08:00'")
    customer_reminder_days: int = _whole(3, 1, 365)
    close_after_days: int = _whole(14, 1, 3650)
    key_days: int = _whole(30, 1, 365)


class RetentionSection(Section):
    """How long raw mails are kept."""

    raw_days: int = _whole(365, 1, 36_500)


class Config(Section):
    """The whole configuration, checked."""

    mailbot: MailbotSection
    database: DatabaseSection = DatabaseSection()
    imap: ImapSection
    smtp: SmtpSection
    identity: IdentitySection = IdentitySection()
    staff: tuple[StaffMember, ...] = Field(description="at least one member, as [[staff]] with address and name")
    limits: LimitsSection = LimitsSection()
    timers: TimersSection = TimersSection()
    retention: RetentionSection = RetentionSection()
    licence_server: LicenceServerSection | None = Field(None, description="a section with url and secret")

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of business dates."""
        return ZoneInfo(self.mailbot.time_zone)

    @property
    def database_url(self) -> str:
        """The complete URL of the database, which may contain a password."""
        return self.database.url.get_secret_value().replace("<data_dir>", str(self.mailbot.data_dir))


def load_config(path: Path | None, environ: Mapping[str, str]) -> Config:
    """The configuration from ``path``, else the file in MAILBOT_CONFIG, else ./mailbot.toml; the environment overrides the file.

    Raises:
        ConfigError: with every fault.
    """
    reading = read_config(path, environ, Config)
    if not reading.complete:
        raise ConfigError(reading.source, reading.faults)
    faults = [*reading.faults, *not_built(reading.raw)]
    sections = {name: part for name, part in reading.raw.items() if name != "web"}
    try:
        # A missing required section counts as empty, so that the faults name its required keys.
        config = Config.model_validate({"mailbot": {}, "imap": {}, "smtp": {}, **sections})
    except ValidationError as error:
        faults += sentences(error, Config)
    faults += config_inconsistencies(sections)
    if faults:
        raise ConfigError(reading.source, faults)
    return config
