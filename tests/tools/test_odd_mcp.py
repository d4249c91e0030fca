"""An MCP server whose tools are odd harms nobody."""

import asyncio
import sys
import warnings
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from aiohttp import web
from jsonschema import Draft202012Validator

from replan.state.approval import parse_rule
from replan.state.mcp_servers import McpServer
from replan.state.task import Action
from replan.tools.arguments import validate
from replan.tools.mcp import McpServerDown, close_servers, mcp_tools
from replan.tools.policy import Policy
from replan.tools.toolbox import Toolbox
from replan.tools.workspace import Workspace

SERVER = Path(__file__).parents[1] / "odd_mcp_server.py"


@pytest.fixture
async def asked() -> AsyncIterator[tuple[str, list[str]]]:
    """An address that answers with a schema, and the requests it gets."""
    requests: list[str] = []

    async def schema(request: web.Request) -> web.Response:
        requests.append(request.path)
        return web.json_response({"type": "string"})

    app = web.Application()
    app.router.add_get("/schema.json", schema)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/schema.json", requests
    await runner.cleanup()


class Remote(McpServerDown):
    """A tool whose schema refers to an address."""

    def __init__(self, url: str) -> None:
        self.parameters = {"type": "object", "properties": {"a": {"$ref": url}}}


async def test_odd_schemas(
    workspace: Workspace, asked: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    url, requests = asked
    odd = McpServer(command=sys.executable, args=[str(SERVER), url])
    tools = await mcp_tools({"odd": odd}, str(uuid4()))
    toolbox = Toolbox(workspace, 20, tools, Policy((parse_rule("allow:*"),)))
    names = toolbox.names()
    assert len(names) <= 40
    assert "mcp__odd__plain" in names
    for unfit in ("dangling", "no_schema", "huge"):
        assert f"mcp__odd__{unfit}" not in names
    lines = toolbox.describe().splitlines()
    assert all(line.startswith("- ") for line in lines)
    assert max(map(len, lines)) < 300
    seen = await toolbox.call(Action(tool="mcp__odd__plain"))
    assert seen.ok
    assert seen.text.splitlines()[2] == "(nothing)"

    assert "mcp__odd__remote" not in names
    bad = await toolbox.call(Action(tool="mcp__odd__recursive", args={"left": 3}))
    assert "left: 3 is not of type 'object'" in bad.error
    good = await toolbox.call(Action(tool="mcp__odd__recursive", args={"left": {}}))
    assert good.text.splitlines()[2] == "recursive\\x00"
    with pytest.raises(Exception, match="Unresolvable"):
        validate(Remote(url), {"a": 3})
    assert requests == []
    await close_servers()
    # The validator left to itself would fetch it.
    schema = {"properties": {"a": {"$ref": url}}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        await asyncio.to_thread(Draft202012Validator(schema).validate, {"a": "x"})
    assert requests == ["/schema.json"]
