"""Searches through a SearXNG server, by langchain-community's wrapper."""

import asyncio
import json
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from replan.state.settings import settings
from replan.tools.protocol import ToolError
from replan.tools.search.provider import (
    SearchResult,
    refused_status,
    result,
    too_slow,
    without_results,
)

if TYPE_CHECKING:
    import aiohttp


class Searxng:
    """A SearXNG server that allows the format json; needs its address."""

    def missing(self) -> str:
        """Without an address there is no search."""
        url = settings().searxng_url or ""
        if not url:
            return "no SEARXNG_URL is set"
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname
        return "" if usable else "SEARXNG_URL is no address of a server"

    async def search(self, query: str, most: int, seconds: float) -> list[SearchResult]:
        """See `SearchProvider`."""
        import aiohttp

        wrapper = await asyncio.to_thread(_wrapper, settings().searxng_url or "")
        try:
            async with asyncio.timeout(seconds), _session() as session:
                wrapper.aiosession = _Session(session)
                found = await wrapper.aresults(query, most)
                # The wrapper's own results leave the date out.
                dates = {
                    one.get("url"): one.get("publishedDate") for one in wrapper._result.results
                }
        except TimeoutError as error:
            raise too_slow(seconds) from error
        except aiohttp.ClientResponseError as error:
            if error.status == 403:
                raise ToolError(
                    "the search service refuses the request: HTTP 403.",
                    "SearXNG answers in JSON only if its settings.yml allows the format json.",
                ) from error
            raise refused_status(error.status, "SEARXNG_URL") from error
        except aiohttp.ClientError as error:
            name = type(error).__name__
            raise ToolError(f"the search service cannot be reached: {name}.") from error
        except json.JSONDecodeError as error:
            raise ToolError("the search service sent an answer that is not JSON.") from error
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            # The wrapper takes the answer apart before we see it.
            raise without_results() from error
        return [
            result(one["title"], one["link"], one["snippet"], dates.get(one["link"]))
            for one in found
            if "link" in one
        ]


def _wrapper(url: str) -> Any:
    """In a thread: the import reads much from disk."""
    from langchain_community.utilities import SearxSearchWrapper

    # The server's address is its start page; searches are a page of their own.
    address = url.rstrip("/")
    host = address if address.endswith("/search") else f"{address}/search"
    return SearxSearchWrapper(searx_host=host)


def _session() -> "aiohttp.ClientSession":
    import aiohttp

    return aiohttp.ClientSession(raise_for_status=True, trust_env=True)


class _Session:
    """What the wrapper asks with: it says `verify` where aiohttp wants `ssl`."""

    def __init__(self, session: "aiohttp.ClientSession") -> None:
        self._session = session

    def get(
        self, url: str, *, headers: Any, params: Any, verify: bool
    ) -> AbstractAsyncContextManager[Any]:
        """The answer; any status but success is an error, which keeps the status."""
        return self._session.get(url, headers=headers, params=params)
