"""What the single values of a configuration must be: one type for each kind.

Where a check raises without words, the description of the key says what would be right.
"""

import string
from datetime import time
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, SecretStr
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from mailbot.core.base.address import plain_address
from mailbot.core.base.config_faults import suggestion


def _fits(good: bool) -> None:
    if not good:
        raise ValueError


def _line(text: str) -> str:
    _fits(text.isprintable() and bool(text.strip()))
    return text


def _host(text: str) -> str:
    _fits(text.isascii() and text.isprintable() and not set(text) & set(" /@") and bool(text))
    return text


def _address(text: str) -> str:
    _fits(plain_address(text) is not None)
    return text


def _partner(text: str) -> str:
    if plain_address(f"any{text}" if text.startswith("@") else text) is None:
        raise ValueError("an address or a domain, such as 'anna@example.com' or '@example.com'")
    return text


def _zone(name: str) -> str:
    if name not in _zones():
        raise ValueError(f"the name of a time zone, such as 'Europe/Rome'{suggestion(name, _zones())}")
    return name


@cache
def _zones() -> set[str]:
    """All names; they are gathered from some hundred files."""
    return available_timezones()


def _prefix(text: str) -> str:
    _fits(2 <= len(text) <= 10 and set(text) <= set(string.ascii_uppercase))
    return text


def _language(text: str) -> str:
    code, line, region = text.partition("_")
    _fits(2 <= len(code) <= 3 and set(code) <= set(string.ascii_lowercase))
    _fits(not line or (len(region) == 2 and set(region) <= set(string.ascii_uppercase)))
    return text


def _file(path: Path) -> Path:
    _fits(path.is_file())
    return path


def _folder(path: Path) -> Path:
    _fits(path.is_dir())
    return path


def _web_address(text: str) -> str:
    _fits(text.startswith(("https://", "http://")) and len(text.split()) == 1 and text.isascii())
    return text


def _database(url: SecretStr) -> SecretStr:
    text = url.get_secret_value()
    try:
        known = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise ValueError from error
    _fits(text.startswith("postgresql+psycopg://") or (text.startswith("sqlite:///") and bool(known.database)))
    if known.drivername.startswith("postgresql") and find_spec("psycopg") is None:
        raise ValueError(
            "an SQLite database, unless the PostgreSQL extra is installed: pip install 'mailbot[postgresql]'"
        )
    return url


def _header(text: str) -> str:
    name, colon, value = text.partition(":")
    _fits(bool(colon and name and value.strip()) and name.isascii() and " " not in name and text.isprintable())
    return text


def _clock_time(value: object) -> object:
    if isinstance(value, str):
        hour, _, minute = value.partition(":")
        _fits(len(hour) == len(minute) == 2 and f"{hour}{minute}".isascii() and f"{hour}{minute}".isdigit())
        _fits(int(hour) < 24 and int(minute) < 60)
        return time(int(hour), int(minute))
    _fits(isinstance(value, time))  # TOML's own 08:00:00
    return value


Line = Annotated[str, AfterValidator(_line)]
Host = Annotated[str, AfterValidator(_host)]
Address = Annotated[str, AfterValidator(_address)]
Partner = Annotated[str, AfterValidator(_partner)]
Zone = Annotated[str, AfterValidator(_zone)]
Prefix = Annotated[str, AfterValidator(_prefix)]
Language = Annotated[str, AfterValidator(_language)]
File = Annotated[Path, AfterValidator(_file)]
Folder = Annotated[Path, AfterValidator(_folder)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
DatabaseUrl = Annotated[SecretStr, AfterValidator(_database)]
Header = Annotated[str, AfterValidator(_header)]
ClockTime = Annotated[time, BeforeValidator(_clock_time)]
