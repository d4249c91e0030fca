"""The model as judge of a call and of a run: its word counts where no fact speaks against it."""

from typing import Any

import pytest

from replan.nodes.contract import Brief, ReflectRequest, ReviewRequest
from replan.nodes.reflect.llm import ReflectByModel
from replan.nodes.review.llm import ReviewByModel
from replan.state.task import Action, Check, CheckResult, Observation, Task

GOAL = "Add up the amounts"
CHECK = Check(kind="file_exists", path="sum.txt")
PASSED = CheckResult(check=CHECK, passed=True)
FAILED = CheckResult(check=CHECK, passed=False, detail="it does not exist")


def said(**answer: Any) -> list[dict[str, Any]]:
    return [{"missing": "the sum", "done": False, "progress": False, "lesson": "add", **answer}]


def reflect_on(seen: Observation, *evidence: CheckResult, **task: Any) -> ReflectRequest:
    return ReflectRequest(
        brief=Brief(goal=GOAL),
        task=Task(id="t1", title=GOAL, **task),
        action=Action(tool="python", args={"code": "print(6)"}),
        observation=seen,
        evidence=list(evidence),
    )


NO, YES = {"reached": False}, {"reached": True}
OK = Observation(ok=True, text="6")


@pytest.mark.parametrize(
    ("seen", "evidence", "answer", "verdict", "lesson"),
    [
        (OK, [], said(done=True), "done", ""),
        (OK, [PASSED], said(done=True), "done", ""),
        (OK, [FAILED], said(done=True, progress=True), "continue", "add"),
        (OK, [FAILED], said(done=True), "retry", "add"),
        (Observation(ok=False, error="it broke"), [], said(done=True), "retry", "add"),
        (OK, [], said(progress=True), "continue", "add"),
        (OK, [PASSED], said(), "retry", "add"),
        (Observation(ok=False, repeated=True, error="again"), [], said(progress=True),
         "retry", "add"),
    ],
)  # fmt: skip
async def test_the_verdict_on_a_call(
    use_of, seen: Observation, evidence: list, answer: list, verdict: str, lesson: str
) -> None:
    async with use_of(answer) as (use, server):
        result = await ReflectByModel()(reflect_on(seen, *evidence), use)
    assert (result.verdict, result.lesson) == (verdict, lesson)
    assert result.reason
    asked = server.requests[0]["messages"][-1]["content"]
    for one in evidence:
        assert one.describe() in asked


async def test_calls_that_follow_or_were_only_told_of_are_not_judged(use_of) -> None:
    calls = [Action(tool="read_file"), Action(tool="read_file")]
    async with use_of([]) as (use, server):
        goes_on = await ReflectByModel()(reflect_on(OK, calls=calls), use)
        told = Observation(ok=True, text="would", reason="dry run")
        rehearsed = await ReflectByModel()(reflect_on(told), use)
        assert server.requests == []
    assert (goes_on.verdict, rehearsed.verdict) == ("continue", "done")


def ended(status: str = "done") -> Task:
    return Task(id="t1", title=GOAL, status=status, result="6")


@pytest.mark.parametrize(
    ("request_", "answer", "decision"),
    [
        (ReviewRequest(goal=GOAL, tasks=[ended()]), YES, "done"),
        (
            ReviewRequest(goal=GOAL, tasks=[ended()], evidence=[PASSED]),
            {"reached": False},
            "replan",
        ),
        (ReviewRequest(goal=GOAL, tasks=[ended()], max_replans=0), NO, "failed"),
        (ReviewRequest(goal=GOAL, tasks=[ended()], evidence=[FAILED]), None, "replan"),
        (ReviewRequest(goal=GOAL, tasks=[ended("open")]), None, "next"),
        (ReviewRequest(goal=GOAL, tasks=[ended("failed")]), None, "replan"),
        (ReviewRequest(goal=GOAL, tasks=[ended("open")], limit="no more"), None, "stopped"),
        (ReviewRequest(goal=GOAL, tasks=[ended()], limit="no more"), None, "done"),
    ],
)
async def test_the_decision_about_a_run(
    use_of, request_: ReviewRequest, answer: dict[str, Any] | None, decision: str
) -> None:
    script = [{"missing": "the unit", **answer}] if answer else []
    async with use_of(script) as (use, server):
        result = await ReviewByModel()(request_, use)
        assert len(server.requests) == len(script)
    assert result.decision == decision
    if answer and not answer["reached"]:
        assert "the goal is not reached: the unit" in result.reason
