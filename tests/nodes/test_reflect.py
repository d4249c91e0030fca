"""What a call means for its task: evidence first, an opinion only where there is none."""

from typing import Any

import pytest
from scripted_agent import ScriptedAgent

from replan.nodes.contract import Brief, ReflectRequest
from replan.nodes.reflect.checks import by_evidence
from replan.nodes.reflect.checks_then_llm import ReflectByChecksThenModel
from replan.nodes.reflect.llm import ReflectByModel
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


FILES = ["lima.md", "oslo.md", "riga.md", "pune.md"]


def reading(path: str, *found: str, survey: str = "", **task: Any) -> ReflectRequest:
    fields = {"id": "t1", "title": "How big are Oslo, Lima and Pune?", "found": list(found), **task}
    return ReflectRequest(
        brief=Brief(goal="How big are they?", survey=survey),
        task=Task.model_validate(fields),
        action=Action(tool="read_file", args={"path": path}),
        observation=Observation(ok=True, text="so big"),
        existing=FILES,
    )


@pytest.mark.parametrize(
    ("asked", "unseen"),
    [
        (reading("oslo.md"), "lima.md, pune.md"),
        (reading("oslo.md", "read_file lima.md: 7"), "pune.md"),
        (reading("oslo.md", "read_file lima.md: 7", "read_file pune.md 40: 8"), ""),
        (reading("oslo.md", survey="All:\nlima.md holds:\n7"), "pune.md"),
        (reading("riga.md"), ""),  # it does not go by the names
        (reading("oslo.md", writes=["a.txt"]), "lima.md, pune.md"),
        (reading("oslo.md", calls=[Action(tool="read_file", args={"path": "oslo.md"})]), ""),
        (reading("oslo.md", *["read_file x.md: 1"] * 8), ""),
    ],
)
def test_while_files_are_read_that_the_task_speaks_of_it_goes_on(
    asked: ReflectRequest, unseen: str
) -> None:
    decided = by_evidence(asked)
    if unseen:
        assert decided is not None
        assert (decided.verdict, decided.reason) == ("continue", f"not looked at yet: {unseen}")
    else:
        assert decided is None


async def test_the_judge_is_shown_what_was_found_before(use_of) -> None:
    asked = reading("riga.md", "read_file lima.md: 7 people")
    async with use_of([{"missing": "nothing", "done": True}]) as (use, server):
        result = await ReflectByChecksThenModel()(asked, use)
    assert result.verdict == "done"
    told = server.requests[0]["messages"][-1]["content"]
    assert told.index("Found before") < told.index(": 7 people") < told.index("The last call")


@pytest.mark.parametrize("role", [ReflectByChecksThenModel, ReflectByModel])
@pytest.mark.parametrize("ok", [True, False])
async def test_a_look_that_nobody_was_asked_for_is_no_attempt(use_of, role: Any, ok: bool) -> None:
    asked = reading("oslo.md")
    asked.action = Action(tool="read_file", args={"path": "oslo.md"}, unasked=True)
    asked.observation = Observation(ok=ok, text="so big")
    async with use_of([]) as (use, server):
        assert (await role()(asked, use)).verdict == "continue"
        assert server.requests == []


def test_of_several_files_one_after_the_other_is_changed() -> None:
    def judged(
        *changed: str, earlier: list[Attempt] | None = None, **task: object
    ) -> tuple[str, str]:
        seen = Observation(ok=True, text="fine", changed=list(changed))
        asked = request(seen, evidence=[found(A, True)], attempts=earlier)
        known = {"title": "Mend a.txt and b.txt", "writes": ["a.txt", "b.txt", "new.txt"], **task}
        several = asked.task.model_copy(update=known)
        asked = asked.model_copy(update={"task": several, "existing": ["a.txt", "b.txt"]})
        verdict = by_evidence(asked)
        assert verdict is not None
        return verdict.verdict, verdict.reason

    assert judged("a.txt") == ("continue", "not changed yet: b.txt")
    assert judged("a.txt", "b.txt") == ("done", "every check passes")
    assert judged("b.txt", earlier=[went_on([found(A, True)])])[0] == "done"
    # Who changes nothing more has said that there is nothing to change.
    assert judged(earlier=[went_on([found(A, True)])])[0] == "done"
    assert judged("c.txt")[0] == "done"
    assert judged("a.txt", writes=["a.txt"])[0] == "done"
    assert judged("a.txt", title="Mend them")[0] == "done"
    # It had its rounds, or more than are known of.
    assert judged("a.txt", rounds=2)[0] == "done"
    assert judged("a.txt", writes=["a.txt", "b.txt", "c", "d", "e"])[0] == "done"


def test_where_tests_pass_no_other_file_has_to_be_changed() -> None:
    tests = Check(kind="tests_pass", path="test_a.py")
    asked = request(OK, evidence=[found(tests, True)])
    both = asked.task.model_copy(
        update={"title": "Mend a.txt and b.txt", "writes": ["a.txt", "b.txt"]}
    )
    verdict = by_evidence(asked.model_copy(update={"task": both, "existing": ["a.txt", "b.txt"]}))
    assert verdict is not None
    assert verdict.verdict == "done"
