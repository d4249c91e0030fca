"""The forms in which one address of the web can be written, for rules to be matched against."""

import ipaddress
import re
import socket
from contextlib import suppress
from urllib.parse import SplitResult, unquote, urlsplit

_PORTS = {"http": 80, "https": 443}
_NUMBERS = re.compile(r"[0-9a-fx.]+", re.IGNORECASE)


def address_forms(url: str) -> list[str]:
    """All forms: a rule that refuses one of them refuses the address.

    As written and normalised (see `own_forms`); with the path that is asked for where none is
    written; with its escapes undone; without a port; with the host's name in its own script.
    """
    forms = own_forms(url)
    parts = _split(url)
    if parts is None:
        return forms
    hosts = [_host(parts)]
    with suppress(UnicodeError):
        hosts.append(hosts[0].encode("ascii").decode("idna"))
    path = parts.path or "/"
    for host in hosts:
        for port in (_port(parts), ""):
            forms += [_joined(parts, f"{host}{port}", form) for form in (path, unquote(path))]
    return list(dict.fromkeys(forms))


def own_forms(url: str) -> list[str]:
    """The address as written and normalised: a rule that allows both allows the address.

    Normalised, scheme and host are in lower case, the host in ASCII, without a dot at its end and,
    where it is a number, as numbers are usually written; login and usual port are left out.
    """
    parts = _split(url)
    if parts is None:
        return [url]
    return list(dict.fromkeys((url, _joined(parts, f"{_host(parts)}{_port(parts)}", parts.path))))


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url.strip())
        _ = parts.port  # which raises where it is none
    except ValueError:
        return None
    return parts if parts.hostname else None


def _host(parts: SplitResult) -> str:
    """The host as it is resolved."""
    host = unquote(parts.hostname or "")
    with suppress(UnicodeError):
        # As the resolver does it: other letters, and other dots, are the same to it.
        host = host.encode("idna").decode("ascii")
    host = host.lower().rstrip(".")
    with suppress(ValueError):
        return f"[{ipaddress.IPv6Address(host).compressed}]"
    if _NUMBERS.fullmatch(host):
        with suppress(OSError):
            return socket.inet_ntoa(socket.inet_aton(host))
    return host


def _port(parts: SplitResult) -> str:
    usual = _PORTS.get(parts.scheme)
    return "" if parts.port in (None, usual) else f":{parts.port}"


def _joined(parts: SplitResult, place: str, path: str) -> str:
    # The fragment is never asked for, and says nothing of the page.
    return parts._replace(netloc=place, path=path, fragment="").geturl()
