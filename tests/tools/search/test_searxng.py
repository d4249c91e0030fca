"""SearXNG through langchain-community's own client, against a server that speaks its protocol."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web
from blockbuster import blockbuster_ctx

from replan.state.settings import settings

RESULTS = [
    {
        "title": f"Title {n}",
        "url": f"https://example.org/{n}",
        "content": "word " * 400,
        "engines": ["brave"],
        "category": "general",
        "publishedDate": "2026-03-01T00:00:00" if n == 0 else None,
    }
    for n in range(8)
]


class Service:
    """The /search page of SearXNG, on loopback."""

    def __init__(self) -> None:
        self.status = 200
        self.body: Any = {"query": "q", "results": RESULTS, "answers": [], "suggestions": []}
        self.delay = 0.0
        self.asked: list[dict[str, str]] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(dict(request.query))
        await asyncio.sleep(self.delay)
        if isinstance(self.body, str):
            return web.Response(status=self.status, text=self.body)
        return web.json_response(self.body, status=self.status)


@pytest.fixture
async def service(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Service]:
    service = Service()
    app = web.Application()
    app.router.add_get("/search", service.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    monkeypatch.setenv("SEARXNG_URL", f"http://127.0.0.1:{runner.addresses[0][1]}/")
    settings.cache_clear()
    yield service
    await runner.cleanup()


async def test_results_with_their_date(call: Callable[..., Any], service: Service) -> None:
    settings()
    with blockbuster_ctx():
        seen = await call("web_search", query="pgvector index")
    assert seen.ok, seen.error
    assert seen.text.count("https://example.org/") == 5
    assert "1. Title 0 (2026-03-01T00:00:00)\n   https://example.org/0\n   word word" in seen.text
    assert "2. Title 1\n" in seen.text
    assert service.asked[0]["q"] == "pgvector index"
    assert service.asked[0]["format"] == "json"


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, "no", "refuses the key. Check SEARXNG_URL."),
        (403, "no", "only if its settings.yml allows the format json"),
        (429, "slow down", "usage limit is reached"),
        (500, "oops", "failed: HTTP 500"),
        (200, "<html>", "not JSON"),
        (200, [1], "without results"),
        (200, {"results": None}, "without results"),
        (200, {"results": [{"title": "no address"}]}, "without results"),
    ],
)
async def test_faults_of_the_service(
    call: Callable[..., Any], service: Service, status: int, body: Any, error: str
) -> None:
    service.status, service.body = status, body
    seen = await call("web_search", query="x")
    assert not seen.ok
    assert error in seen.error


async def test_nothing_found(call: Callable[..., Any], service: Service) -> None:
    service.body = {"results": []}
    assert (await call("web_search", query="x")).text == "The search found nothing."


async def test_a_slow_service(call: Callable[..., Any], service: Service) -> None:
    service.delay = 5
    seen = await call("web_search", query="x", seconds=0.5)
    assert seen.error == "the search service did not answer within 0.5 s."


async def test_no_service(call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEARXNG_URL", "http://127.0.0.1:1")
    settings.cache_clear()
    seen = await call("web_search", query="x")
    assert seen.error == "the search service cannot be reached: ClientConnectorError."
