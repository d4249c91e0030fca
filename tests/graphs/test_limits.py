"""A run ends with the limit that it reached, keeps what it has, and can go on."""

from typing import Any
from uuid import uuid4

import pytest
from langchain_core.messages import HumanMessage
from openai_server import Reply, count_tokens
from scripted_agent import Move, ScriptedAgent

from replan.models.prices import cost
from replan.nodes.contract import (
    ReportRequest,
    ReportResult,
    ReviewRequest,
    ReviewResult,
    Use,
)
from replan.nodes.registry import implementation
from replan.state.context import Context
from replan.state.errors import ModelAnswerError, SettingError

# Whether hello.txt is to be written has to be asked: the goal could be plainer.
GOAL = "I need hello.txt with the word hello"
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


class Spending:
    """A model, and how long each of its answers may have been."""

    def __init__(self, model: ScriptedAgent) -> None:
        self.model = model
        self.bounds: list[int] = []

    def __call__(self, body: dict[str, Any]) -> Reply:
        self.bounds.append(body.get("max_completion_tokens") or body["max_tokens"])
        return self.model(body)


@pytest.mark.parametrize("tokens", [500, 2_000, 4_000, 7_000])
async def test_tokens_are_not_overshot_and_each_call_is_bounded_by_what_is_left(
    start_agent, tokens: int
) -> None:
    numbers = iter(range(100))
    model = Spending(
        ScriptedAgent(
            lambda prompt: Move("python", f"open('f{next(numbers)}.txt', 'w').write('x')")
        )
    )
    async with start_agent(model) as agent:
        result = await agent.run(GOAL, max_tokens=tokens, max_attempts=90, max_replans=90)
        assert result["status"] == "stopped"
        assert "--max-tokens" in result["report"]
        usage = result["usage"]
        assert usage.get("input_tokens", 0) + usage.get("output_tokens", 0) <= tokens
        used = 0
        for body, bound in zip(agent.server.requests, model.bounds, strict=True):
            sent = sum(count_tokens(message["content"]) for message in body["messages"])
            assert used + sent + bound <= tokens
            used += sent
        assert "report" not in model.model.asked


async def test_dollars_are_not_overshot(start_agent) -> None:
    numbers = iter(range(100))
    model = Spending(
        ScriptedAgent(
            lambda prompt: Move("python", f"open('f{next(numbers)}.txt', 'w').write('x')")
        )
    )
    async with start_agent(model, models=("gpt-4.1",)) as agent:
        result = await agent.run(
            GOAL, model="gpt-4.1", max_cost=0.02, max_attempts=90, max_replans=90
        )
        assert result["status"] == "stopped"
        assert "--max-cost" in result["report"]
        assert 0.005 < result["usage"]["cost_usd"] <= 0.02
        last = agent.server.requests[-1]
        sent = sum(count_tokens(message["content"]) for message in last["messages"])
        assert cost("gpt-4.1", sent, model.bounds[-1]) <= 0.02
        # The shorter the money, the shorter the answers.
        assert result["usage"]["steps"] >= 1


async def test_dollars_of_a_model_without_a_price_cannot_be_limited(start_agent) -> None:
    async with start_agent(ScriptedAgent([WRITE])) as agent:
        with pytest.raises(SettingError, match="no price is known for scripted"):
            await agent.run(GOAL, max_cost=1.0)


TWO = [
    {"title": "ALPHA: one to a.txt", "writes": ["a.txt"]},
    {"title": "BETA: two to b.txt", "writes": ["b.txt"]},
]
TWO_GOAL = "Write one to a.txt and two to b.txt"


