"""What happens next, from facts alone."""

from typing import Any

import pytest

from replan.nodes.contract import ReviewRequest
from replan.nodes.review.checks import ReviewByChecks
from replan.state.task import Action, Attempt, Check, CheckResult, Observation, Task

CHECK = Check(kind="file_exists", path="sum.txt")
PASSED = CheckResult(check=CHECK, passed=True)
FAILED = CheckResult(check=CHECK, passed=False, detail="there is no such file")


def task(status: Any, reason: str = "") -> Task:
    attempt = Attempt(action=Action(tool="python"), observation=Observation(ok=True), reason=reason)
    attempts = [attempt] if reason else []
    return Task(id="t1", title="Add up\nWhat went wrong", status=status, attempts=attempts)


@pytest.mark.parametrize(
    ("facts", "decision", "reason"),
    [
        ({"tasks": [task("open")]}, "next", ""),
        ({"tasks": [task("done"), task("open")]}, "next", ""),
        ({"tasks": [task("done")], "evidence": [PASSED]}, "done", "every check passes"),
        ({"tasks": [task("dropped"), task("done")]}, "done", "every task is done"),
        ({"tasks": [task("done")], "evidence": [PASSED, FAILED]}, "replan", "no such file"),
        ({"tasks": [task("failed", "it crashed"), task("open")]}, "replan", "it crashed"),
        ({"tasks": [task("failed", "it crashed")], "replans": 1}, "replan", "it crashed"),
        ({"tasks": [task("failed", "it crashed")], "replans": 2}, "failed", "it crashed"),
        ({"tasks": [task("failed")], "max_replans": 0}, "failed", "no attempt"),
        ({"tasks": [task("done")], "evidence": [FAILED], "replans": 2}, "failed", "no such file"),
        ({"tasks": [task("open")], "limit": "no more steps"}, "stopped", "no more steps"),
        ({"tasks": [task("failed", "x")], "limit": "no more steps"}, "stopped", "no more steps"),
        (
            {"tasks": [task("done")], "evidence": [FAILED], "limit": "no more steps"},
            "stopped",
            "no more steps",
        ),
        ({"tasks": [task("done")], "evidence": [PASSED], "limit": "no more steps"}, "done", ""),
    ],
)
async def test_limits_then_failures_then_open_tasks_then_the_goal(
    facts: dict[str, Any], decision: str, reason: str
) -> None:
    result = await ReviewByChecks()(ReviewRequest(goal="a goal", **facts), None)  # type: ignore[arg-type]
    assert result.decision == decision
    assert reason in result.reason


async def test_the_reason_names_a_task_without_its_hints() -> None:
    request = ReviewRequest(goal="a goal", tasks=[task("failed", "it crashed")])
    result = await ReviewByChecks()(request, None)  # type: ignore[arg-type]
    assert result.reason == "'Add up' failed: it crashed"


async def test_that_a_call_was_made_again_is_no_reason() -> None:
    failed = task("failed", "it crashed")
    again = Attempt(
        action=Action(tool="python"),
        observation=Observation(ok=False, repeated=True),
        reason="this call was made before",
    )
    failed.attempts = [*failed.attempts, again]
    result = await ReviewByChecks()(ReviewRequest(goal="a goal", tasks=[failed]), None)  # type: ignore[arg-type]
    assert result.reason == "'Add up' failed: it crashed"


@pytest.mark.parametrize(("limit", "decision"), [("no more time", "stopped"), ("", "replan")])
async def test_a_goal_without_tasks_is_not_done(limit: str, decision: str) -> None:
    request = ReviewRequest(goal="a goal", tasks=[], limit=limit)
    result = await ReviewByChecks()(request, None)  # type: ignore[arg-type]
    assert result.decision == decision
