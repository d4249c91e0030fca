"""An implementation that breaks its contract is named, in one line, and the run is resumable."""

import asyncio
import time
from contextlib import suppress
from typing import Any

import pytest
from scripted_agent import Move, ScriptedAgent

from replan.graphs.build import build_agent
from replan.nodes.contract import (
    CONTRACTS,
    ExecuteRequest,
    ExecuteResult,
    PlanRequest,
    PlanResult,
    ReviewResult,
    Use,
)
from replan.nodes.execute.direct import ExecuteDirectly
from replan.nodes.plan.sequence import PlanSequence
from replan.state.errors import ContractError, SettingError

GOAL = "Write the word hello to hello.txt"
WRITE = Move("write_file", "hello", path="hello.txt")


async def never(request: Any, use: Use) -> Any:
    await asyncio.Event().wait()


async def stubborn(request: Any, use: Use) -> Any:
    """Does not end when it is cancelled; only the second time."""
    with suppress(asyncio.CancelledError):
        await asyncio.sleep(60)
    await asyncio.sleep(60)


def not_async(request: PlanRequest, use: Use) -> PlanResult:
    return PlanResult(tasks=request.tasks)


async def set_wrongly(request: PlanRequest, use: Use) -> PlanResult:
    result = PlanResult(tasks=request.tasks)
    result.tasks[0].status = "half"  # type: ignore[assignment]
    return result


async def gave_itself_up(request: PlanRequest, use: Use) -> PlanResult:
    raise asyncio.CancelledError


@pytest.mark.parametrize(
    ("mine", "said"),
    [
        (not_async, "of plan is not async: it gave PlanResult at once."),
        (set_wrongly, "of plan answered with a PlanResult that is none: tasks.0.status: "),
        (gave_itself_up, "of plan was cancelled by itself."),
    ],
)
async def test_it_is_named_and_the_run_goes_on_with_another(
    start_agent, mine: Any, said: str
) -> None:
    name = f"{__name__}:{mine.__name__}"
    async with start_agent(ScriptedAgent([WRITE]), {"plan": mine}) as agent:
        with pytest.raises(ContractError) as raised:
            await agent.run(GOAL)
        line = str(raised.value)
        assert f"the implementation {name!r} {said}" in line
        assert "\n" not in line
        assert line.endswith("Mend it, then resume.")
        agent.graph = build_agent(checkpointer=agent.kept.saver, store=agent.kept.store)
        assert (await agent.run(None))["status"] == "done"


@pytest.mark.parametrize("role", CONTRACTS)
async def test_one_that_never_answers_is_named_whatever_its_role(start_agent, role: str) -> None:
    async with start_agent(ScriptedAgent([WRITE]), {role: never}) as agent:
        began = time.monotonic()
        with pytest.raises(ContractError) as raised:
            await agent.run(GOAL, max_role_seconds=1)
        assert time.monotonic() - began < 20
        assert f":never' of {role} did not answer within 1 s" in str(raised.value)
        agent.graph = build_agent(checkpointer=agent.kept.saver, store=agent.kept.store)
        assert (await agent.run(None))["status"] == "done"


async def test_one_that_does_not_end_when_it_is_cancelled_is_left_behind(
    start_agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("replan.nodes.answering._GRACE_SECONDS", 0.2)
    async with start_agent(ScriptedAgent([WRITE]), {"plan": stubborn}) as agent:
        with pytest.raises(ContractError, match=r"of plan did not answer within 1 s"):
            await agent.run(GOAL, max_role_seconds=1)


async def test_the_time_of_the_run_holds_as_well(start_agent) -> None:
    async with start_agent(ScriptedAgent([WRITE]), {"plan": never}) as agent:
        events = []
        async for _, event in agent.graph.astream(
            {"goal": GOAL}, agent.config, context=agent.context(max_seconds=2),
            stream_mode=["custom"],
        ):  # fmt: skip
            events.append(event)
        values = await agent.values()
    assert values["status"] == "stopped"
    assert "--max-seconds" in values["report"]
    notes = [event["what"] for event in events if event.get("event") == "note"]
    assert any("before plan (" in note and ":never)" in note for note in notes)


async def slow_tool(request: ExecuteRequest, use: Use) -> ExecuteResult:
    """Waits for a tool, and for nothing else."""
    return await ExecuteDirectly()(request, use)


async def test_time_for_the_model_and_the_tools_is_not_its_own(start_agent) -> None:
    script = "import time\ntime.sleep(1.5)\nopen('hello.txt', 'w').write('hello')"
    model = ScriptedAgent([Move("python", script)], delay=1.3)
    async with start_agent(model, {"execute": slow_tool}) as agent:
        result = await agent.run(GOAL, max_role_seconds=1)
    assert result["status"] == "done"


async def test_classes_functions_and_names_are_taken_too(start_agent) -> None:
    roles = {"plan": PlanSequence, "report": "template", "execute": slow_tool}
    async with start_agent(ScriptedAgent([WRITE]), roles) as agent:
        result = await agent.run(GOAL, plan="dag", report="llm")
        assert result["report"].startswith("Done.")


class NeedsMore:
    def __init__(self, depth: int) -> None:
        self.depth = depth

    async def __call__(self, request: Any, use: Use) -> ReviewResult:
        return ReviewResult(decision="done")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (PlanResult(tasks=[]), "of plan cannot be called: it is of type PlanResult"),
        (NeedsMore, "NeedsMore of plan cannot be made without arguments"),
        ("htn", "plan has no implementation 'htn'"),
    ],
)
def test_what_cannot_play_a_role_is_refused_at_once(given: Any, said: str) -> None:
    with pytest.raises(SettingError, match=said):
        build_agent({"plan": given})
