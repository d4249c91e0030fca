"""Calls that a person is asked about: the run waits, and goes on as it is answered."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from langgraph.types import Command
from mcp_settings import mcp_settings
from scripted_agent import Move, ScriptedAgent

from replan.graphs.build import build_agent
from replan.nodes.contract import ExecuteRequest, ExecuteResult, Use
from replan.nodes.execute.direct import ExecuteDirectly
from replan.state.agent_state import AgentInput
from replan.state.approval import Answer
from replan.state.context import Context

GOAL = "Write the word hello to hello.txt"
WRITE = Move("write_file", "hello", path="hello.txt")
ELSEWHERE = Move("python", "open('hello.txt', 'w').write('hello')")
ASK = ["ask:write_file(*.txt)"]
TWO = [
    {"title": "Write a.txt", "writes": ["a.txt"], "depends_on": []},
    {"title": "Write b.txt", "writes": ["b.txt"], "depends_on": []},
]


class Counting:
    """Carries calls out, and keeps them."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []

    async def __call__(self, request: ExecuteRequest, use: Use) -> ExecuteResult:
        self.calls.append(request.action.args)
        return await ExecuteDirectly()(request, use)


async def answer(agent: Any, resume: Any, **context: Any) -> Any:
    return await agent.graph.ainvoke(
        Command(resume=resume), agent.config, context=agent.context(**context), durability="sync"
    )


async def waiting(agent: Any) -> list[Any]:
    return list((await agent.graph.aget_state(agent.config)).interrupts)


async def test_a_call_waits_and_is_made_once_when_approved(start_agent) -> None:
    counting = Counting()
    async with start_agent(ScriptedAgent([WRITE]), {"execute": counting}) as agent:
        result = await agent.run(GOAL, approvals=ASK)
        [asked] = result["__interrupt__"]
        assert asked.value == {
            "kind": "approval",
            "tool": "write_file",
            "args": {"path": "hello.txt", "text": "hello\n"},
            "task": {"id": "t1", "title": GOAL},
            "why": "the rule ask:write_file(*.txt)",
            "problem": "",
        }
        json.dumps(asked.value)
        assert asked.response_schema == Answer.model_json_schema()
        assert not (agent.workspace / "hello.txt").exists()
        assert counting.calls == []
        assert (await agent.graph.aget_state(agent.config)).next == ("execute",)

        models_asked = len(agent.server.requests)
        result = await answer(agent, {"decision": "approve"}, approvals=ASK)
        assert result["status"] == "done"
        assert result["usage"]["steps"] == 1
        assert agent.read("hello.txt") == "hello"
        assert len(counting.calls) == 1
        assert len(agent.server.requests) == models_asked + 1  # the report


async def test_a_rejection_is_what_the_model_sees_and_is_not_asked_twice(start_agent) -> None:
    model = ScriptedAgent([WRITE, WRITE, ELSEWHERE])
    async with start_agent(model) as agent:
        await agent.run(GOAL, approvals=ASK)
        no = {"decision": "reject", "reason": "write it by a script"}
        result = await answer(agent, no, approvals=ASK)
        assert result["status"] == "done"
        assert "__interrupt__" not in result  # The same call again counts as a repeat.
        [task] = await agent.tasks()
        seen = [attempt["observation"] for attempt in task["attempts"]]
    assert [one["reason"] for one in seen] == ["rejected", "", ""]
    assert [one["repeated"] for one in seen] == [False, True, False]
    assert "the user rejected this call: write it by a script" in seen[0]["error"]
    choices = [body for body in agent.server.requests if "response_format" in body]
    assert "write it by a script" in json.dumps(choices[-1]["messages"])


