"""A model for trials: a server on loopback that speaks OpenAI's protocol and says what fits.

Asked for JSON, it gives the first value that the schema allows; offered tools, it calls the first;
otherwise it gives a short text with a block of code.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

from aiohttp import web

Manner = Literal["fitting", "useless", "never"]
TEXT = "Here it is.\n```python\nprint(6)\n```"
_SECONDS = 3600.0


@asynccontextmanager
async def model_server(manner: Manner = "fitting") -> AsyncIterator[str]:
    """Serves on the running loop, and yields the base URL.

    Args:
        manner: `fitting` answers; `useless` ones, that fit nothing; or `never` any.
    """

    async def chat(request: web.Request) -> web.Response:
        body = await request.json()
        if manner == "never":
            await asyncio.sleep(_SECONDS)
        return web.json_response(_completion(body, useless=manner == "useless"))

    app = web.Application()
    app.router.add_post("/v1/chat/completions", chat)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    finally:
        await runner.cleanup()


def fitting(schema: dict[str, Any]) -> Any:
    """The first value, and the smallest, that a JSON schema allows."""
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return fitting(schema["anyOf"][0])
    kind = schema.get("type")
    if kind == "object":
        required = schema.get("required", [])
        return {name: fitting(schema["properties"][name]) for name in required}
    if kind == "array":
        return [fitting(schema["items"]) for _ in range(schema.get("minItems", 0))]
    if kind == "boolean":
        return False
    if kind in ("integer", "number"):
        return schema.get("minimum", 0)
    return "a text as asked for"[: schema.get("maxLength")].ljust(schema.get("minLength", 0), ".")


def _completion(body: dict[str, Any], useless: bool) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": ""}
    if useless:
        message["content"] = ""
    elif "tools" in body:
        function = body["tools"][0]["function"]
        arguments = json.dumps(fitting(function["parameters"]))
        message["tool_calls"] = [
            {
                "id": "call_0",
                "type": "function",
                "function": {"name": function["name"], "arguments": arguments},
            }
        ]
    elif "response_format" in body:
        schema = body["response_format"]["json_schema"]["schema"]
        message["content"] = json.dumps(fitting(schema))
    else:
        message["content"] = TEXT
    return {
        "id": "chatcmpl-trial",
        "object": "chat.completion",
        "created": 0,
        "model": body.get("model"),
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }
