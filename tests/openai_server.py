"""A local server that speaks OpenAI's chat-completions protocol and answers from a script.

It stands in for OpenAI in all tests: real HTTP, real client, scripted answers.

    async with openai_server(["hello", {"tool": "python"}]) as server:
        ...  # server.url ends in /v1, server.requests holds the bodies received

`openai_server_in_thread` is the same on a thread of its own, for clients in other processes.
"""

import asyncio
import inspect
import json
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web


@dataclass
class Reply:
    """One answer, for what a plain string or JSON value cannot say.

    `tool_calls` are (name, arguments) pairs; arguments that are a str are sent as they are.
    `raw` replaces the whole response body. `delay` is in seconds, before anything is sent. `cut`
    is where the answer breaks off: "connection" after its first part, or "stream", which then ends
    as if all were said.
    """

    content: Any = ""
    status: int = 200
    tool_calls: Sequence[tuple[str, dict[str, Any] | str]] = ()
    finish_reason: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    refusal: str | None = None
    raw: str | None = None
    cut: Literal["", "connection", "stream"] = ""


Answer = Any  # str, Reply, or anything that is sent as JSON text
Script = list[Answer] | Callable[[dict[str, Any]], Answer | Awaitable[Answer]]


class OpenAIServer:
    """What the context managers yield.

    Attributes:
        url: base URL, ending in /v1.
        requests: bodies of the chat requests, in the order received, refused ones too.
        authorizations: the Authorization header of every request, also of GET /models.
    """

    def __init__(self, script: Script, key: str | None, models: Sequence[str] | None) -> None:
        self.url = ""
        self.requests: list[dict[str, Any]] = []
        self.authorizations: list[str] = []
        self._script = script
        self._key = key
        self._models = models
        self._answered = 0

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/v1/models", self._list_models)
        app.router.add_post("/v1/chat/completions", self._chat)
        return app

    def _refused(self, request: web.Request) -> web.Response | None:
        sent = request.headers.get("Authorization", "")
        self.authorizations.append(sent)
        if self._key is not None and sent != f"Bearer {self._key}":
            return _error(401, "Incorrect API key provided.", "invalid_api_key")
        return None

    async def _list_models(self, request: web.Request) -> web.Response:
        if refused := self._refused(request):
            return refused
        if self._models is None:
            return web.Response(status=404, text="404: Not Found")
        data = [{"id": name, "object": "model", "owned_by": "tests"} for name in self._models]
        return web.json_response({"object": "list", "data": data})

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.requests.append(body)
        if refused := self._refused(request):
            return refused
        if self._models is not None and body.get("model") not in self._models:
            message = f"The model `{body.get('model')}` does not exist"
            return _error(404, message, "model_not_found")
        reply = await self._next(body)
        if reply.delay:
            await asyncio.sleep(reply.delay)
        if reply.raw is not None:
            return web.Response(
                status=reply.status,
                text=reply.raw,
                headers=reply.headers,
                content_type="application/json",
            )
        if reply.status != 200:
            return _error(reply.status, _text(reply.content), "scripted", reply.headers)
        if body.get("stream"):
            return await _stream(request, body, reply)
        if reply.cut:
            return await _cut(request, json.dumps(_completion(body, reply)).encode())
        return web.json_response(_completion(body, reply), headers=reply.headers)

    async def _next(self, body: dict[str, Any]) -> Reply:
        if callable(self._script):
            answer = self._script(body)
            if inspect.isawaitable(answer):
                answer = await answer
        elif self._answered < len(self._script):
            answer = self._script[self._answered]
        else:
            answer = Reply(status=400, content="the test's script has no more answers")
        self._answered += 1
        return answer if isinstance(answer, Reply) else Reply(content=answer)


