"""Searches through DuckDuckGo's page for browsers without scripts, by the library ddgs."""

import asyncio
from typing import Any

from replan.tools.protocol import ToolError
from replan.tools.search.provider import SearchResult, result, too_slow


class DuckDuckGo:
    """DuckDuckGo; needs nothing, and promises nothing: it limits how often it is asked."""

    def missing(self) -> str:
        """It is always there."""
        return ""

    async def search(self, query: str, most: int, seconds: float) -> list[SearchResult]:
        """See `SearchProvider`."""
        try:
            async with asyncio.timeout(seconds):
                found = await asyncio.to_thread(_search, query, most, seconds)
        except TimeoutError as error:
            raise too_slow(seconds) from error
        except Exception as error:
            raise _explained(error, seconds) from error
        return [result(item.get("title"), item.get("href"), item.get("body")) for item in found]


def _search(query: str, most: int, seconds: float) -> list[dict[str, Any]]:
    from ddgs import DDGS

    # One service by name: the library's "auto" would pass the question on to ten.
    client = DDGS(timeout=max(1, int(seconds)))
    return client.text(query, max_results=most, backend="duckduckgo")


def _explained(error: Exception, seconds: float) -> ToolError:
    from ddgs.exceptions import DDGSException, TimeoutException

    if isinstance(error, TimeoutException):
        return too_slow(seconds)
    if isinstance(error, DDGSException) and "No results found" in str(error):
        # The library does not tell an empty answer from a refused one.
        return ToolError(
            "DuckDuckGo found nothing, or refuses to be asked so often.",
            "Ask in other words, or work without searching.",
        )
    if isinstance(error, DDGSException) and "ConnectError" in str(error):
        return ToolError("the search service cannot be reached: ConnectError.")
    return ToolError(f"the search failed: {type(error).__name__}.")