@pytest.mark.parametrize("tokens", [3_000, 6_000, 12_000])
async def test_tasks_side_by_side_share_the_tokens(start_agent, tokens: int) -> None:
    numbers = iter(range(200))
    model = Spending(
        ScriptedAgent(
            lambda prompt: Move("python", f"open('f{next(numbers)}.txt', 'w').write('x')"),
            tasks=TWO,
        )
    )
    async with start_agent(model) as agent:
        result = await agent.run(
            TWO_GOAL, plan="dag", max_tokens=tokens, max_attempts=90, max_replans=90
        )
        steps = [step.next for step in await agent.history()]
    assert result["status"] == "stopped"
    assert "--max-tokens" in result["report"]
    usage = result["usage"]
    used = usage["input_tokens"] + usage["output_tokens"]
    assert tokens / 4 < used <= tokens
    if tokens == 12_000:
        assert ("select_tool", "select_tool") in steps


async def test_tasks_side_by_side_share_the_seconds(start_agent) -> None:
    model = ScriptedAgent([ELSEWHERE], tasks=TWO)

    def answer(body: dict[str, Any]) -> Any:
        reply = model(body)
        reply.delay = 5.0 if model.asked[-1] == "select_tool" else 0.0
        return reply

    async with start_agent(answer) as agent:
        result = await agent.run(TWO_GOAL, plan="dag", max_seconds=3, max_parallel=2)
    assert result["status"] == "stopped"
    assert "--max-seconds" in result["report"]
    assert result["usage"]["seconds"] < 4


async def test_a_tool_call_is_bounded_by_the_seconds_left(start_agent) -> None:
    model = ScriptedAgent([Move("python", "import time\ntime.sleep(60)")])
    async with start_agent(model) as agent:
        result = await agent.run(GOAL, max_seconds=3)
    assert result["status"] == "stopped"
    assert result["usage"]["seconds"] < 5


async def test_replans_are_held_whoever_reviews(start_agent) -> None:
    async def again(request: ReviewRequest, use: Use) -> ReviewResult:
        return ReviewResult(decision="replan", reason="not good enough")

    numbers = iter(range(100))
    model = ScriptedAgent(
        lambda prompt: Move("python", f"open('f{next(numbers)}', 'w').write('x')")
    )
    async with start_agent(model, {"review": again}) as agent:
        result = await agent.run(GOAL, max_replans=3)
    assert result["status"] == "failed"
    assert model.asked.count("replan") == 2  # the first time it is begun afresh
    assert "not good enough (the limit of 3 replans (--set max_replans=N)" in result["report"]


async def test_attempts_are_held(start_agent) -> None:
    numbers = iter(range(100))
    model = ScriptedAgent(
        lambda prompt: Move("python", f"open('f{next(numbers)}', 'w').write('x')")
    )
    async with start_agent(model) as agent:
        result = await agent.run(GOAL, max_attempts=4, max_replans=0)
        [task] = await agent.tasks()
    assert (result["status"], task["tries"], result["usage"]["steps"]) == ("failed", 4, 4)


async def test_a_review_that_always_goes_on_does_not_get_past_the_steps(start_agent) -> None:
    async def on(request: ReviewRequest, use: Use) -> ReviewResult:
        return ReviewResult(decision="next")

    numbers = iter(range(100))
    model = ScriptedAgent(
        lambda prompt: Move("python", f"open('f{next(numbers)}', 'w').write('x')")
    )
    async with start_agent(model, {"review": on}) as agent:
        result = await agent.run(GOAL, max_steps=2, max_attempts=90)
    assert (result["status"], result["usage"]["steps"]) == ("stopped", 2)
    assert "--max-steps" in result["report"]


