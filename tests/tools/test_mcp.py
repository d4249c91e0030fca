"""The tools of real MCP servers, over stdio and over streamable HTTP."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import pytest
from blockbuster import blockbuster_ctx

from replan.state.approval import parse_rule
from replan.state.mcp_servers import McpServer
from replan.state.task import Action, Observation
from replan.tools.mcp import close_servers, mcp_tools, public_name
from replan.tools.policy import Policy
from replan.tools.toolbox import Toolbox, default_tools
from replan.tools.workspace import Workspace

SERVER = Path(__file__).parents[1] / "mcp_server.py"
SECRET = "s3cret-0123456789"
ALLOWED = Policy((parse_rule("allow:mcp__*"),))

Call = Callable[..., Awaitable[Observation]]


def stdio(**fields: Any) -> McpServer:
    return McpServer(command=sys.executable, args=[str(SERVER), "stdio"], **fields)


@pytest.fixture(autouse=True)
async def ended() -> AsyncIterator[None]:
    yield
    await close_servers()


@pytest.fixture
def run() -> str:
    return str(uuid4())


async def box(workspace: Workspace, servers: dict[str, McpServer], run: str) -> Toolbox:
    tools = [*default_tools(), *await mcp_tools(servers, run)]
    return Toolbox(workspace, 20, tools, ALLOWED)


async def ask(toolbox: Toolbox, tool: str, limit: float = 20, **args: Any) -> Observation:
    return await toolbox.call(Action(tool=f"mcp__things__{tool}", args=args), limit)


def inner(seen: Observation) -> str:
    """What stands between the marks of data from outside."""
    return "\n".join(seen.text.splitlines()[2:-1])


async def test_results_of_every_kind(workspace: Workspace, run: str) -> None:
    toolbox = await box(workspace, {"things": stdio()}, run)
    added = await ask(toolbox, "add", a=2, b=3)
    assert added.ok
    assert inner(added) == "5"
    assert added.text.startswith("MCP server things: data from outside.")
    failed = await ask(toolbox, "fail", why="no such row")
    assert not failed.ok
    assert "no such row" in failed.error
    seen = await ask(toolbox, "picture")
    assert inner(seen).endswith("[image image/png, about 108 bytes, not shown]")
    long = await ask(toolbox, "echo", text="x" * 100_000)
    assert long.ok
    assert len(long.text) < 5000
    assert "left out" in long.text
    nested = await ask(toolbox, "move", point={"x": 1, "y": 2}, by=[3])
    assert inner(nested) == "4,2"
    wrong = await ask(toolbox, "add", a="two", b=3)
    assert "wrong arguments for mcp__things__add: a: 'two' is not of type 'integer'" in wrong.error


async def test_what_the_model_is_told_of_them(workspace: Workspace, run: str) -> None:
    toolbox = await box(workspace, {"things": stdio()}, run)
    lines = toolbox.describe().splitlines()
    assert "- mcp__things__add(a, b): Adds two whole numbers." in lines
    # A description of many lines cannot stand for lines of the prompt's own.
    assert [line for line in lines if not re.match(r"- \w+\(", line)] == []
    point = toolbox.get("mcp__things__move").parameters["properties"]["point"]
    assert point["properties"]["x"]["type"] == "integer"  # no $ref is left
    assert "mcp__" not in (await box(workspace, {}, run)).describe()


async def test_a_server_is_kept_for_its_run_and_ended_with_it(
    workspace: Workspace, run: str
) -> None:
    servers = {"things": stdio()}

    async def pid(of: str) -> int:
        seen = await ask(await box(workspace, servers, of), "process")
        return int(inner(seen))

    first, other = await pid(run), await pid(f"{run}-other")
    assert await pid(run) == first != other
    await close_servers(run)
    assert not psutil.pid_exists(first)
    assert await pid(f"{run}-other") == other
    assert await pid(run) != first


async def test_a_server_that_dies_is_started_anew_by_the_next_call(
    workspace: Workspace, run: str, tmp_path: Path
) -> None:
    starts = tmp_path / "starts"
    server = stdio(env={"STARTS": str(starts)})
    toolbox = await box(workspace, {"things": server}, run)
    dead = await ask(toolbox, "die")
    assert not dead.ok
    assert "the MCP server things ended during the call" in dead.error
    assert (await toolbox.call(Action(tool="list_files"))).ok  # the others go on
    assert (await ask(toolbox, "add", a=1, b=1)).ok
    assert starts.read_text() == "started\n" * 2

    # Killed between two calls.
    pid = int(inner(await ask(toolbox, "process")))
    os.kill(pid, signal.SIGKILL)
    await asyncio.sleep(0.3)
    seen = await ask(toolbox, "add", a=1, b=1)
    if not seen.ok:
        assert "things" in seen.error
        seen = await ask(toolbox, "add", a=1, b=1)
    assert seen.ok, seen.error


async def test_a_server_that_hangs(workspace: Workspace, run: str) -> None:
    toolbox = await box(workspace, {"things": stdio()}, run)
    pid = int(inner(await ask(toolbox, "process")))
    began = time.monotonic()
    seen = await ask(toolbox, "hang", 0.5, seconds=60)
    assert time.monotonic() - began < 3
    assert seen.reason == "time limit"
    assert "did not answer within 0.5 s" in seen.error
    assert (await ask(toolbox, "add", a=1, b=1)).ok
    for _ in range(200):
        if not psutil.pid_exists(pid):
            break
        await asyncio.sleep(0.1)
    assert not psutil.pid_exists(pid)


async def test_servers_that_do_not_start(workspace: Workspace, run: str, tmp_path: Path) -> None:
    late = tmp_path / "late.py"
    servers = {
        "gone": McpServer(command="/nowhere/server"),
        "ends": McpServer(command=sys.executable, args=["-c", "raise SystemExit(1)"]),
        "mute": McpServer(
            command=sys.executable, args=["-c", "import time; time.sleep(60)"], start_seconds=1
        ),
        "locked": stdio(env={"TOKEN": "${NO_SUCH_VARIABLE}"}),
        "closed": McpServer(url="http://127.0.0.1:9/mcp"),
        "later": McpServer(command=sys.executable, args=[str(late)]),
        "things": stdio(),
    }
    toolbox = await box(workspace, servers, run)
    down = {tool.name: tool.unavailable() for tool in toolbox.tools() if tool.unavailable()}
    for built_in in ("web_search", "search_documents"):
        down.pop(built_in)
    assert set(down) == {f"mcp__{name}" for name in servers} - {"mcp__things"}
    assert "No such file" in down["mcp__gone"]
    assert down["mcp__ends"] == "it ended"
    assert "within 1 s" in down["mcp__mute"]
    assert "NO_SUCH_VARIABLE is not set" in down["mcp__locked"]
    assert "cannot be reached" in down["mcp__closed"]
    assert f"- mcp__gone(): tools of an MCP server (not available: {down['mcp__gone']})" in (
        toolbox.describe()
    )
    assert (await ask(toolbox, "add", a=1, b=1)).ok

    began = time.monotonic()
    await box(workspace, servers, run)  # The next node does not wait for them again.
    assert time.monotonic() - began < 0.5

    seen = await toolbox.call(Action(tool="mcp__gone__add", args={"a": 1}))
    assert not seen.ok
    assert "the MCP server gone is not running" in seen.error
    late.symlink_to(SERVER)  # Mended meanwhile: the next call finds it so.
    seen = await toolbox.call(Action(tool="mcp__later__add", args={"a": 1, "b": 2}))
    assert inner(seen) == "3"
    assert "mcp__later__add" in (await box(workspace, servers, run)).names()


async def test_secrets_reach_the_server_and_nobody_else(
    workspace: Workspace, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THINGS_TOKEN", SECRET)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-for-servers")
    server = stdio(env={"GIVEN": "Bearer ${THINGS_TOKEN}", "API_KEY": "in-the-file"})
    toolbox = await box(workspace, {"things": server}, run)
    seen = await ask(toolbox, "environment")
    assert "GIVEN=Bearer ***" in seen.text
    assert "API_KEY=***" in seen.text
    assert "sk-not-for-servers" not in seen.text
    failed = await ask(toolbox, "fail", why=f"{SECRET} is wrong")
    assert "*** is wrong" in failed.error
    for text in (seen.text, failed.error, repr(server.missing()), toolbox.describe()):
        assert SECRET not in text
        assert "in-the-file" not in text
    # It would have been told without the defence.
    known = await mcp_tools({"things": stdio(env={"GIVEN": SECRET})}, f"{run}-bare")
    bare = await Toolbox(workspace, 20, known, ALLOWED).call(
        Action(tool="mcp__things__environment")
    )
    assert SECRET in bare.text


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def over_http(port: int) -> Iterator[Callable[[], "subprocess.Popen[bytes]"]]:
    started: list[subprocess.Popen[bytes]] = []

    def start() -> "subprocess.Popen[bytes]":
        process = subprocess.Popen([sys.executable, SERVER, "http", str(port)])
        started.append(process)
        end = time.monotonic() + 30
        while time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return process
            except OSError:
                time.sleep(0.05)
        pytest.fail("the server does not listen")

    yield start
    for process in started:
        process.kill()
        process.wait(10)


async def test_over_http_too(workspace: Workspace, run: str, port: int, over_http) -> None:
    process = over_http()
    servers = {"things": McpServer(url=f"http://127.0.0.1:{port}/mcp", headers={"X-Token": "t"})}
    with blockbuster_ctx():
        toolbox = await box(workspace, servers, run)
        assert inner(await ask(toolbox, "add", a=2, b=3)) == "5"
    assert "boom" in (await ask(toolbox, "fail", why="boom")).error
    process.kill()
    process.wait(10)
    seen = await ask(toolbox, "add", 5, a=2, b=3)
    assert not seen.ok
    assert "the MCP server things ended during the call" in seen.error
    assert "not running" in (await ask(toolbox, "add", a=2, b=3)).error
    over_http()
    assert inner(await ask(toolbox, "add", a=2, b=3)) == "5"


async def test_a_restarted_http_server_does_not_know_the_session(
    workspace: Workspace, run: str, port: int, over_http
) -> None:
    process = over_http()
    servers = {"things": McpServer(url=f"http://127.0.0.1:{port}/mcp")}
    toolbox = await box(workspace, servers, run)
    assert (await ask(toolbox, "add", a=2, b=3)).ok
    process.kill()
    process.wait(10)
    over_http()
    seen = await ask(toolbox, "add", 5, a=2, b=3)
    if not seen.ok:
        assert "things" in seen.error
        seen = await ask(toolbox, "add", a=2, b=3)
    assert seen.ok, seen.error


async def test_they_ask_unless_a_rule_says_otherwise(workspace: Workspace, run: str) -> None:
    tools = await mcp_tools({"things": stdio()}, run)
    action = Action(tool="mcp__things__add", args={"a": 1, "b": 2})
    seen = await Toolbox(workspace, 20, tools).call(action)
    assert seen.reason == "ask"
    rules = [parse_rule('allow:mcp__things__add({"a": 1,*)'), parse_rule("deny:mcp__*__die")]
    toolbox = Toolbox(workspace, 20, tools, Policy(tuple(rules)))
    assert (await toolbox.call(action)).ok
    assert (await toolbox.call(Action(tool="mcp__things__die"))).reason == "denied"
    other = Action(tool="mcp__things__add", args={"a": 2, "b": 2})
    assert (await toolbox.call(other)).reason == "ask"


async def test_nothing_blocks_the_event_loop(workspace: Workspace, run: str) -> None:
    with blockbuster_ctx():
        toolbox = await box(workspace, {"things": stdio()}, run)
        assert (await ask(toolbox, "add", a=1, b=2)).ok
        await close_servers(run)


async def test_a_cancelled_call_leaves_the_others_alone(workspace: Workspace, run: str) -> None:
    toolbox = await box(workspace, {"things": stdio()}, run)
    call = asyncio.create_task(ask(toolbox, "hang", seconds=0.5))
    await asyncio.sleep(0.1)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert (await ask(toolbox, "add", a=1, b=2)).ok


def test_names_that_a_model_can_call() -> None:
    assert public_name("git", "show diff/2") == "mcp__git__show_diff_2"
    assert len(public_name("git", "x" * 100)) == 64


async def test_a_server_that_ends_at_once_is_told_so(workspace: Workspace) -> None:
    tools = await mcp_tools({"no": McpServer(command="/bin/false")}, str(uuid4()))
    assert [tool.unavailable() for tool in tools] == ["it ended"]
