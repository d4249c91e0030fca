"""Recorded replay: where today's code goes another way, and what cannot be replayed."""

from typing import Any

import pytest
from replay_again import again
from scripted_agent import Move, ScriptedAgent

from replan.graphs.replay import replay
from replan.nodes import briefing
from replan.nodes.remember.none import RememberNothing
from replan.nodes.remember.store import RememberInStore
from replan.nodes.report.llm import ReportByModel
from replan.nodes.report.template import ReportByTemplate
from replan.nodes.select_tool import conversation
from replan.state.errors import ThreadNotFoundError, UsageError
from replan.tools.files import WriteFile

# Whether hello.txt is to be written has to be asked: the goal could be plainer.
GOAL = "I need hello.txt with the word hello"
WRITE = Move("write_file", "hello", path="hello.txt")
ELSEWHERE = Move("python", "open('other.txt', 'w').write('hello')")


@pytest.mark.parametrize(
    ("module", "name", "node"),
    [(briefing, "_SYSTEM", "decompose"), (conversation, "_HOTTER", "select_tool")],
)
async def test_another_question_is_found_at_its_step(
    start_agent, monkeypatch, module: Any, name: str, node: str
) -> None:
    async with start_agent(ScriptedAgent([ELSEWHERE, WRITE])) as agent:
        await agent.run(GOAL)
        now = getattr(module, name)
        changed = f"Be brief.\n{now}" if isinstance(now, str) else tuple(one + 0.1 for one in now)
        monkeypatch.setattr(module, name, changed)
        found = (await again(agent)).divergence
        assert found is not None
        history = await agent.history()
        at = next(at for at, one in enumerate(history) if one.next == (node,))
        assert found.step == history[at + 1].metadata["step"]
        assert found.checkpoint_id == history[at].config["configurable"]["checkpoint_id"]
        assert (found.node, found.kind) == (node, "model")
        assert found.task == ("t1" if node == "select_tool" else "")
        assert found.what == "the question to the model asks something else than was recorded"
        added = [line for line in found.difference.splitlines() if line.startswith("+")]
        assert any("Be brief." in line or "temperature: 0.1" in line for line in added)


async def test_a_result_that_is_made_otherwise_is_found(start_agent, monkeypatch) -> None:
    async with start_agent(ScriptedAgent([WRITE])) as agent:
        await agent.run(GOAL, remember="none")  # which is told of the call too
        with monkeypatch.context() as patch:
            patch.setattr("replan.graphs.cycle._SHOWN_CHARS", 2)
            found = (await again(agent)).divergence
            assert (found.node, found.kind) == ("report", "model")
        monkeypatch.setattr("replan.graphs.branch.KEPT_CHARS", 2)
        found = (await again(agent)).divergence
        assert (found.node, found.kind, found.task) == ("reflect", "state", "t1")
        assert found.what.startswith("the state differs in ")
        assert found.what.endswith("tasks")
        assert '-tasks.t1.attempts[0].action.args.path: "hello.txt"' in found.difference
        assert '+tasks.t1.attempts[0].action.args.path: "he"' in found.difference


async def test_calls_too_many_and_too_few_are_found(start_agent, monkeypatch) -> None:
    async with start_agent(ScriptedAgent([WRITE])) as agent:
        await agent.run(GOAL, report="template")
        with monkeypatch.context() as patch:
            patch.setattr(ReportByTemplate, "__call__", ReportByModel.__call__)
            found = (await again(agent)).divergence
        assert (found.node, found.kind) == ("report", "model")
        assert found.what == "the question to the model is not in the record"
        monkeypatch.setattr(RememberInStore, "__call__", RememberNothing.__call__)
        found = (await again(agent)).divergence
        assert (found.node, found.kind) == ("reflect", "store")
        assert found.what == "the use of long-term memory is not made"


async def test_code_that_fails_today_is_found(start_agent, monkeypatch) -> None:
    async with start_agent(ScriptedAgent([WRITE])) as agent:
        await agent.run(GOAL)
        monkeypatch.setattr("replan.graphs.branch.Attempt", None)
        found = (await again(agent)).divergence
        assert (found.node, found.kind) == ("reflect", "error")
        assert found.what.startswith("TypeError: ")


async def test_a_call_that_would_be_asked_about_today_is_found(start_agent, monkeypatch) -> None:
    async with start_agent(ScriptedAgent([WRITE])) as agent:
        await agent.run(GOAL)
        monkeypatch.setattr(WriteFile, "leaves", True, raising=False)
        found = (await again(agent)).divergence
        assert (found.node, found.kind, found.task) == ("select_tool", "state", "t1")
        assert "+what is dispatched next[0].payload.asked" in found.difference


async def test_what_cannot_be_replayed(start_agent) -> None:
    async with start_agent(ScriptedAgent([WRITE])) as agent:
        with pytest.raises(ThreadNotFoundError):
            await replay(agent.kept, agent.thread)
        await agent.run(GOAL)
        ids = [one.config["configurable"]["checkpoint_id"] for one in await agent.history()]
        with pytest.raises(UsageError, match="no checkpoint 'nonsense'"):
            await again(agent, start="nonsense")
        with pytest.raises(UsageError, match="no branch leads"):
            await again(agent, start=ids[5], end=ids[3])
        with pytest.raises(UsageError, match="nothing ran"):
            await again(agent, start=ids[5], end=ids[5])
        async with agent.kept.pool.connection() as connection:
            await connection.execute(
                "DELETE FROM replan_journal WHERE thread_id = %s", (agent.thread,)
            )
        with pytest.raises(UsageError, match="no calls of this run are recorded"):
            await again(agent)