@pytest.mark.parametrize("role", ["decompose", "plan", "select_tool", "reflect", "report"])
async def test_a_role_without_room_for_its_call_ends_in_stopped_and_can_go_on(
    start_agent, role: str
) -> None:
    """The role asks for what no budget of the run allows, and later for what it does."""
    greedy = [True]
    roles = {role: Greedy(role, greedy)}
    # What evidence decides, it decides without a model too.
    model = ScriptedAgent([ELSEWHERE, WRITE] if role == "reflect" else [WRITE])
    async with start_agent(model, roles) as agent:
        result = await agent.run(GOAL, max_tokens=60_000)
        if role == "report":  # All is done; only the telling is the template's.
            assert result["status"] == "done"
            assert "hello.txt" in result["report"]
            return
        assert result["status"] == "stopped"
        assert "what is left is too little for a call" in result["report"]
        assert (await agent.values())["short"] == "max_tokens"
        greedy.clear()
        changed = {"status": "", "report": "", "short": ""}
        await agent.graph.aupdate_state(agent.config, changed, as_node="reflect")
        again = await agent.run(None, max_tokens=60_000)
        assert again["status"] == "done"
        assert agent.read("hello.txt") == "hello"


class Greedy:
    """Plays a role as the built-in one does, after a question that leaves no room for an answer."""

    def __init__(self, role: str, greedy: list[bool]) -> None:
        self._role = role
        self._greedy = greedy

    async def __call__(self, request: Any, use: Use) -> Any:
        if self._greedy:
            await use.model.text([HumanMessage("word " * 60_000)], max_tokens=100)
        return await implementation(self._role, getattr(Context(), self._role))(request, use)


async def test_the_report_of_a_stopped_run_asks_no_model_whoever_writes_it(start_agent) -> None:
    asked: list[str] = []

    async def eager(request: ReportRequest, use: Use) -> ReportResult:
        asked.append(request.status)
        return ReportResult(report=await use.model.text([HumanMessage("Tell.")], max_tokens=50))

    model = ScriptedAgent([ELSEWHERE])
    async with start_agent(model, {"report": eager}) as agent:
        result = await agent.run(GOAL, max_steps=1)
    assert asked == ["stopped"]
    assert result["report"].startswith("Stopped before it was done.")
    assert "report" not in model.asked


async def test_an_answer_cut_short_by_the_limit_is_not_used(start_agent) -> None:
    """Half a file is worse than none."""
    model = ScriptedAgent([WRITE])

    def answer(body: dict[str, Any]) -> Reply:
        reply = model(body)
        bound = body.get("max_completion_tokens") or body["max_tokens"]
        if model.asked[-1] == "content" and bound < 400:
            reply.content, reply.finish_reason = "```\nhel", "length"
        return reply

    stops = 0
    async with start_agent(answer) as agent:
        for tokens in range(1_000, 9_000, 200):
            agent.thread = str(uuid4())
            result = await agent.run(GOAL, max_tokens=tokens)
            stops += result["status"] == "stopped"
            if result["status"] == "done":
                assert agent.read("hello.txt") == "hello"
                break
            assert not (agent.workspace / "hello.txt").exists()
    assert stops > 0
    assert result["status"] == "done"


async def test_what_failed_calls_used_up_counts_after_the_resume(start_agent) -> None:
    good, bad = ScriptedAgent([WRITE]), [True]
    async with start_agent(lambda body: "no JSON at all" if bad else good(body)) as agent:
        with pytest.raises(ModelAnswerError):
            await agent.run(GOAL)
        bad.clear()
        result = await agent.run(None)
        assert result["status"] == "done"
        usage = result["usage"]
        assert usage["model_calls"] == len(agent.server.requests)
        sent = sum(
            count_tokens(message["content"])
            for body in agent.server.requests
            for message in body["messages"]
        )
        assert usage["input_tokens"] == sent


async def test_waiting_for_a_failing_server_counts_into_the_seconds(start_agent) -> None:
    model = ScriptedAgent([WRITE])
    faults = [Reply(status=503, content="loading", headers={"Retry-After": "1.2"})]
    async with start_agent(lambda body: faults.pop() if faults else model(body)) as agent:
        result = await agent.run(GOAL)
    assert result["status"] == "done"
    assert result["usage"]["model_seconds"] > 1.2
    assert result["usage"]["seconds"] > 1.2
