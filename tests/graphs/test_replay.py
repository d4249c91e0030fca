"""Recorded replay: a branch again without a model, a tool, or a trace."""

import asyncio
from typing import Any, ClassVar

import pytest
from langgraph.types import Command
from mcp_settings import mcp_settings
from openai_server import Reply
from replay_again import again
from scripted_agent import Move, ScriptedAgent

from replan.graphs.build import build_agent
from replan.graphs.forking import fork
from replan.nodes.recall.none import RecallNothing
from replan.state.errors import ModelAnswerError
from replan.state.settings import settings
from replan.state.task import Observation
from replan.tools.protocol import CallContext, schema
from replan.tools.python import PythonTool

GOAL = "Write the word hello to hello.txt"
WRITE = Move("write_file", "hello", path="hello.txt")
ELSEWHERE = Move("python", "open('other.txt', 'w').write('hello')")


async def test_a_run_again_is_equal(start_agent) -> None:
    async with start_agent(ScriptedAgent([ELSEWHERE, WRITE])) as agent:
        (agent.workspace / "given.txt").write_text("given")
        usage = (await agent.run(GOAL))["usage"]
        told: list[tuple[int, int]] = []
        done = await again(agent, tell=lambda step, steps: told.append((step, steps)))
        assert done.divergence is None
        assert done.calls == {"model": usage["model_calls"], "tool": 2, "store": 6}
        history = await agent.history()
        assert done.steps == len(history) - 2  # all but the input, and what it is mapped to
        assert told == [(step, done.steps) for step in range(1, done.steps + 1)]
        ids = [one.config["configurable"]["checkpoint_id"] for one in history]
        assert (done.first, done.last) == (ids[0], ids[-1])


async def test_from_one_checkpoint_to_another(start_agent) -> None:
    """With the settings of the run, which were noted at its beginning."""
    async with start_agent(ScriptedAgent([ELSEWHERE, WRITE])) as agent:
        assert (await agent.run(GOAL, max_attempts=1))["status"] == "done"
        history = await agent.history()
        ids = [one.config["configurable"]["checkpoint_id"] for one in history]
        at = next(at for at, one in enumerate(history) if one.next == ("execute",))
        part = await again(agent, start=ids[at], end=ids[at + 2])
        assert part.divergence is None
        assert (part.steps, part.calls) == (2, {"tool": 1, "store": 1})
        assert (part.first, part.last) == (ids[at], ids[at + 2])
        assert history[at + 2].values["tasks"]["t1"]["status"] == "failed"


async def test_a_run_that_planned_anew_and_failed(start_agent) -> None:
    model = ScriptedAgent([ELSEWHERE], report="All done and perfect.")
    async with start_agent(model) as agent:
        result = await agent.run(GOAL, max_attempts=1, max_replans=2)
        assert result["status"] == "failed"
        assert (await again(agent)).divergence is None


async def test_side_by_side(start_agent) -> None:
    tasks = [
        {"title": "ALPHA: one to a.txt", "writes": ["a.txt"]},
        {"title": "BETA: two to b.txt", "writes": ["b.txt"]},
    ]

    def move(prompt: str) -> Move:
        name = "a.txt" if "ALPHA" in prompt else "b.txt"
        return Move("write_file", f"text of {name}", path=name)

    async with start_agent(ScriptedAgent(move, tasks=tasks)) as agent:
        result = await agent.run("Write one to a.txt and two to b.txt", plan="dag")
        assert result["status"] == "done"
        done = await again(agent)
        assert done.divergence is None
        assert done.calls["tool"] == 2


async def test_tests_of_the_workspace_are_not_run_again(start_agent) -> None:
    edit = {"fault": "minus", "old": "    return a - b", "new": "    return a + b"}
    model = ScriptedAgent([Move("edit_file", path="sums.py", edits=[edit])])
    async with start_agent(model) as agent:
        (agent.workspace / "sums.py").write_text("def add(a, b):\n    return a - b\n")
        (agent.workspace / "test_sums.py").write_text(
            "from sums import add\n\n\ndef test_add():\n    assert add(2, 3) == 5\n",
        )
        result = await agent.run("Make the tests pass without changing test_sums.py")
        assert result["status"] == "done"
        done = await again(agent)
        assert done.divergence is None
        assert done.calls["check"] >= 3


