"""Fetches an address of the web: checked at every hop, bounded in time, size and redirects."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from replan.tools.addresses import Refuse, Resolve, allowed_address, checked_url, refusal, resolve
from replan.tools.bounds import clipped
from replan.tools.protocol import ToolError

if TYPE_CHECKING:
    import httpx2

Admit = Callable[[str], Awaitable[None]]

_REDIRECTS = 5
_MOST_BYTES = 8_000_000
_ACCEPT = "text/html, application/xhtml+xml, application/pdf, text/*;q=0.9, */*;q=0.1"


@dataclass(frozen=True)
class Fetched:
    """What came: the address it came from at last, its bytes as they are without compression,
    its media type in lower case, and the charset that the server named, "" for none.
    """

    address: str
    content: bytes
    media_type: str
    charset: str


@dataclass(frozen=True)
class Fetcher:
    """Fetches public addresses.

    Attributes:
        ports: the ports that may be asked.
        most_bytes: how long an answer may be, compressed and not.
        resolve: finds the addresses of a host.
        refuse: says why one of them must not be connected to.
    """

    ports: Sequence[int] = (80, 443)
    most_bytes: int = _MOST_BYTES
    resolve: Resolve = field(default=resolve)
    refuse: Refuse = field(default=refusal)

    async def fetch(self, url: str, seconds: float, admit: Admit | None = None) -> Fetched:
        """What is at the address.

        Args:
            url: the address.
            seconds: how long it may take.
            admit: is asked about the address of every redirect; raises ToolError to refuse it.

        Raises:
            ToolError: it must not be fetched, cannot be reached, or exceeds a limit.
        """
        import httpx2

        client = await asyncio.to_thread(_client, seconds)
        try:
            async with asyncio.timeout(seconds), client:
                return await self._follow(client, url, admit)
        except (TimeoutError, httpx2.TimeoutException) as error:
            raise ToolError(f"the page did not come within {seconds:g} s.") from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            said = clipped(str(error)) or type(error).__name__
            raise ToolError(f"the page cannot be fetched: {said}.") from error

    async def _follow(self, client: "httpx2.AsyncClient", url: str, admit: Admit | None) -> Fetched:
        for _ in range(_REDIRECTS + 1):
            request = await self._request(client, url)
            response = await client.send(request, stream=True)
            try:
                if response.has_redirect_location:
                    url = urljoin(url, response.headers["location"])
                    if admit is not None:
                        await admit(url)
                    continue
                if response.status_code >= 400:
                    raise ToolError(f"the page cannot be fetched: HTTP {response.status_code}.")
                media_type = response.headers.get("content-type", "")
                return Fetched(
                    address=url,
                    content=await self._content(response),
                    media_type=media_type.partition(";")[0].strip().lower(),
                    charset=response.charset_encoding or "",
                )
            finally:
                await response.aclose()
        raise ToolError(f"the page redirects more than {_REDIRECTS} times.")

    async def _request(self, client: "httpx2.AsyncClient", url: str) -> "httpx2.Request":
        """A request to the very address that was checked, in the name of the host."""
        import httpx2

        _, host, port = checked_url(url, self.ports)
        address = await allowed_address(host, port, self.resolve, self.refuse)
        target = httpx2.URL(url.strip())
        named = target.netloc.decode("ascii")
        return client.build_request(
            "GET",
            target.copy_with(host=address, fragment=None),
            headers={"Host": named},
            # TLS asks for, and checks, the host's certificate and not the address's.
            extensions={"sni_hostname": target.raw_host.decode("ascii")},
        )

    async def _content(self, response: "httpx2.Response") -> bytes:
        """The body, unpacked step by step: 8 KB can unpack to 8 MB."""
        encoding = response.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ("identity", "", "gzip", "deflate"):
            raise ToolError(f"the page is packed in an unknown way: {clipped(encoding, 40)}.")
        packed = encoding in ("gzip", "deflate")
        unpacker = zlib.decompressobj(47)  # gzip or zlib, as its header says
        content, received = bytearray(), 0
        try:
            async for chunk in response.aiter_raw():
                received += len(chunk)
                room = self.most_bytes + 1 - len(content)
                content += unpacker.decompress(chunk, room) if packed else chunk
                if max(len(content), received) > self.most_bytes:
                    raise ToolError(f"the page is longer than {self.most_bytes / 1e6:g} MB.")
        except zlib.error as error:
            raise ToolError("the page is packed in a broken way.") from error
        return bytes(content)


def _client(seconds: float) -> Any:
    """In a thread: the certificates are read from disk. No proxy: it would resolve by itself."""
    import httpx2

    headers = {"Accept": _ACCEPT, "Accept-Encoding": "gzip, deflate", "User-Agent": "replan/0.1"}
    limits = httpx2.Limits(max_keepalive_connections=0)
    return httpx2.AsyncClient(
        headers=headers, limits=limits, timeout=seconds, trust_env=False, follow_redirects=False
    )