async def test_edited_arguments_are_what_is_called_and_told(start_agent) -> None:
    counting = Counting()
    wrong = Move("write_file", "hallo", path="hello.txt")
    async with start_agent(ScriptedAgent([wrong]), {"execute": counting}) as agent:
        await agent.run(GOAL, approvals=ASK)
        edited = {"path": "hello.txt", "text": "hello"}
        result = await answer(agent, {"decision": "edit", "args": edited}, approvals=ASK)
        assert result["status"] == "done"
        assert agent.read("hello.txt") == "hello"
        [task] = await agent.tasks()
    assert counting.calls == [edited]
    assert task["attempts"][0]["action"]["args"] == edited


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("yes", "the answer: Input should be"),
        ({"decision": "maybe"}, "decision: Input should be 'approve', 'edit' or 'reject'"),
        ({"decision": "approve", "always": True}, "always: Extra inputs"),
        ({"decision": "edit", "args": {"path": "hello.txt"}}, "'text' is a required property"),
        ({"decision": "edit"}, "'path' is a required property"),
        (
            {"decision": "edit", "args": {"path": "d/../secret.md", "text": ""}},
            "the edited call is denied by the rule deny:write_file(secret.md)",
        ),
    ],
)
async def test_an_answer_that_cannot_be_used_is_asked_for_again(
    start_agent, given: Any, problem: str
) -> None:
    rules = [*ASK, "deny:write_file(secret.md)"]
    async with start_agent(ScriptedAgent([WRITE])) as agent:
        await agent.run(GOAL, approvals=rules)
        await answer(agent, given, approvals=rules)
        [asked] = await waiting(agent)
        assert problem in asked.value["problem"]
        assert list(agent.workspace.iterdir()) == []
        result = await answer(agent, {asked.id: {"decision": "approve"}}, approvals=rules)
        assert result["status"] == "done"


async def test_branches_wait_side_by_side_and_are_answered_by_id(start_agent) -> None:
    def moves(messages: str) -> Move:
        path = "a.txt" if "Your task: Write a.txt" in messages else "b.txt"
        return Move("write_file", "x", path=path)

    rules = ["ask:write_file(*)"]
    context = {"approvals": rules, "plan": "dag"}
    counting = Counting()
    async with start_agent(ScriptedAgent(moves, tasks=TWO), {"execute": counting}) as agent:
        await agent.run("Write a.txt and b.txt", **context)
        asked = {one.value["args"]["path"]: one.id for one in await waiting(agent)}
        assert set(asked) == {"a.txt", "b.txt"}
        await answer(agent, {asked["b.txt"]: {"decision": "approve"}}, **context)
        assert [one.id for one in await waiting(agent)] == [asked["a.txt"]]
        # Each works in its own copy: both come into the workspace when both have ended.
        assert [call["path"] for call in counting.calls] == ["b.txt"]
        assert [file.name for file in agent.workspace.iterdir()] == []
        result = await answer(agent, {asked["a.txt"]: {"decision": "approve"}}, **context)
        assert result["status"] == "done"
        assert sorted(file.name for file in agent.workspace.iterdir()) == ["a.txt", "b.txt"]
        assert sorted(call["path"] for call in counting.calls) == ["a.txt", "b.txt"]


async def test_what_is_denied_is_an_observation_at_once(start_agent) -> None:
    async with start_agent(ScriptedAgent([WRITE, ELSEWHERE])) as agent:
        result = await agent.run(GOAL, approvals=["deny:write_file(*)", "allow:write_file"])
        assert result["status"] == "done"
        [task] = await agent.tasks()
    seen = task["attempts"][0]["observation"]
    assert (seen["reason"], seen["ok"]) == ("denied", False)
    assert "denied by the rule deny:write_file(*)" in seen["error"]


async def test_rules_given_at_the_answer_hold_for_the_call(start_agent) -> None:
    async with start_agent(ScriptedAgent([WRITE, ELSEWHERE])) as agent:
        await agent.run(GOAL, approvals=ASK)
        result = await answer(agent, {"decision": "approve"}, approvals=["deny:write_file"])
        assert result["status"] == "done"
        [task] = await agent.tasks()
    assert task["attempts"][0]["observation"]["reason"] == "denied"


@pytest.mark.parametrize("decision", ["reject", "approve"])
async def test_an_answer_counts_where_the_rules_are_no_longer_given(
    start_agent, decision: str
) -> None:
    """As through the SDK, which does not keep the context of a run for the next one."""
    async with start_agent(ScriptedAgent([WRITE, ELSEWHERE])) as agent:
        await agent.run(GOAL, approvals=ASK)
        result = await answer(agent, {"decision": decision})
        assert result["status"] == "done"
        [task] = await agent.tasks()
    made = ["rejected", ""] if decision == "reject" else [""]
    assert [one["observation"]["reason"] for one in task["attempts"]] == made


