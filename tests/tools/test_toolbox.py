import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from blockbuster import blockbuster_ctx
from jsonschema import Draft202012Validator

from replan.state.settings import settings
from replan.state.task import Action, Observation
from replan.tools.packages import importable
from replan.tools.protocol import CallContext, Tool, ToolError, schema
from replan.tools.toolbox import Toolbox, default_tools
from replan.tools.workspace import Workspace


class Odd:
    """A user's own tool, as bad as can be."""

    name = "odd"
    description = "does what it is told"
    parameters = schema(["what"], what={"type": "string"})
    content = None
    content_language = ""

    def unavailable(self) -> str:
        return ""

    async def call(self, args: dict[str, Any], context: CallContext) -> Observation:
        if args["what"] == "raise":
            raise RuntimeError("broken")
        if args["what"] == "hang":
            await asyncio.sleep(60)
        (context.workspace.path / "odd.txt").write_text(args["what"])
        return Observation(ok=True, text="done")


@pytest.fixture
def odd(workspace: Workspace) -> Toolbox:
    tools: list[Tool] = [Odd()]
    return Toolbox(workspace, tools=tools)


async def test_a_tool_of_ones_own(odd: Toolbox) -> None:
    seen = await odd.call(Action(tool="odd", args={"what": "write"}))
    assert (seen.ok, seen.changed) == (True, ["odd.txt"])
    seen = await odd.call(Action(tool="odd", args={"what": "raise"}))
    assert (seen.ok, seen.error) == (False, "RuntimeError: broken")


