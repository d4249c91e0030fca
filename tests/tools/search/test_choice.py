"""Which provider a search goes to, by the settings."""

import pytest

from replan.state.settings import settings
from replan.tools.search.choice import choose_provider

KEY, URL = {"TAVILY_API_KEY": "tvly-x"}, {"SEARXNG_URL": "http://127.0.0.1:8888"}


@pytest.mark.parametrize(
    ("given", "name", "why"),
    [
        ({}, "", "no TAVILY_API_KEY is set"),
        (KEY, "Tavily", ""),
        (URL, "Searxng", ""),
        ({**KEY, **URL}, "Tavily", ""),
        ({**KEY, **URL, "REPLAN_SEARCH": "searxng"}, "Searxng", ""),
        ({**KEY, "REPLAN_SEARCH": "searxng"}, "", "no SEARXNG_URL is set"),
        ({**URL, "REPLAN_SEARCH": "tavily"}, "", "no TAVILY_API_KEY is set"),
        ({"SEARXNG_URL": "localhost:8888"}, "", "SEARXNG_URL is no address of a server"),
        ({"REPLAN_SEARCH": "ddgs"}, "DuckDuckGo", ""),
        ({**KEY, **URL, "REPLAN_SEARCH": "none"}, "", "REPLAN_SEARCH is none"),
    ],
)
def test_choice(
    given: dict[str, str], name: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for setting, value in given.items():
        monkeypatch.setenv(setting, value)
    settings.cache_clear()
    provider, missing = choose_provider()
    assert (type(provider).__name__ if provider else "", missing) == (name, why)