@asynccontextmanager
async def openai_server(
    script: Script,
    *,
    key: str | None = "test-key",
    models: Sequence[str] | None = ("scripted",),
) -> AsyncIterator[OpenAIServer]:
    """Serve on a free loopback port, on the running loop.

    Args:
        script: answers used up in order, or a function from request body to answer.
        key: the only key that is accepted; None accepts anything.
        models: names that GET /models lists; None answers 404 there and takes any name.
    """
    server = OpenAIServer(script, key, models)
    runner = web.AppRunner(server.app(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        yield server
    finally:
        await runner.cleanup()


@contextmanager
def openai_server_in_thread(
    script: Script,
    *,
    key: str | None = "test-key",
    models: Sequence[str] | None = ("scripted",),
) -> Iterator[OpenAIServer]:
    """As `openai_server`, on an event loop in a thread of its own."""
    started: list[OpenAIServer | BaseException] = []
    ready = threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        try:
            async with openai_server(script, key=key, models=models) as server:
                started.append(server)
                ready.set()
                await stop.wait()
        except BaseException as error:
            started.append(error)
            ready.set()
            raise

    def run() -> None:
        loop.run_until_complete(serve())
        for task in asyncio.all_tasks(loop):  # answers that nobody waits for any more
            task.cancel()
            with suppress(asyncio.CancelledError):
                loop.run_until_complete(task)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    ready.wait(10)
    try:
        if not started or isinstance(started[0], BaseException):
            raise RuntimeError(f"the scripted server did not start: {started}")
        yield started[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()


def _text(content: Any) -> str:
    return content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)


def _error(
    status: int, message: str, code: str, headers: dict[str, str] | None = None
) -> web.Response:
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return web.json_response({"error": error}, status=status, headers=headers)


def _tool_calls(reply: Reply) -> list[dict[str, Any]]:
    return [
        {
            "id": f"call_{number}",
            "type": "function",
            "function": {"name": name, "arguments": _text(arguments)},
        }
        for number, (name, arguments) in enumerate(reply.tool_calls)
    ]


def _finish_reason(reply: Reply) -> str:
    return reply.finish_reason or ("tool_calls" if reply.tool_calls else "stop")


def count_tokens(text: Any) -> int:
    """The server's own counting: words, of a text or of a JSON value written out."""
    return len(_text(text).split())


def _usage(body: dict[str, Any], reply: Reply) -> dict[str, Any]:
    sent = sum(count_tokens(message.get("content") or "") for message in body["messages"])
    answered = count_tokens(reply.content) + sum(
        1 + count_tokens(arguments) for _, arguments in reply.tool_calls
    )
    return {"prompt_tokens": sent, "completion_tokens": answered, "total_tokens": sent + answered}


def _envelope(body: dict[str, Any], kind: str) -> dict[str, Any]:
    return {
        "id": "chatcmpl-scripted",
        "object": kind,
        "created": int(time.time()),
        "model": body.get("model"),
    }


def _completion(body: dict[str, Any], reply: Reply) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": _text(reply.content)}
    if reply.refusal is not None:
        message |= {"content": None, "refusal": reply.refusal}
    if reply.tool_calls:
        message["tool_calls"] = _tool_calls(reply)
    choice = {"index": 0, "message": message, "finish_reason": _finish_reason(reply)}
    return {
        **_envelope(body, "chat.completion"),
        "choices": [choice],
        "usage": _usage(body, reply),
    }


def _deltas(reply: Reply) -> Iterator[dict[str, Any]]:
    yield {"role": "assistant", "content": ""}
    if reply.refusal is not None:
        yield {"refusal": reply.refusal}
        return
    text = _text(reply.content)
    for start in range(0, len(text), 20):
        yield {"content": text[start : start + 20]}
    for index, call in enumerate(_tool_calls(reply)):
        yield {"tool_calls": [{"index": index, **call}]}


async def _stream(request: web.Request, body: dict[str, Any], reply: Reply) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", **reply.headers})
    await response.prepare(request)
    envelope = _envelope(body, "chat.completion.chunk")

    async def send(data: str) -> None:
        await response.write(f"data: {data}\n\n".encode())

    for number, delta in enumerate(_deltas(reply)):
        choice = {"index": 0, "delta": delta, "finish_reason": None}
        await send(json.dumps({**envelope, "choices": [choice]}))
        if reply.cut and number:
            if reply.cut == "connection":
                await _abort(request)
            return response
    end = {"index": 0, "delta": {}, "finish_reason": _finish_reason(reply)}
    await send(json.dumps({**envelope, "choices": [end]}))
    if (body.get("stream_options") or {}).get("include_usage"):
        await send(json.dumps({**envelope, "choices": [], "usage": _usage(body, reply)}))
    await send("[DONE]")
    await response.write_eof()
    return response


async def _cut(request: web.Request, body: bytes) -> web.StreamResponse:
    """Half of a body whose length was told."""
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    await _abort(request)
    return response


async def _abort(request: web.Request) -> None:
    await asyncio.sleep(0.05)  # what was written gets there
    assert request.transport is not None
    request.transport.abort()
