"""Which provider a search goes to."""

from replan.state.settings import settings
from replan.tools.search.duckduckgo import DuckDuckGo
from replan.tools.search.provider import SearchProvider
from replan.tools.search.searxng import Searxng
from replan.tools.search.tavily import Tavily

PROVIDERS: dict[str, type[SearchProvider]] = {
    "tavily": Tavily,
    "searxng": Searxng,
    "ddgs": DuckDuckGo,
}


def choose_provider() -> tuple[SearchProvider | None, str]:
    """The provider by the settings, or None and why there is none.

    `auto` takes Tavily with a key, otherwise SearXNG with an address. DuckDuckGo only when it is
    named: a question that leaves the machine was asked for by a setting.
    """
    wanted = settings().replan_search
    if wanted == "none":
        return None, "REPLAN_SEARCH is none"
    if wanted != "auto":
        provider = PROVIDERS[wanted]()
        why = provider.missing()
        return (None, why) if why else (provider, "")
    if settings().searxng_url and not settings().tavily_api_key:
        why = Searxng().missing()
        return (None, why) if why else (Searxng(), "")
    why = Tavily().missing()
    return (None, why) if why else (Tavily(), "")
