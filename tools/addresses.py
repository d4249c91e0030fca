"""Which addresses of the internet may be fetched: public ones, checked after name resolution."""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import SplitResult, urlsplit

from replan.tools.bounds import clipped
from replan.tools.protocol import ToolError

# A host and a port to the numeric addresses of the host.
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
# Why a numeric address must not be connected to; "" when it may.
Refuse = Callable[[str], str]

_PORTS = {"http": 80, "https": 443}
# Not public either, which not every version of Python knows: protocol assignments, where one
# cloud keeps its metadata; the relays of 6to4; site-local addresses.
_INNER = tuple(
    ipaddress.ip_network(network) for network in ("192.0.0.0/24", "192.88.99.0/24", "fec0::/10")
)
# Ranges through which an inner address can be reached in disguise.
_TUNNELS = tuple(
    ipaddress.ip_network(network) for network in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16")
)


async def resolve(host: str, port: int) -> list[str]:
    """The host's addresses by the system's resolver.

    Raises:
        ToolError: there are none.
    """
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ToolError(f"the host {clipped(host, 100)} is unknown.") from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def refusal(address: str) -> str:
    """Why a numeric address must not be connected to; "" when it is a public one."""
    try:
        numeric = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "it is no address"
    if isinstance(numeric, ipaddress.IPv6Address):
        inner = numeric.ipv4_mapped or _compatible(numeric)
        if inner:
            return refusal(str(inner))
        if any(numeric in network for network in _TUNNELS) or numeric.teredo:
            return "it leads through a tunnel"
    if any(numeric in network for network in _INNER):
        return "it is private"
    kinds = (
        ("is_loopback", "it is this machine's own"),
        ("is_link_local", "it is link-local, where clouds keep their metadata"),
        ("is_multicast", "it is multicast"),
        ("is_unspecified", "it is unspecified"),
        ("is_private", "it is private"),
        ("is_reserved", "it is reserved"),
    )
    for kind, why in kinds:
        if getattr(numeric, kind):
            return why
    return "" if numeric.is_global else "it is not public"


def _compatible(numeric: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The address that an old "IPv4-compatible" one (::1.2.3.4) holds."""
    value = int(numeric)
    return ipaddress.IPv4Address(value) if 1 < value < 2**32 else None


def checked_url(url: str, ports: Sequence[int]) -> tuple[SplitResult, str, int]:
    """The parts of an address, its host and its port.

    Raises:
        ToolError: it is no address of the web, holds a login, or names another port.
    """
    shown = clipped(url, 200)
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise ToolError(f"{shown!r} is no address.") from error
    if parts.scheme not in _PORTS or not host:
        raise ToolError(f"{shown!r} is no address of the web: it begins with http or https.")
    if parts.username is not None or parts.password is not None:
        raise ToolError("an address with a login is not fetched.")
    if any(ord(char) <= 32 for char in url.strip()):
        raise ToolError(f"{shown!r} is no address: it has blanks.")
    port = port or _PORTS[parts.scheme]
    if port not in ports:
        known = " and ".join(map(str, ports))
        raise ToolError(f"port {port} is not fetched from, only {known}.")
    return parts, host, port


async def allowed_address(host: str, port: int, resolve: Resolve, refuse: Refuse) -> str:
    """A numeric address of the host, to be connected to as it is: resolved again, a name could
    mean another one.

    Raises:
        ToolError: the host is unknown, or one of its addresses is refused.
    """
    found = await resolve(host, port)
    for address in found:
        if why := refuse(address):
            raise ToolError(f"{clipped(host, 100)} ({address}) is not fetched from: {why}.")
    if not found:
        raise ToolError(f"the host {clipped(host, 100)} is unknown.")
    return found[0]
