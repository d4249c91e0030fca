"""DuckDuckGo through the library ddgs, whose engine is pointed at a local page."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web
from ddgs.engines.duckduckgo import Duckduckgo

from replan.state.settings import settings

ITEM = """
<div class="result"><div class="links_main result__body">
 <h2><a href="https://example.org/{n}">pgvector index {n}</a></h2>
 <a href="https://example.org/{n}">How an <b>index</b> of pgvector works</a></div></div>"""
PAGE = "<html><body>" + "".join(ITEM.format(n=n) for n in range(7)) + "</body></html>"


class Service:
    """The page for browsers without scripts, on loopback."""

    def __init__(self) -> None:
        self.status = 200
        self.body = PAGE
        self.delay = 0.0
        self.asked: list[dict[str, Any]] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(dict(await request.post()))
        await asyncio.sleep(self.delay)
        return web.Response(status=self.status, text=self.body, content_type="text/html")


@pytest.fixture
async def service(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Service]:
    service = Service()
    app = web.Application()
    app.router.add_post("/html/", service.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}/html/"
    monkeypatch.setattr(Duckduckgo, "search_url", address)
    monkeypatch.setenv("REPLAN_SEARCH", "ddgs")
    settings.cache_clear()
    yield service
    await runner.cleanup()


async def test_results(call: Callable[..., Any], service: Service) -> None:
    seen = await call("web_search", query="pgvector index")
    assert seen.ok, seen.error
    assert seen.text.count("https://example.org/") == 5
    assert "How an index of pgvector works" in seen.text
    assert [asked["q"] for asked in service.asked] == ["pgvector index"]


@pytest.mark.parametrize(
    ("status", "body"),
    [(401, "no"), (429, "slow down"), (500, "oops"), (200, "<html></html>"), (200, "\0")],
)
async def test_faults_of_the_service(
    call: Callable[..., Any], service: Service, status: int, body: str
) -> None:
    service.status, service.body = status, body
    seen = await call("web_search", query="x")
    assert seen.error.startswith("DuckDuckGo found nothing, or refuses to be asked so often.")


async def test_a_slow_service(call: Callable[..., Any], service: Service) -> None:
    service.delay = 5
    seen = await call("web_search", query="x", seconds=1)
    assert seen.error == "the search service did not answer within 1 s."


async def test_no_service(
    call: Callable[..., Any], service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Duckduckgo, "search_url", "http://127.0.0.1:1/html/")
    seen = await call("web_search", query="x")
    assert seen.error == "the search service cannot be reached: ConnectError."
