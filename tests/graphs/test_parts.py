"""The agent, and one task's cycle, inside graphs of another shape."""

import operator
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send
from scripted_agent import Move, ScriptedAgent
from typing_extensions import TypedDict

from replan.graphs import branching
from replan.graphs.build import build_agent
from replan.graphs.replay import replay
from replan.graphs.task import build_task
from replan.nodes.contract import ReflectRequest, ReflectResult, Use
from replan.state.context import Context
from replan.state.errors import SettingError, UsageError
from replan.state.settings import settings
from replan.storage.journal import Journal
from replan.storage.revisions import Revisions

GOAL = "Write the word hello to hello.txt"
WRITE = Move("write_file", "hello", path="hello.txt")
PLAIN = {"decompose": "none", "report": "template", "reflect": "checks"}
ASK = ["ask:write_file(*.txt)"]


class Letter(TypedDict, total=False):
    """A parent's state: it shares the names of the goal and the report, and nothing else."""

    sender: str
    goal: str
    report: str
    status: str
    filed: str


@dataclass
class Office:
    """A parent's own context."""

    clerk: str = "anna"


def config_of(thread: str) -> RunnableConfig:
    return RunnableConfig(configurable={"thread_id": thread})


def parent_of(work: Any, agent: Any, context: Any = None) -> Any:
    """open → work → file, on the saver and the store of the agent's tests."""
    graph = StateGraph(Letter, context_schema=context)
    graph.add_node("open", lambda state: {"goal": f"{state['goal']}"})
    graph.add_node("work", work)
    graph.add_node("file", lambda state: {"filed": f"{state['sender']}: {state['status']}"})
    graph.add_edge(START, "open")
    graph.add_edge("open", "work")
    graph.add_edge("work", "file")
    graph.add_edge("file", END)
    return graph.compile(checkpointer=agent.kept.saver, store=agent.kept.store)


async def run(graph: Any, thread: str, given: Any, context: Any = None) -> Any:
    return await graph.ainvoke(given, config_of(thread), context=context, durability="sync")


async def namespaces(agent: Any, thread: str) -> list[str]:
    async with agent.kept.pool.connection() as connection:
        cursor = await connection.execute(
            "SELECT DISTINCT checkpoint_ns FROM checkpoints WHERE thread_id = %s ORDER BY 1",
            (thread,),
        )
        return [row["checkpoint_ns"] for row in await cursor.fetchall()]


def folders_of(thread: str) -> list[Path]:
    return sorted(settings().workspaces.glob(f"{thread}*"))


async def test_as_a_node_it_takes_and_gives_what_the_parent_shares(start_agent) -> None:
    async with start_agent(ScriptedAgent([WRITE])) as agent:
        thread = str(uuid4())
        graph = parent_of(build_agent(context=Context(**PLAIN)), agent, Office)
        result = await run(graph, thread, {"sender": "bob", "goal": GOAL}, Office())
        assert result.keys() == {"sender", "goal", "report", "status", "filed"}
        assert result["filed"] == "bob: done"
        assert result["report"].startswith("Done.")
        [folder] = folders_of(thread)
        assert folder.name != thread
        assert (folder / "hello.txt").read_text() == "hello\n"
        root, inside = await namespaces(agent, thread)
        assert (root, inside.partition(":")[0]) == ("", "work")
        entries = await Journal(Revisions(agent.kept.pool)).of_thread(thread)
        assert [one.name for one in entries if one.kind == "tool"] == ["write_file"]


async def test_called_inside_a_node_it_is_the_same(start_agent) -> None:
    async with start_agent(ScriptedAgent([WRITE])) as agent:
        thread, inner = str(uuid4()), build_agent()

        async def work(state: Letter) -> dict[str, Any]:
            done = await inner.ainvoke({"goal": state["goal"]}, context=Context(**PLAIN))
            assert done.keys() == {"status", "report", "artifacts", "usage", "memories"}
            return {"report": done["report"], "status": done["status"]}

        result = await run(parent_of(work, agent), thread, {"sender": "bob", "goal": GOAL})
        assert result["filed"] == "bob: done"
        [folder] = folders_of(thread)
        assert (folder / "hello.txt").exists()
        assert len(await namespaces(agent, thread)) == 2


async def test_a_parent_without_checkpoints_can_have_it_too(start_agent) -> None:
    async with start_agent(ScriptedAgent([WRITE])) as agent:
        graph = StateGraph(Letter)
        graph.add_node("work", build_agent(context=agent.context(**PLAIN)))
        graph.add_edge(START, "work")
        result = await graph.compile().ainvoke({"goal": GOAL})
        assert result["status"] == "done"
        assert agent.read("hello.txt") == "hello"


