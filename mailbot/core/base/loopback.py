"""Which hosts are this machine: a connection to one cannot be overheard on a network."""

from ipaddress import ip_address

from mailbot.core.base.address import fold_case


def is_loopback(host: str) -> bool:
    """Whether ``host`` is ``localhost`` or a loopback address (127.0.0.0/8, ::1). No name is resolved."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return fold_case(host) == "localhost"
