"""What a call means for its task: evidence first, an opinion only where there is none."""

from typing import Any

import pytest
from scripted_agent import ScriptedAgent

from replan.nodes.contract import Brief, ReflectRequest
from replan.nodes.reflect.checks import by_evidence
from replan.nodes.reflect.checks_then_llm import ReflectByChecksThenModel
from replan.state.task import Action, Attempt, Check, CheckResult, Observation, Task

A = Check(kind="file_exists", path="a.txt")
B = Check(kind="file_exists", path="b.txt")
OK = Observation(ok=True, text="fine", changed=["a.txt"])


def found(check: Check, passed: bool) -> CheckResult:
    return CheckResult(check=check, passed=passed, detail="" if passed else "there is no such file")


def request(
    observation: Observation = OK,
    evidence: list[CheckResult] | None = None,
    before: list[CheckResult] | None = None,
    attempts: list[Attempt] | None = None,
    tool: str = "python",
) -> ReflectRequest:
    task = Task(id="t1", title="Write both", before=before or [], attempts=attempts or [])
    return ReflectRequest(
        brief=Brief(goal="Write both"),
        task=task,
        action=Action(tool=tool),
        observation=observation,
        evidence=evidence or [],
    )


def went_on(evidence: list[CheckResult]) -> Attempt:
    return Attempt(
        action=Action(tool="read_file"), observation=OK, evidence=evidence, verdict="continue"
    )


@pytest.mark.parametrize(
    ("asked", "verdict", "reason"),
    [
        (request(evidence=[found(A, True), found(B, True)]), "done", "every check passes"),
        (request(evidence=[found(A, False)], before=[found(A, False)]), "retry", "no such file"),
        (
            request(
                evidence=[found(A, True), found(B, False)],
                before=[found(A, False), found(B, False)],
            ),
            "continue",
            "b.txt",
        ),
        (
            request(evidence=[found(A, False)], before=[found(A, False)], tool="read_file"),
            "continue",
            "a.txt",
        ),
        (request(Observation(ok=False, error="it crashed")), "retry", "it crashed"),
        (
            request(Observation(ok=False, error="it crashed"), evidence=[found(A, True)]),
            "retry",
            "it crashed",
        ),
        (request(Observation(ok=False)), "retry", "the call failed"),
        (
            request(Observation(ok=False, repeated=True, error="again")),
            "retry",
            "made before",
        ),
        (request(Observation(ok=True, text=" \n")), "retry", "changed nothing"),
    ],
)
def test_evidence_decides(asked: ReflectRequest, verdict: str, reason: str) -> None:
    decided = by_evidence(asked)
    assert decided is not None
    assert decided.verdict == verdict
    assert reason in decided.reason


def test_looking_around_has_an_end() -> None:
    missing = [found(A, False)]
    three = [went_on(missing)] * 3
    two = by_evidence(request(evidence=missing, attempts=three[:2], tool="read_file"))
    assert two is not None
    assert two.verdict == "continue"
    four = by_evidence(request(evidence=missing, attempts=three, tool="read_file"))
    assert four is not None
    assert four.verdict == "retry"


@pytest.mark.parametrize(
    "asked",
    [
        request(),
        request(Observation(ok=True, text="42")),
        request(Observation(ok=True, text=""), tool="read_file"),
    ],
)
def test_without_checks_evidence_decides_nothing(asked: ReflectRequest) -> None:
    assert by_evidence(asked) is None


async def test_the_model_is_not_asked_where_checks_decide(use_of) -> None:
    async with use_of([]) as (use, server):
        result = await ReflectByChecksThenModel()(request(evidence=[found(A, True)]), use)
        assert (result.verdict, server.requests) == ("done", [])


@pytest.mark.parametrize(
    ("judged", "tool", "verdict"),
    [
        (True, "python", "done"),
        (False, "python", "retry"),
        (False, "read_file", "continue"),
    ],
)
async def test_the_model_judges_where_no_check_exists(
    use_of, judged: bool, tool: str, verdict: Any
) -> None:
    async with use_of(ScriptedAgent([], judged=judged)) as (use, server):
        asked = request(Observation(ok=True, text="the answer is 42"), tool=tool)
        assert (await ReflectByChecksThenModel()(asked, use)).verdict == verdict
        assert "the answer is 42" in server.requests[0]["messages"][-1]["content"]