async def test_a_run_that_was_broken_off_in_a_node_and_resumed(start_agent) -> None:
    """The choice is recorded, the content is refused; resumed, only that is asked again."""
    model, down = ScriptedAgent([WRITE]), [True]

    def answer(body: dict[str, Any]) -> Any:
        given = model(body)
        if down and model.asked[-1] == "content":
            down.clear()
            return Reply(status=400, content="out of order")
        return given

    async with start_agent(answer) as agent:
        with pytest.raises(ModelAnswerError, match="out of order"):
            await agent.run(GOAL)
        assert (await again(agent)).divergence is None  # as far as it came
        result = await agent.run(None)
        assert result["status"] == "done"
        assert model.asked.count("select_tool") == 1
        assert (await again(agent)).divergence is None


async def test_an_answer_that_could_not_be_used(start_agent) -> None:
    """It is given again, and asked again as then."""
    model, bad = ScriptedAgent([WRITE]), [True]

    def answer(body: dict[str, Any]) -> Any:
        return bad.pop() and "I am sorry." if bad else model(body)

    async with start_agent(answer) as agent:
        usage = (await agent.run(GOAL))["usage"]
        done = await again(agent)
        assert done.divergence is None
        assert done.calls["model"] == usage["model_calls"] == len(agent.server.requests)


async def test_a_run_that_was_cancelled_and_resumed(start_agent) -> None:
    model = ScriptedAgent([ELSEWHERE, WRITE], delay=0.05)
    async with start_agent(model) as agent:
        running = asyncio.ensure_future(agent.run(GOAL))
        while "content" not in model.asked:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert (await again(agent)).divergence is None  # as far as it came
        await agent.run(None)
        assert (await again(agent)).divergence is None


async def test_a_stopped_run_with_more_and_a_fork(start_agent) -> None:
    async with start_agent(ScriptedAgent([ELSEWHERE, WRITE])) as agent:
        stopped = await agent.run(GOAL, max_steps=1)
        assert stopped["status"] == "stopped"
        await agent.graph.aupdate_state(
            agent.config, {"status": "", "report": ""}, as_node="reflect"
        )
        assert (await agent.run(None, max_steps=5))["status"] == "done"
        done = await again(agent)
        assert done.divergence is None
        history = await agent.history()
        assert [one.metadata["source"] for one in history].count("update") == 1
        assert done.steps == len(history) - 3

        planning = next(one for one in history if one.next == ("plan",))
        fork = await agent.graph.aupdate_state(
            planning.config, {"constraints": ["in a whisper"]}, as_node="decompose"
        )
        (agent.workspace / "hello.txt").unlink()
        (agent.workspace / "other.txt").unlink()
        await agent.run(None, fork)
        assert (await again(agent)).divergence is None
        first_branch = await again(agent, end=history[-1].config["configurable"]["checkpoint_id"])
        assert first_branch.divergence is None


async def test_a_fork_in_a_folder_of_its_own(start_agent) -> None:
    async with start_agent(ScriptedAgent([ELSEWHERE, WRITE])) as agent:
        await agent.run(GOAL)
        executing = [one for one in await agent.history() if one.next == ("execute",)][1]
        checkpoint = executing.config["configurable"]["checkpoint_id"]
        at = await fork(agent.kept.saver, agent.thread, checkpoint, {}, {})
        await agent.run(None, at)
        assert (await agent.values())["workspace"] != str(agent.workspace)
        done = await again(agent)
        assert (done.divergence, done.calls["tool"]) == (None, 2)
        alone = await again(agent, start=at["configurable"]["checkpoint_id"])
        assert (alone.divergence, alone.calls["tool"]) == (None, 1)


async def test_a_second_goal_is_replayed_alone_or_with_the_first(start_agent) -> None:
    moves = [WRITE, Move("write_file", "bye", path="bye.txt")]
    async with start_agent(ScriptedAgent(moves)) as agent:
        await agent.run(GOAL)
        first = await agent.history()
        await agent.run("Write the word bye to bye.txt")
        assert (await again(agent)).calls["tool"] == 1
        both = await again(agent, start=first[0].config["configurable"]["checkpoint_id"])
        assert (both.divergence, both.calls["tool"]) == (None, 2)


@pytest.mark.parametrize("decision", ["approve", "reject", "edit"])
async def test_what_a_person_answered(start_agent, decision: str) -> None:
    args = {"path": "hello.txt", "text": "hello, edited"}
    answer = {"decision": decision, **({"args": args} if decision == "edit" else {})}
    rules = ["ask:write_file(*)"]
    async with start_agent(ScriptedAgent([WRITE, ELSEWHERE])) as agent:
        limits: dict[str, Any] = {"approvals": rules, "max_attempts": 1, "max_replans": 0}
        await agent.run(GOAL, **limits)
        waiting = (await agent.graph.aget_state(agent.config)).interrupts
        await agent.graph.ainvoke(
            Command(resume={waiting[0].id: answer}),
            agent.config,
            context=agent.context(**limits),
            durability="sync",
        )
        assert not (await agent.graph.aget_state(agent.config)).next
        done = await again(agent)
        assert done.divergence is None
        assert done.calls["approval"] == 1


