"""Long outputs are kept in the run's store, and read on by their name."""

import asyncio
import re
from typing import Any

from langgraph.graph import END, START, StateGraph
from langgraph.store.base import BaseStore
from langgraph.store.memory import InMemoryStore
from typing_extensions import TypedDict

from replan.state.task import Action, Observation
from replan.storage.database import Database
from replan.storage.persistence import open_persistence
from replan.tools.protocol import CallContext, schema
from replan.tools.toolbox import Toolbox, default_tools
from replan.tools.workspace import Workspace

LINES = [f"line {number} of much\0 \ud800" for number in range(1, 3001)]
KEPT = [line.replace("\0", "\\x00").replace("\ud800", "?") for line in LINES]


class Talks:
    """A tool that says much."""

    name = "talk"
    description = "says much"
    parameters = schema(lines={"type": "integer"})
    content = None
    content_language = ""
    reads_only = True

    def unavailable(self) -> str:
        return ""

    async def call(self, args: dict[str, Any], context: CallContext) -> Observation:
        return Observation(ok=True, text="\n".join(LINES[: args.get("lines", 3000)]))


class State(TypedDict):
    calls: list[tuple[str, dict[str, Any]]]
    seen: list[str]


async def run(workspace: Workspace, store: BaseStore | None, *calls: Any) -> list[str]:
    """The texts, or errors, of calls that are made in a node, as in a run."""
    tools = Toolbox(workspace, tools=[*default_tools(), Talks()])

    async def node(state: State) -> dict[str, Any]:
        seen = [await tools.call(Action(tool=tool, args=args)) for tool, args in state["calls"]]
        return {"seen": [one.text or one.error for one in seen]}

    graph = StateGraph(State).add_node(node).add_edge(START, "node").add_edge("node", END)
    found = await graph.compile(store=store).ainvoke({"calls": list(calls), "seen": []})
    return list(found["seen"])


def inner(text: str) -> str:
    """What is between the marks of data from outside."""
    found = re.search(r"\[BEGIN DATA FROM OUTSIDE (\w+)\]\n(.*)\n\[END .* \1\]$", text, re.DOTALL)
    assert found
    return found[2]


async def test_the_whole_of_it_can_be_read(workspace: Workspace, database: Database) -> None:
    async with open_persistence(database) as kept:
        short, long, again = await run(
            workspace, kept.store, ("talk", {"lines": 100}), ("talk", {}), ("talk", {})
        )
        assert short == "\n".join(KEPT[:100])
        assert long == again
        assert len(long) < 6300
        assert long.startswith("line 1 of much")
        assert long.endswith(f"\n{KEPT[-1]}")
        said = re.search(
            r"\n\[\.\.\. ([\d,]+) of ([\d,]+) characters left out; to read all: read_file "
            r"(output:[0-9a-f]{24}) \.\.\.\]\n",
            long,
        )
        assert said
        whole = len("\n".join(KEPT))
        assert said.groups()[:2] == (f"{whole - 6000:,}", f"{whole:,}")
        found: list[str] = []
        while len(found) < 3000:
            (text,) = await run(
                workspace, kept.store, ("read_file", {"path": said[3], "start": len(found) + 1})
            )
            found += inner(text).partition("\n[lines ")[0].split("\n")
        assert found == KEPT
        (line,) = await run(
            workspace, kept.store, ("read_file", {"path": said[3], "start": 7, "end": 7})
        )
        assert line.startswith("An earlier output: data from outside.")
        assert inner(line) == KEPT[6]
    assert await workspace.files() == []


async def test_where_nothing_is_kept_the_head_is_shown(workspace: Workspace) -> None:
    text, missing = await run(
        workspace, None, ("talk", {}), ("read_file", {"path": "output:" + "0" * 24})
    )
    assert text.startswith("line 1 of much")
    assert "characters left out ...]\n" in text
    assert missing.startswith(f"output:{'0' * 24} is not kept here.")
    seen = await Toolbox(workspace, tools=[Talks()]).call(Action(tool="talk"))
    assert seen.text == text


async def test_another_ones_name_is_not_found(workspace: Workspace) -> None:
    store = InMemoryStore()
    (text,) = await run(workspace, store, ("talk", {}))
    assert "read_file output:" in text
    (missing,) = await run(workspace, store, ("read_file", {"path": "output:" + "0" * 24}))
    assert "is not kept here" in missing
    (file,) = await run(workspace, store, ("read_file", {"path": "output:x"}))
    assert file == "output:x does not exist."


async def test_a_store_that_fails_costs_nothing_but_the_rest(workspace: Workspace) -> None:
    class Broken(InMemoryStore):
        async def abatch(self, ops: Any) -> list[Any]:
            await asyncio.sleep(0)
            raise ConnectionError("gone")

    (text,) = await run(workspace, Broken(), ("talk", {}))
    assert "characters left out ...]\n" in text


async def test_it_says_which_call_reads_on(workspace: Workspace) -> None:
    tools = Toolbox(workspace)
    (workspace.path / "long.txt").write_text("\n".join(KEPT))
    first = await tools.call(Action(tool="read_file", args={"path": "long.txt"}))
    assert first.rest
    second = await tools.call(first.rest)
    shown = first.text.partition("\n[lines ")[0].split("\n")
    assert shown == KEPT[: len(shown)]
    assert second.text.startswith(f"{KEPT[len(shown)]}\n")
    last = await tools.call(Action(tool="read_file", args={"path": "long.txt", "start": 2900}))
    assert last.rest is None
