"""A local server that speaks OpenAI's embeddings protocol: texts that share words are alike."""

import asyncio
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web


class EmbeddingServer:
    """What `embedding_server` yields.

    Attributes:
        url: base URL, ending in /v1.
        size: numbers of a vector.
        status: what it answers with; another than 200 is an error.
        delay: seconds before each answer.
        asked: every text received.
    """

    def __init__(self) -> None:
        self.url = ""
        self.size = 64
        self.status = 200
        self.delay = 0.0
        self.asked: list[str] = []

    async def _answer(self, request: web.Request) -> web.Response:
        body = await request.json()
        if self.status != 200:
            return web.json_response({"error": {"message": "scripted"}}, status=self.status)
        self.asked += body["input"]
        await asyncio.sleep(self.delay)
        data = [
            {"object": "embedding", "index": at, "embedding": self._vector(text)}
            for at, text in enumerate(body["input"])
        ]
        answer: dict[str, Any] = {"object": "list", "model": "m", "data": data, "usage": {}}
        return web.json_response(answer)

    def _vector(self, text: str) -> list[float]:
        """A count of words, by hash; never all zero."""
        vector = [0.01] * self.size
        for word in text.lower().split():
            vector[zlib.crc32(word.strip(".,?!").encode()) % self.size] += 1
        return vector


@contextmanager
def embedding_server(port: int = 0) -> Iterator[EmbeddingServer]:
    """Serve on loopback, on an event loop in a thread of its own.

    Args:
        port: where; 0 for a free one.
    """
    server = EmbeddingServer()
    loop = asyncio.new_event_loop()
    app = web.Application(client_max_size=50_000_000)
    app.router.add_post("/v1/embeddings", server._answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)

    async def start() -> None:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"

    loop.run_until_complete(start())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
