"""The tool that searches the web."""

from typing import Any, ClassVar

from replan.state.task import Observation
from replan.tools.bounds import clipped
from replan.tools.outside import outside
from replan.tools.protocol import CallContext, ToolError, schema
from replan.tools.search.choice import choose_provider
from replan.tools.search.provider import SearchResult

_RESULTS = 5
_EXCERPT = 600
_SECONDS = 20.0


class WebSearch:
    """Web search, by whichever provider the settings choose."""

    name = "web_search"
    description = "search the web; gives titles, addresses and excerpts"
    parameters: ClassVar[dict[str, Any]] = schema(
        ["query"],
        # 400 characters are what the services take.
        query={"type": "string", "minLength": 1, "maxLength": 400, "description": "the question"},
    )
    content = None
    content_language = ""
    repeatable = True
    reads_only = True
    subject = "query"
    leaves = True

    def unavailable(self) -> str:
        """Why nothing can be asked."""
        return choose_provider()[1]

    async def call(self, args: dict[str, Any], context: CallContext) -> Observation:
        """Search; whatever the service does wrong becomes a ToolError in plain words."""
        provider, why = choose_provider()
        if provider is None:
            raise ToolError(
                f"web_search is not available: {why}.",
                "Set TAVILY_API_KEY, or SEARXNG_URL, or REPLAN_SEARCH=ddgs.",
            )
        seconds = min(context.seconds, _SECONDS)
        found = (await provider.search(str(args["query"]), _RESULTS, seconds))[:_RESULTS]
        if not found:
            return Observation(ok=True, text="The search found nothing.")
        numbered = [f"{number}. {_shown(one)}" for number, one in enumerate(found, 1)]
        return Observation(
            ok=True,
            text=outside("\n".join(numbered), "Search results"),
            sources=[clipped(one.address, 300) for one in found],
        )


def _shown(one: SearchResult) -> str:
    date = f" ({clipped(one.date, 30)})" if one.date else ""
    lines = (clipped(one.title) + date, clipped(one.address, 300), clipped(one.excerpt, _EXCERPT))
    return "\n   ".join(lines)