async def test_a_tool_that_does_not_end(odd: Toolbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("replan.tools.watched_call._GRACE_SECONDS", 0.1)
    seen = await odd.call(Action(tool="odd", args={"what": "hang"}), 0.1)
    assert seen.error == "odd did not end within 0.1 s."


@pytest.mark.parametrize(
    ("tool", "args", "error"),
    [
        ("nothing", {}, "there is no tool 'nothing'. There are: python, "),
        ("read_file", {}, "'path' is a required property. Its arguments: path, start (optional)"),
        ("read_file", {"path": 3}, "path: 3 is not of type 'string'"),
        ("read_file", {"path": "a", "start": 0}, "start: 0 is less than the minimum of 1"),
        ("read_file", {"path": "a", "size": 1}, "'size' was unexpected"),
        ("run_script", {"path": "a.py", "arguments": "x"}, "'x' is not of type 'array'"),
        ("python", {"code": ""}, "wrong arguments for python: code: "),
    ],
)
async def test_wrong_calls(toolbox: Toolbox, tool: str, args: dict[str, Any], error: str) -> None:
    seen = await toolbox.call(Action(tool=tool, args=args))
    assert not seen.ok
    assert error in seen.error


async def test_changed_lists_created_changed_and_removed(call, workspace: Workspace) -> None:
    for name in ("gone", "same", "other"):
        await workspace.write_text(name, "1")
    code = (
        "import os\nos.remove('gone')\nopen('other', 'w').write('2')\n"
        "os.makedirs('d/__pycache__')\nopen('d/__pycache__/x.pyc', 'w')\nopen('d/new', 'w')\n"
        "open('same', 'w').write('1')"
    )
    assert (await call("python", code=code)).changed == ["d/new", "gone", "other"]


async def test_parallel_calls_keep_their_changes_apart(workspace: Workspace) -> None:
    code = "import time\nopen('{0}', 'w').write('x')\ntime.sleep(0.2)"
    actions = [Action(tool="python", args={"code": code.format(name)}) for name in "ab"]
    # As in the graph, where each branch has a toolbox of its own.
    seen = await asyncio.gather(
        *(Toolbox(Workspace(workspace.path)).call(action) for action in actions)
    )
    assert [one.changed for one in seen] == [["a"], ["b"]]


async def test_cancellation_goes_through_and_frees_the_toolbox(
    toolbox: Toolbox, workspace: Workspace
) -> None:
    await workspace.write_text("kept", "1")
    code = "import time\nopen('kept', 'w').write('2')\nopen('a', 'w')\ntime.sleep(60)"
    task = asyncio.create_task(
        toolbox.call(Action(tool="python", args={"code": code}), 60, ["kept"])
    )
    for _ in range(200):
        if "a" in await workspace.files():
            break
        await asyncio.sleep(0.05)
    began = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - began < 5
    assert await workspace.read_text("kept", 9) == "1"
    assert (await toolbox.call(Action(tool="python", args={"code": "print(1)"}))).ok


async def test_nothing_blocks_the_event_loop(toolbox: Toolbox, workspace: Workspace) -> None:
    settings()
    await workspace.write_text("test_a.py", "def test_a(): pass")
    calls: list[tuple[str, dict[str, Any]]] = [
        ("python", {"code": "print(1)"}),
        ("run_script", {"path": "test_a.py"}),
        ("run_tests", {}),
        ("write_file", {"path": "a.json", "text": "[1]"}),
        ("read_file", {"path": "a.json"}),
        ("list_files", {}),
    ]
    with blockbuster_ctx():
        toolbox.describe()
        for tool, args in calls:
            seen = await toolbox.call(Action(tool=tool, args=args), None, ["test_a.py"])
            assert seen.ok, (tool, seen.error)


def test_fingerprint(toolbox: Toolbox) -> None:
    one = Action(tool="write_file", args={"path": "a", "text": "b"}, thought="first")
    same = Action(tool="write_file", args={"text": "b", "path": "a"}, thought="second")
    other = Action(tool="write_file", args={"path": "a", "text": "c"})
    assert toolbox.fingerprint(one, "d") == toolbox.fingerprint(same, "d")
    marks = {
        toolbox.fingerprint(one, "d"),
        toolbox.fingerprint(one, "e"),
        toolbox.fingerprint(other, "d"),
        toolbox.fingerprint(Action(tool="read_file", args=one.args), "d"),
    }
    assert len(marks) == 4


def test_what_the_model_is_told(toolbox: Toolbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAVILY_API_KEY", "")
    settings.cache_clear()
    try:
        lines = toolbox.describe().splitlines()
        available = [tool.name for tool in toolbox.available()]
        schemas = toolbox.schemas()
    finally:
        settings.cache_clear()
    # Neither an address nor a folder of documents: the prompt does not speak of them. Of code that
    # calls tools, only who acts by it speaks; of queries, who is asked for one.
    assert set(toolbox.names()) - {line[2 : line.index("(")] for line in lines} == {
        "code_action",
        "delete_file",
        "query_tables",
        "read_page",
        "search_documents",
        "search_files",
    }
    assert len(lines) == 9
    assert lines[0].startswith("- python(code): ")
    assert lines[-1].endswith("(not available: no TAVILY_API_KEY is set)")
    assert "web_search" not in available
    assert [one["function"]["name"] for one in schemas] == available
    json.dumps(schemas)


def test_what_only_some_goals_need_is_told_of_only_then(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(goal: str) -> list[str]:
        lines = Toolbox(workspace, goal=goal).describe().splitlines()
        return [line.partition("(")[0] for line in lines[9:]]

    assert told("Sum up the file https.md") == []
    assert told("Sum up https://example.org/a in a.md") == ["- read_page"]
    monkeypatch.setenv("REPLAN_DOCUMENTS", str(tmp_path))
    settings.cache_clear()
    assert told("Write down what the handbook says") == ["- search_documents"]
    monkeypatch.undo()
    settings.cache_clear()


@pytest.mark.parametrize("tool", default_tools(), ids=lambda tool: tool.name)
def test_every_tool_keeps_the_contract(tool: Tool) -> None:
    Draft202012Validator.check_schema(tool.parameters)
    assert tool.parameters["additionalProperties"] is False
    assert "\n" not in tool.description
    if tool.content:
        assert tool.content in tool.parameters["required"]
        assert tool.parameters["properties"][tool.content]["type"] == "string"


def test_get(toolbox: Toolbox) -> None:
    assert toolbox.get("python").content == "code"
    assert toolbox.get("write_file").content == "text"
    with pytest.raises(ToolError, match="no tool"):
        toolbox.get("no")


def test_importable() -> None:
    names = importable()
    assert "pytest" in names
    for name in names:
        assert __import__("importlib.util").util.find_spec(name)


def test_the_import_is_light() -> None:
    heavy = {"tavily", "trafilatura", "pypdf", "docx", "aiohttp", "httpx", "httpx2", "jsonschema"}
    heavy |= {"pandas", "numpy", "langgraph", "langchain_text_splitters", "pytest"}
    code = (
        f"import sys, replan.tools.toolbox, replan.tools.checks; print({heavy} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