async def test_a_replay_of_an_approved_call_asks_again(start_agent) -> None:
    counting = Counting()
    async with start_agent(ScriptedAgent([WRITE]), {"execute": counting}) as agent:
        await agent.run(GOAL, approvals=ASK)
        assert (await answer(agent, {"decision": "approve"}, approvals=ASK))["status"] == "done"
        [executing] = [step for step in await agent.history() if step.next == ("execute",)]
        (agent.workspace / "hello.txt").unlink()
        result = await agent.run(None, executing.config, approvals=ASK)
        assert len(result["__interrupt__"]) == 1
        assert len(counting.calls) == 1
        assert (await answer(agent, {"decision": "approve"}, approvals=ASK))["status"] == "done"
        assert len(counting.calls) == 2


async def test_a_role_cannot_make_calls_that_nobody_agreed_to(start_agent) -> None:
    """Approval is for the one call, through whichever implementation of the role."""

    async def meddling(request: ExecuteRequest, use: Use) -> ExecuteResult:
        args = {"path": "other.txt", "text": "x"}
        other = request.action.model_copy(update={"args": args})
        observation = await use.tools.call(other)
        assert observation.reason == "ask"
        return await ExecuteDirectly()(request, use)

    async with start_agent(ScriptedAgent([WRITE]), {"execute": meddling}) as agent:
        await agent.run(GOAL, approvals=ASK)
        result = await answer(agent, {"decision": "approve"}, approvals=ASK)
        assert result["status"] == "done"
        assert not (agent.workspace / "other.txt").exists()


async def test_without_checkpoints_nobody_can_be_asked(start_agent) -> None:
    async with start_agent(ScriptedAgent([WRITE, ELSEWHERE])) as agent:
        result = await build_agent().ainvoke(
            AgentInput(goal=GOAL), context=Context(workspace=str(agent.workspace), approvals=ASK)
        )
        assert result["status"] == "done"
        assert "__interrupt__" not in result
        told = json.dumps(agent.server.requests[-2]["messages"])
    assert "nobody can be asked here" in told


@pytest.fixture
def things(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    with mcp_settings(monkeypatch, tmp_path) as secret:
        yield secret


async def test_a_run_with_a_tool_of_an_mcp_server(start_agent, things: str, tmp_path: Path) -> None:
    move = Move("mcp__things__environment")
    async with start_agent(ScriptedAgent([move, ELSEWHERE])) as agent:
        await agent.run(GOAL)
        [asked] = await waiting(agent)
        assert asked.value["tool"] == "mcp__things__environment"
        assert asked.value["why"].endswith("reaches beyond workspace and sandbox")
        assert len(psutil.Process().children()) >= 1
        result = await answer(agent, {"decision": "approve"})
        assert result["status"] == "done"
        [task] = await agent.tasks()
        assert "GIVEN=***" in task["attempts"][0]["observation"]["text"]
        assert "mcp__things__add(a, b)" in json.dumps(agent.server.requests[0]["messages"])
        # Neither in a prompt nor, in whatever form, in the database.
        assert things not in json.dumps(agent.server.requests)
        for table in ("checkpoints", "checkpoint_blobs", "checkpoint_writes", "store"):
            async with agent.kept.pool.connection() as connection:
                found = await connection.execute(
                    f"SELECT count(*) AS n FROM {table} t WHERE t::text LIKE %s OR t::text LIKE %s",
                    (f"%{things}%", f"%{things.encode().hex()}%"),
                )
                assert (await found.fetchone())["n"] == 0
    # The servers of the run ended with it.
    assert [one for one in psutil.Process().children() if "mcp_server" in str(one.cmdline())] == []


async def test_a_call_whose_server_ended_is_no_repeat(start_agent, things: str) -> None:
    die = Move("mcp__things__die")
    async with start_agent(ScriptedAgent([die, die, ELSEWHERE])) as agent:
        result = await agent.run(GOAL, approvals=["allow:mcp__things__*"])
        assert result["status"] == "done"
        [task] = await agent.tasks()
    seen = [attempt["observation"] for attempt in task["attempts"]]
    assert [one["reason"] for one in seen] == ["server ended", "server ended", ""]
    assert not any(one["repeated"] for one in seen)


async def test_half_a_character_in_an_edited_call(start_agent) -> None:
    async with start_agent(ScriptedAgent([WRITE])) as agent:
        await agent.run(GOAL, approvals=ASK)
        args = {"path": "hello.txt", "text": "hello \ud800"}
        result = await answer(agent, {"decision": "edit", "args": args}, approvals=ASK)
        assert result["status"] == "done"
        assert agent.read("hello.txt") == "hello ?"
