"""Searches through Tavily, by its own client."""

import asyncio
from typing import TYPE_CHECKING

from replan.state.settings import settings
from replan.tools.bounds import clipped
from replan.tools.protocol import ToolError
from replan.tools.search.provider import SearchResult, result, too_slow, without_results

if TYPE_CHECKING:
    from tavily import AsyncTavilyClient


class Tavily:
    """Tavily; needs a key."""

    def missing(self) -> str:
        """Without a key there is no search."""
        return "" if settings().tavily_api_key else "no TAVILY_API_KEY is set"

    async def search(self, query: str, most: int, seconds: float) -> list[SearchResult]:
        """See `SearchProvider`."""
        client = await asyncio.to_thread(_client)
        try:
            async with client:
                # The library's own limit counts each wait of the connection anew.
                answer = await asyncio.wait_for(
                    client.search(query, max_results=most, timeout=seconds), seconds
                )
        except Exception as error:
            raise await asyncio.to_thread(_explained, error, seconds) from error
        found = answer.get("results") if isinstance(answer, dict) else None
        if not isinstance(found, list):
            raise without_results()
        return [
            result(
                item.get("title"), item.get("url"), item.get("content"), item.get("published_date")
            )
            for item in found
            if isinstance(item, dict)
        ]


def _client() -> "AsyncTavilyClient":
    """In a thread: the first import and the certificates are read from disk."""
    from tavily import AsyncTavilyClient

    known = settings()
    key = known.tavily_api_key.get_secret_value() if known.tavily_api_key else None
    return AsyncTavilyClient(api_key=key, api_base_url=known.tavily_base_url)


def _explained(error: Exception, seconds: float) -> ToolError:
    import httpx
    import tavily.errors as of_tavily

    if isinstance(error, of_tavily.InvalidAPIKeyError):
        return ToolError("the search service refuses the key.", "Check TAVILY_API_KEY.")
    if isinstance(error, of_tavily.UsageLimitExceededError):
        return ToolError("the search service's usage limit is reached.", "Work without searching.")
    if isinstance(error, TimeoutError | of_tavily.TimeoutError):
        return too_slow(seconds)
    if isinstance(error, of_tavily.BadRequestError | of_tavily.ForbiddenError):
        return ToolError(
            f"the search service refuses the request: {clipped(str(error)) or 'no reason'}."
        )
    if isinstance(error, httpx.HTTPStatusError):
        return ToolError(f"the search service failed: HTTP {error.response.status_code}.")
    if isinstance(error, httpx.HTTPError):
        return ToolError(f"the search service cannot be reached: {type(error).__name__}.")
    if isinstance(error, AttributeError | TypeError | KeyError):
        # The client takes the answer apart before we see it.
        return without_results()
    if isinstance(error, ValueError):
        return ToolError("the search service sent an answer that is not JSON.")
    return ToolError(f"the search failed: {type(error).__name__}.")
