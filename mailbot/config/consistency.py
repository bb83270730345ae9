"""What must fit together in a configuration: several keys looked at at once, whatever is wrong with the single ones.

Works on the sections as read, so that these faults stand in the same list as those of single keys.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from mailbot.core.base.address import fold_case, plain_address
from mailbot.core.base.config_faults import wrong
from mailbot.core.base.loopback import is_loopback

Raw = Mapping[str, Any]

_KEY_SIGNS = 26
_NUMBER_SIGNS = 7
_LOCAL_PART = 64  # RFC 5321 section 4.5.3.1.1


def not_built(raw: Raw) -> Iterator[str]:
    """A fault for each section of the contract that this version has nothing behind."""
    if "web" in raw:
        yield "web: not built in this version of mailbot, remove it"


def config_inconsistencies(raw: Raw) -> Iterator[str]:
    """Every fault that only shows when several keys are looked at together, one sentence each."""
    for check in _CHECKS:
        yield from check(raw)


def _staff_verifiable(raw: Raw) -> Iterator[str]:
    identity = _section(raw, "identity")
    if identity.get("staff", "key+verified") == "key+verified" and "authserv_id" not in identity:
        yield (
            "identity.authserv_id: missing, must be the name at the start of your mail server's"
            " Authentication-Results fields: without it no sender can be verified, and with identity.staff ="
            " 'key+verified' no decision would ever count"
        )


def _plain_stays_here(raw: Raw) -> Iterator[str]:
    for name in ("imap", "smtp"):
        section = _section(raw, name)
        host = section.get("host")
        if section.get("security") == "plain" and isinstance(host, str) and not is_loopback(host):
            yield (
                f"{name}.security: read 'plain', must be 'tls' or 'starttls' for {host!r}:"
                " passwords and mails would cross the network unencrypted (plain is for this machine only)"
            )


def _licence_server_private(raw: Raw) -> Iterator[str]:
    url = _section(raw, "licence_server").get("url")
    if isinstance(url, str) and url.startswith("http://") and not is_loopback(urlsplit(url).hostname or ""):
        yield wrong("licence_server.url", url, "https://... (http is for this machine only)")


def _login_whole(raw: Raw) -> Iterator[str]:
    smtp = _section(raw, "smtp")
    if ("username" in smtp) != ("password" in smtp):
        given, lacking = ("username", "password") if "username" in smtp else ("password", "username")
        yield f"smtp.{lacking}: missing, must be given where smtp.{given} is"


def _folders_differ(raw: Raw) -> Iterator[str]:
    defaults = {"folder": "INBOX", "done_folder": "Done", "quarantine_folder": "Quarantine"}
    names = {key: _section(raw, "imap").get(key, default) for key, default in defaults.items()}
    counts = Counter(name for name in names.values() if isinstance(name, str))
    for name, count in counts.items():
        if count > 1:
            keys = ", ".join(f"imap.{key}" for key, own in names.items() if own == name)
            yield f"{keys}: all read {name!r}, must be different folders"


def _somebody_decides(raw: Raw) -> Iterator[str]:
    if raw.get("staff") == []:
        yield "staff: empty, must have at least one member"


def _staff_distinct(raw: Raw) -> Iterator[str]:
    desk = _desk(raw)
    members = raw.get("staff")
    seen: dict[str, int] = {}
    for number, member in enumerate(members if isinstance(members, list) else (), 1):
        address = member.get("address") if isinstance(member, Mapping) else None
        if not isinstance(address, str):
            continue
        local, _, host = fold_case(address).rpartition("@")
        if desk and f"{local.partition('+')[0]}@{host}" == desk:
            yield wrong(f"staff.{number}.address", address, "another address than the desk's own (mailbot.address)")
        if fold_case(address) in seen:
            yield wrong(f"staff.{number}.address", address, f"given once (member {seen[fold_case(address)]} has it)")
        seen.setdefault(fold_case(address), number)


def _room_for_keys(raw: Raw) -> Iterator[str]:
    """A key travels in the local part: desk+lic-1234567.KEY@example.com must still be an address."""
    prefix = _section(raw, "mailbot").get("ticket_prefix", "LIC")
    desk = _desk(raw)
    if not desk or not isinstance(prefix, str) or _section(raw, "smtp").get("sub_addressing") is False:
        return
    room = _LOCAL_PART - len(f"+{prefix}-.") - _NUMBER_SIGNS - _KEY_SIGNS
    if len(desk.rpartition("@")[0]) > room >= 1:
        yield wrong(
            "mailbot.address",
            _section(raw, "mailbot")["address"],
            f"at most {room} characters before the @, to leave room for keys (or smtp.sub_addressing = false)",
        )


def _desk(raw: Raw) -> str | None:
    address = _section(raw, "mailbot").get("address")
    return fold_case(address) if isinstance(address, str) and plain_address(address) else None


def _section(raw: Raw, name: str) -> Raw:
    found = raw.get(name)
    return found if isinstance(found, Mapping) else {}


_CHECKS: tuple[Callable[[Raw], Iterator[str]], ...] = (
    _staff_verifiable,
    _plain_stays_here,
    _licence_server_private,
    _login_whole,
    _folders_differ,
    _somebody_decides,
    _staff_distinct,
    _room_for_keys,
)
