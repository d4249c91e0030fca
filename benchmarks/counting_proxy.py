"""Stands between the agents and the model server, and counts calls and tokens alike for all.

Each run gets a key of its own, so that a late answer never counts for the next run. Tokens are
those that the server names in its answers; of streams it asks for them where the agent does not.
"""

import json
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, web

_LONGEST_LINE = 2**22


@dataclass
class Tally:
    """What one run asked. Calls that broke off are in `model_calls`, not in `answered`."""

    model_calls: int = 0
    answered: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    model_seconds: float = 0.0

    def add(self, usage: dict[str, Any]) -> None:
        """Count one answer."""
        self.answered += 1
        self.input_tokens += int(usage.get("prompt_tokens") or 0)
        self.output_tokens += int(usage.get("completion_tokens") or 0)


class CountingProxy:
    """An OpenAI-compatible server on loopback that hands everything on to another one.

    Args:
        upstream: base URL of the model server, ending in /v1.
        key: its key.
        model: the model's name there; whatever name an agent asks for, it gets this one.
    """

    def __init__(self, upstream: str, key: str, model: str) -> None:
        self.url = ""
        self._upstream, self._key, self.model = upstream, key, model
        self._tallies: dict[str, Tally] = {}
        self._client: ClientSession

    def open(self) -> str:
        """A new key, under which is counted."""
        key = f"sk-{secrets.token_hex(12)}"
        self._tallies[key] = Tally()
        return key

    def close(self, key: str) -> Tally:
        """What was counted; the key is refused from now on."""
        return self._tallies.pop(key)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["CountingProxy"]:
        """Serve on a free port of the loopback, on the running loop."""
        app = web.Application(client_max_size=2**26)
        app.router.add_get("/v1/models", self._models)
        app.router.add_post("/v1/chat/completions", self._chat)
        # An agent that is killed takes its question back, or the next would wait for the answer.
        runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0.5
        )
        await runner.setup()
        timeout = ClientTimeout(total=None)
        async with ClientSession(timeout=timeout, read_bufsize=_LONGEST_LINE) as self._client:
            try:
                await web.TCPSite(runner, "127.0.0.1", 0).start()
                self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
                yield self
            finally:
                await runner.cleanup()

    async def _models(self, request: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": self.model}]})

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        sent = request.headers.get("Authorization", "").removeprefix("Bearer ")
        tally = self._tallies.get(sent)
        if tally is None:
            return web.json_response({"error": {"message": "unknown key"}}, status=401)
        body = await request.json()
        body["model"] = self.model
        options = body.get("stream_options") or {}
        if body.get("stream"):
            body["stream_options"] = {**options, "include_usage": True}
        tally.model_calls += 1
        began = time.monotonic()
        headers = {"Authorization": f"Bearer {self._key}"}
        url = f"{self._upstream}/chat/completions"
        try:
            async with self._client.post(url, json=body, headers=headers) as answer:
                if body.get("stream") and answer.status == 200:
                    asked = bool(options.get("include_usage"))
                    return await _stream(request, answer, tally, asked)
                raw = await answer.read()
        except ClientError as error:
            message = f"the model server broke off: {error}"
            return web.json_response({"error": {"message": message}}, status=502)
        finally:
            tally.model_seconds += time.monotonic() - began
        if usage := _usage(raw):
            tally.add(usage)
        return web.Response(body=raw, status=answer.status, content_type="application/json")


async def _stream(
    request: web.Request, answer: ClientResponse, tally: Tally, asked: bool
) -> web.StreamResponse:
    """Hand the events on; the one with the usage only to who asked for it."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    async for line in answer.content:
        data = line.removeprefix(b"data:").strip()
        usage = _usage(data) if line.startswith(b"data:") else None
        if usage:
            tally.add(usage)
            if not asked and not json.loads(data).get("choices"):
                continue
        await response.write(line)
    await response.write_eof()
    return response


def _usage(raw: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(raw)
    except ValueError:
        return None
    usage = value.get("usage") if isinstance(value, dict) else None
    return usage if isinstance(usage, dict) else None