class Drafts(TypedDict, total=False):
    """Of a parent that sends several pieces of work out."""

    goals: list[str]
    goal: str
    notes: Annotated[list[str], operator.add]


async def test_agents_side_by_side_share_neither_folder_nor_state(start_agent) -> None:
    def write(asked: str) -> Move:
        path = "b.txt" if "b.txt" in asked else "a.txt"
        return Move("write_file", path, path=path)

    async with start_agent(ScriptedAgent(write)) as agent:
        inner = build_agent(context=Context(**PLAIN))

        async def work(state: Drafts) -> dict[str, Any]:
            done = await inner.ainvoke({"goal": state["goal"]})
            return {"notes": [",".join(one["path"] for one in done["artifacts"])]}

        graph = StateGraph(Drafts)
        graph.add_node("work", work)
        sends = lambda state: [Send("work", {"goal": goal}) for goal in state["goals"]]  # noqa: E731
        graph.add_conditional_edges(START, sends, ["work"])
        parent = graph.compile(checkpointer=agent.kept.saver, store=agent.kept.store)
        thread = str(uuid4())
        goals = ["Write the word a to a.txt", "Write the word b to b.txt"]
        result = await run(parent, thread, {"goals": goals})
        assert sorted(result["notes"]) == ["a.txt", "b.txt"]
        found = [sorted(path.name for path in folder.iterdir()) for folder in folders_of(thread)]
        assert sorted(found) == [["a.txt"], ["b.txt"]]


async def test_a_person_is_asked_through_the_parent(start_agent) -> None:
    async with start_agent(ScriptedAgent([WRITE])) as agent:
        thread = str(uuid4())
        graph = parent_of(build_agent(context=Context(**PLAIN, approvals=ASK)), agent)
        result = await run(graph, thread, {"sender": "bob", "goal": GOAL})
        [asked] = result["__interrupt__"]
        assert asked.value["tool"] == "write_file"
        [folder] = folders_of(thread)
        assert not (folder / "hello.txt").exists()
        [waiting] = (await graph.aget_state(config_of(thread))).interrupts
        models_asked = len(agent.server.requests)
        answer = Command(resume={waiting.id: {"decision": "approve"}})
        result = await run(graph, thread, answer)
        assert result["filed"] == "bob: done"
        assert (folder / "hello.txt").read_text() == "hello\n"
        assert folders_of(thread) == [folder]
        assert len(agent.server.requests) == models_asked  # nothing is asked of the model again


class Unlucky:
    """Fails the first time, as a process that ends in the middle would."""

    def __init__(self) -> None:
        self.failed = False

    async def __call__(self, request: ReflectRequest, use: Use) -> ReflectResult:
        if not self.failed:
            self.failed = True
            raise OSError("the power went")
        return ReflectResult(verdict="done")


async def test_a_resumed_parent_goes_on_in_the_middle_of_the_agent(start_agent) -> None:
    async with start_agent(ScriptedAgent([WRITE])) as agent:
        thread = str(uuid4())
        inner = build_agent({"reflect": Unlucky()}, context=Context(**PLAIN))
        graph = parent_of(inner, agent)
        with pytest.raises(OSError, match="power"):
            await run(graph, thread, {"sender": "bob", "goal": GOAL})
        asked = len(agent.server.requests)
        result = await run(graph, thread, None)
        assert result["filed"] == "bob: done"
        assert len(agent.server.requests) == asked
        entries = await Journal(Revisions(agent.kept.pool)).of_thread(thread)
        assert [one.name for one in entries if one.kind == "tool"] == ["write_file"]
        assert len(folders_of(thread)) == 1


async def test_that_it_is_a_part_costs_no_waiting_and_forgets_no_forks(start_agent) -> None:
    async with start_agent(ScriptedAgent([WRITE])) as agent:
        thread = str(uuid4())
        graph = parent_of(build_agent(context=Context(**PLAIN)), agent)
        began = time.monotonic()
        await run(graph, thread, {"sender": "bob", "goal": GOAL})
        assert time.monotonic() - began < branching._WRITING_SECONDS * 5
        assert thread not in branching._NOT_KEPT
        # Branched off before the agent ran, it works in a folder of its own.
        [first] = folders_of(thread)
        steps = [step async for step in graph.aget_state_history(config_of(thread))]
        before = next(step for step in steps if step.next == ("work",))
        again = await graph.ainvoke(None, before.config, durability="sync")
        assert again["filed"] == "bob: done"
        other = [folder for folder in folders_of(thread) if folder != first]
        assert len(other) == 1, other


