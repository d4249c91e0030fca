"""Which addresses are refused, and that a name is looked up once and then held to."""

import pytest

from replan.tools.addresses import allowed_address, checked_url, refusal, resolve
from replan.tools.protocol import ToolError

REFUSED = {
    "127.0.0.1": "own",
    "127.8.9.1": "own",
    "::1": "own",
    "0.0.0.0": "unspecified",
    "::": "unspecified",
    "10.0.0.1": "private",
    "172.16.5.5": "private",
    "192.168.1.1": "private",
    "fd00::1": "private",
    "169.254.169.254": "link-local",
    "fe80::1": "link-local",
    "fe80::1%eth0": "link-local",
    "100.64.0.1": "not public",
    "100.100.100.200": "not public",
    "192.0.0.192": "private",
    "198.18.0.1": "private",
    "224.0.0.1": "multicast",
    "ff02::1": "multicast",
    "240.0.0.1": "private",
    "255.255.255.255": "private",
    "::ffff:127.0.0.1": "own",
    "::ffff:10.0.0.1": "private",
    "::ffff:a9fe:a9fe": "link-local",
    "::127.0.0.1": "own",
    "64:ff9b::7f00:1": "tunnel",
    "2002:7f00:1::": "tunnel",
    "2001:0:7f00:1::": "tunnel",
    "fd00:ec2::254": "private",
    "fec0::1": "private",
    "192.88.99.1": "private",
    "no address": "no address",
}


@pytest.mark.parametrize(("address", "why"), REFUSED.items())
def test_refused(address: str, why: str) -> None:
    assert refusal(address)
    assert why in refusal(address)


@pytest.mark.parametrize("address", ["93.184.215.14", "8.8.8.8", "2606:4700::1111"])
def test_public_ones_are_allowed(address: str) -> None:
    assert refusal(address) == ""


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("file:///etc/passwd", "begins with http or https"),
        ("ftp://example.org/", "begins with http or https"),
        ("gopher://127.0.0.1:70/", "begins with http or https"),
        ("http://", "begins with http or https"),
        ("http://example.org:22/", "port 22 is not fetched from, only 80 and 443"),
        ("https://example.org:8443/", "port 8443"),
        ("http://user:pass@example.org/", "with a login"),
        ("http://example.org@127.0.0.1/", "with a login"),
        ("http://[::1", "is no address"),
        ("http://example.org:99999/", "is no address"),
        ("http://example.org/a b", "blanks"),
        ("http://example.org/\r\nHost: x", "blanks"),
    ],
)
def test_addresses_that_are_none(url: str, error: str) -> None:
    with pytest.raises(ToolError, match=error):
        checked_url(url, (80, 443))


# Ways to write 127.0.0.1 that a look at the text would let pass.
@pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1"])
async def test_a_name_is_judged_by_what_it_resolves_to(host: str) -> None:
    with pytest.raises(ToolError, match="not fetched from: it is this machine's own"):
        await allowed_address(host, 80, resolve, refusal)


async def test_one_inner_address_among_outer_ones_is_enough() -> None:
    async def both(host: str, port: int) -> list[str]:
        return ["93.184.215.14", "10.0.0.1"]

    with pytest.raises(ToolError, match="it is private"):
        await allowed_address("example.org", 80, both, refusal)


async def test_an_unknown_host() -> None:
    with pytest.raises(ToolError, match="is unknown"):
        await resolve("no-such-host.invalid", 80)
