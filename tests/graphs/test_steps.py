"""Steps told from checkpoints: side by side, within a bigger graph, and in another thread."""

import asyncio
import json
import re
from pathlib import Path
from uuid import uuid4

from langgraph.graph import END, START, StateGraph
from scripted_agent import Move, ScriptedAgent
from typing_extensions import TypedDict

from replan.graphs.build import build_agent
from replan.graphs.steps import Call, step_before
from replan.state.context import Context
from replan.storage.archive import Reader
from replan.storage.checkpoints import read_history
from replan.storage.database import Database
from replan.storage.export import export_thread
from replan.storage.importing import import_thread, read_bundle
from replan.storage.journal import Journal
from replan.storage.prune import Wanted, prune
from replan.storage.revisions import Revisions

GOAL = "Write the word hello to hello.txt"
WRITE = Move("write_file", "hello", path="hello.txt")


async def test_branches_side_by_side_are_one_step(start_agent) -> None:
    tasks = [
        {"title": f"Write {name}.txt", "writes": [f"{name}.txt"], "depends_on": []}
        for name in ("a", "b")
    ]

    def move(asked: str) -> Move:
        name = "a" if re.findall(r"Write ([ab])\.txt", asked)[-1] == "a" else "b"
        return Move("write_file", name, path=f"{name}.txt")

    async with start_agent(ScriptedAgent(move, tasks=tasks)) as agent:
        await agent.run("Write a.txt with the word a and b.txt with the word b", plan="dag")
        history = await read_history(agent.kept, agent.thread)
        done = [step_before(history, one) for one in history.checkpoints]
        usage = (await agent.values())["usage"]
    executed = next(one for one in done if "execute" in one.nodes)
    assert executed.nodes == ["execute", "execute"]
    assert executed.tasks == ["t1", "t2"]
    assert [(call.task, call.tool) for call in executed.calls] == [
        ("t1", "write_file"), ("t2", "write_file")
    ]  # fmt: skip
    assert executed.usage["steps"] == 2
    judged = next(one for one in done if one.verdicts)
    assert set(judged.verdicts) == {"t1", "t2"}
    assert isinstance(judged.calls[0], Call)
    for count in ("steps", "model_calls", "input_tokens", "output_tokens"):
        assert sum(one.usage.get(count, 0) for one in done) == usage[count]


class Bigger(TypedDict, total=False):
    goal: str
    status: str
    revision: str


async def test_within_a_bigger_graph(start_agent, tmp_path: Path) -> None:
    """Its checkpoints have a namespace, and come along when the thread moves."""
    async with start_agent(ScriptedAgent([WRITE])) as agent:
        bigger = StateGraph(Bigger, context_schema=Context)
        bigger.add_node("work", build_agent())
        bigger.add_edge(START, "work").add_edge("work", END)
        graph = bigger.compile(checkpointer=agent.kept.saver, store=agent.kept.store)
        given = Bigger(goal=GOAL, revision="1")  # of its own, and no number of ours
        await graph.ainvoke(given, agent.config, context=agent.context(), durability="sync")
        history = await read_history(agent.kept, agent.thread)
        [outer, inner] = history.branches
        assert [step_before(history, one).nodes for one in outer.checkpoints] == [
            [], ["__start__"], ["work"]
        ]  # fmt: skip
        assert inner.namespace.startswith("work:")
        nodes = [node for one in inner.checkpoints for node in step_before(history, one).nodes]
        assert nodes[-5:] == ["execute", "reflect", "review", "report", "remember"]
        assert history.head is outer.checkpoints[-1]

        file, other = tmp_path / "run.zip", str(uuid4())
        await export_thread(agent.kept, agent.thread, file)
        reader = await asyncio.to_thread(Reader, file)
        bundle = await asyncio.to_thread(read_bundle, reader, agent.kept)
        await import_thread(agent.kept, reader, bundle, other, tmp_path / "own")
        reader.close()
        moved = await read_history(agent.kept, other)
        assert [one.key for one in moved.checkpoints] == [one.key for one in history.checkpoints]
        assert moved.head.values["revision"] == "1"
        last, was = moved.branches[1].checkpoints[-1], inner.checkpoints[-1]
        assert last.values["workspace"] == str(tmp_path / "own")
        assert int(last.values["revision"]) > int(was.values["revision"])
        calls = await Journal(Revisions(agent.kept.pool)).of_thread(other)
        written = next(call for call in calls if call.kind == "tool")
        assert written.left == last.values["revision"]


async def test_a_subgraph_goes_with_the_checkpoint_that_called_it(
    start_agent, database: Database, tmp_path: Path
) -> None:
    async with start_agent(ScriptedAgent([WRITE])) as agent:
        bigger = StateGraph(Bigger, context_schema=Context)
        bigger.add_node("work", build_agent())
        bigger.add_edge(START, "work").add_edge("work", END)
        graph = bigger.compile(checkpointer=agent.kept.saver, store=agent.kept.store)
        await graph.ainvoke(
            Bigger(goal=GOAL), agent.config, context=agent.context(), durability="sync"
        )
        before = await read_history(agent.kept, agent.thread)
        for count, namespaces in ((2, 2), (1, 1)):
            wanted = Wanted(threads=[agent.thread], keep_latest=count)
            await prune(database, agent.kept, wanted, tmp_path)
            left = await read_history(agent.kept, agent.thread)
            own, *inner = left.branches
            assert len(own.checkpoints) == count
            assert len(left.branches) == namespaces
            assert [branch.checkpoints for branch in inner] == [
                branch.checkpoints for branch in before.branches[1:namespaces]
            ]


async def test_long_outputs_come_along(start_agent, tmp_path: Path) -> None:
    loud = Move("python", "print('x' * 50_000)\nopen('hello.txt', 'w').write('hello')")
    async with start_agent(ScriptedAgent([loud])) as agent:
        await agent.run(GOAL)
        file = tmp_path / "run.zip"
        await export_thread(agent.kept, agent.thread, file)
        reader = await asyncio.to_thread(Reader, file)
        bundle = await asyncio.to_thread(read_bundle, reader, agent.kept)
        [output] = bundle.outputs
        assert "x" * 50_000 in output.text
        await agent.kept.store.adelete(("outputs",), output.key)
        await import_thread(agent.kept, reader, bundle, str(uuid4()), tmp_path / "own")
        reader.close()
        kept = await agent.kept.store.aget(("outputs",), output.key)
        assert kept is not None
        assert kept.value == {"text": output.text}
        assert output.key in json.dumps(await agent.values())
