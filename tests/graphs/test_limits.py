"""A run ends with the limit that it reached, keeps what it has, and can go on."""

from typing import Any

import pytest
from scripted_agent import Move, ScriptedAgent

GOAL = "Write the word hello to hello.txt"
WRITE = Move("write_file", "hello", path="hello.txt")
ELSEWHERE = Move("python", "print('elsewhere')")


@pytest.mark.parametrize(
    ("limit", "value"), [("max_steps", 1), ("max_tokens", 1), ("max_cost", 1e-9)]
)
async def test_a_limit_stops_the_run_and_is_named(start_agent, limit: str, value: Any) -> None:
    model = ScriptedAgent([ELSEWHERE])
    async with start_agent(model, models=("gpt-4.1",)) as agent:
        result = await agent.run(GOAL, model="gpt-4.1", **{limit: value})
    assert result["status"] == "stopped"
    assert f"--{limit.replace('_', '-')}" in result["report"]
    assert result["usage"].get("steps", 0) == (1 if limit == "max_steps" else 0)
    assert "report" not in model.asked  # No budget is left to have one written.


@pytest.mark.parametrize("slow", ["decompose", "select_tool", "content"])
async def test_time_that_runs_out_during_a_call_stops_the_run(start_agent, slow: str) -> None:
    model = ScriptedAgent([WRITE])

    def answer(body: dict[str, Any]) -> Any:
        reply = model(body)
        reply.delay = 1.5 if model.asked[-1] == slow else 0.0
        return reply

    async with start_agent(answer) as agent:
        result = await agent.run(GOAL, max_seconds=1)
        assert not (agent.workspace / "hello.txt").exists()
    assert result["status"] == "stopped"
    assert "--max-seconds" in result["report"]
    assert result["usage"]["seconds"] < 3


async def test_a_limit_reached_with_the_last_step_is_no_reason_to_stop(start_agent) -> None:
    async with start_agent(ScriptedAgent([WRITE])) as agent:
        result = await agent.run(GOAL, max_steps=1)
    assert (result["status"], result["usage"]["steps"]) == ("done", 1)


async def test_tasks_side_by_side_do_not_go_past_the_steps(start_agent) -> None:
    tasks = [
        {"title": "ALPHA: one to a.txt", "writes": ["a.txt"]},
        {"title": "BETA: two to b.txt", "writes": ["b.txt"]},
    ]
    model = ScriptedAgent([ELSEWHERE], tasks=tasks)
    async with start_agent(model) as agent:
        result = await agent.run(
            "Write one to a.txt and two to b.txt", plan="dag", max_steps=3, max_parallel=2
        )
    assert (result["status"], result["usage"]["steps"]) == ("stopped", 3)