async def test_the_parents_settings_reach_it_and_its_own_come_first(start_agent) -> None:
    async with start_agent(ScriptedAgent([WRITE])) as agent:
        graph = parent_of(build_agent(context=Context(report="template")), agent, Context)
        told = agent.context(decompose="none", reflect="checks", report="llm")
        result = await run(graph, str(uuid4()), {"sender": "bob", "goal": GOAL}, told)
        assert result["report"].startswith("Done.")
        assert agent.read("hello.txt") == "hello"


async def test_a_tasks_cycle_is_a_graph_of_its_own(start_agent) -> None:
    astray = Move("write_file", "hullo", path="hello.txt")
    async with start_agent(ScriptedAgent([astray, WRITE])) as agent:
        task = build_task(checkpointer=agent.kept.saver, store=agent.kept.store)
        given = {
            "goal": GOAL,
            "task": "Write hello.txt",
            "writes": ["hello.txt"],
            "acceptance": [{"kind": "file_contains", "path": "hello.txt", "text": "hello"}],
        }
        thread = str(uuid4())
        result = await run(task, thread, given, agent.context(**PLAIN))
        assert result.keys() == {
            "status", "reason", "result", "attempts", "artifacts", "usage", "memories"
        }  # fmt: skip
        assert result["status"] == "done"
        assert [one["verdict"] for one in result["attempts"]] == ["retry", "done"]
        assert [one["path"] for one in result["artifacts"]] == ["hello.txt"]
        assert result["usage"]["steps"] == 2
        assert agent.read("hello.txt") == "hello"
        nodes = [
            step.next async for step in task.aget_state_history(config_of(thread)) if step.next
        ]
        cycle = [("select_tool",), ("execute",), ("reflect",), ("review",)]
        assert nodes[::-1] == [("__start__",), ("recall",), ("begin",), *cycle, *cycle, ("end",)]


async def test_a_task_ends_within_its_limits_and_says_why(start_agent) -> None:
    async with start_agent(ScriptedAgent([Move("write_file", "hullo", path="hello.txt")])) as agent:
        task = build_task(checkpointer=agent.kept.saver, store=agent.kept.store)
        check = {"kind": "file_contains", "path": "hello.txt", "text": "hello"}
        given = {"goal": GOAL, "writes": ["hello.txt"], "acceptance": [check]}
        told = agent.context(**PLAIN, max_attempts=2)
        failed = await run(task, str(uuid4()), given, told)
        assert failed["status"] == "failed"
        assert "replans" not in failed["reason"]
        stopped = await run(task, str(uuid4()), given, agent.context(**PLAIN, max_steps=1))
        assert stopped["status"] == "stopped"
        assert "--max-steps" in stopped["reason"]


async def test_a_task_is_a_part_beside_an_agent(start_agent) -> None:
    async with start_agent(ScriptedAgent([WRITE])) as agent:
        thread = str(uuid4())
        graph = parent_of(build_task(context=Context(**PLAIN)), agent)
        result = await run(graph, thread, {"sender": "bob", "goal": GOAL})
        assert result["filed"] == "bob: done"
        assert len(folders_of(thread)) == 1


async def test_what_is_no_check_or_role_is_said(start_agent) -> None:
    with pytest.raises(SettingError, match="no role 'planner'"):
        build_task({"planner": object()})
    async with start_agent(ScriptedAgent([WRITE])) as agent:
        with pytest.raises(UsageError, match="a check of the task does not fit"):
            await run(
                build_task(checkpointer=agent.kept.saver, store=agent.kept.store),
                str(uuid4()),
                {"goal": GOAL, "acceptance": [{"kind": "looks_nice"}]},
                agent.context(**PLAIN),
            )


class Otherwise:
    """Judges as no recorded run did."""

    async def __call__(self, request: ReflectRequest, use: Use) -> ReflectResult:
        return ReflectResult(verdict="done", reason="it looks well")


@pytest.mark.parametrize("build", [build_agent, build_task])
async def test_a_part_is_replayed_from_the_record(start_agent, build: Any) -> None:
    async with start_agent(ScriptedAgent([WRITE])) as agent:
        thread = str(uuid4())
        graph = parent_of(build(context=Context(**PLAIN)), agent)
        await run(graph, thread, {"sender": "bob", "goal": GOAL})
        _, inside = await namespaces(agent, thread)
        asked = len(agent.server.requests)
        same = await replay(agent.kept, thread, namespace=inside)
        assert same.divergence is None
        assert (same.calls["tool"], same.steps >= 6) == (1, True)
        roles = {"reflect": Otherwise()}
        other = await replay(agent.kept, thread, namespace=inside, roles=roles)
        assert other.divergence is not None
        assert other.divergence.node == "reflect"
        assert len(agent.server.requests) == asked
        with pytest.raises(UsageError, match="cannot replay through"):
            await replay(agent.kept, thread)