async def test_a_parameter_that_the_server_refuses(start_agent) -> None:
    model = ScriptedAgent([WRITE])

    def answer(body: dict[str, Any]) -> Any:
        if "temperature" in body:
            return Reply(status=400, content="temperature is not supported")
        return model(body)

    async with start_agent(answer) as agent:
        assert (await agent.run(GOAL))["status"] == "done"
        assert (await again(agent)).divergence is None


async def test_where_the_time_ran_out(start_agent) -> None:
    model = ScriptedAgent([WRITE])

    def answer(body: dict[str, Any]) -> Any:
        reply = model(body)
        reply.delay = 3.0 if model.asked[-1] == "content" else 0.0
        return reply

    async with start_agent(answer) as agent:
        result = await agent.run(GOAL, max_seconds=2, report="template")
        assert result["status"] == "stopped"
        assert (await again(agent)).divergence is None


async def test_memories_are_those_of_then(start_agent, memories_of) -> None:
    goal = "Write the word hallo to hallo.txt"
    write = Move("write_file", "hallo", path="hallo.txt")
    astray = Move("python", "raise SystemExit('quux is not a way')")
    async with start_agent(ScriptedAgent([astray, write])) as agent:
        await agent.run(goal)
        assert (await again(agent)).divergence is None
        (agent.workspace / "hallo.txt").unlink()
        agent.thread = "6f0c2a4e-6c1d-4d5e-9a53-0c9d3a1f7b61"
        await agent.run(goal)
        assert "quux" in str((await agent.values())["recalled"])
        memories = memories_of(agent.kept)
        await memories.forget([memory.id for memory in await memories.browse()])
        assert (await memories.recall(goal)).found == []
        assert (await again(agent)).divergence is None


async def test_the_tools_and_rules_are_those_of_then(start_agent, monkeypatch) -> None:
    """Whatever key, sandbox or settings file there is where it is replayed."""
    async with start_agent(ScriptedAgent([ELSEWHERE, WRITE])) as agent:
        await agent.run(GOAL, approvals=["deny:write_file(*.md)"])
        monkeypatch.setenv("TAVILY_API_KEY", "tvly-0123")
        monkeypatch.setattr(PythonTool, "unavailable", lambda self: "no sandbox")
        assert (await again(agent)).divergence is None


async def test_servers_are_not_started(start_agent, monkeypatch, tmp_path) -> None:
    move = Move("mcp__things__add", a=2, b=3)
    with mcp_settings(monkeypatch, tmp_path):
        async with start_agent(ScriptedAgent([move, WRITE])) as agent:
            result = await agent.run(GOAL, approvals=["allow:mcp__things__*"])
            assert (result["status"], result["usage"]["steps"]) == ("done", 2)
            monkeypatch.delenv("REPLAN_SETTINGS")
            settings.cache_clear()
            done = await again(agent)
            assert done.divergence is None
            assert done.calls["tool"] == 2


class Bell:
    """A tool of the user's own, known to the record by what was noted of it."""

    name = "bell"
    description = "Rings the bell so many times."
    parameters: ClassVar[dict[str, Any]] = schema(["times"], times={"type": "integer"})
    content = None
    content_language = ""

    def __init__(self) -> None:
        self.rung = 0

    def unavailable(self) -> str:
        return ""

    async def call(self, args: dict[str, Any], context: CallContext) -> Observation:
        self.rung += args["times"]
        return Observation(ok=True, text="ding")


async def test_own_tools_and_roles(start_agent) -> None:
    bell, roles = Bell(), {"recall": RecallNothing()}
    async with start_agent(ScriptedAgent([Move("bell", times=3), WRITE]), roles) as agent:
        agent.graph = build_agent(
            roles, tools=[bell], checkpointer=agent.kept.saver, store=agent.kept.store
        )
        result = await agent.run(GOAL)
        assert (result["status"], bell.rung) == ("done", 3)
        assert (await again(agent, roles=roles, tools=[bell])).divergence is None
        assert (await again(agent, roles=roles)).divergence is None
        assert bell.rung == 3
        found = (await again(agent)).divergence  # with who recalls by default
        assert (found.node, found.kind) == ("recall", "store")
