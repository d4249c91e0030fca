"""Attempts at one task side by side: pure functions of the state."""

from typing import Any

import pytest

from replan.graphs.contenders import branches_of, settled
from replan.state.task import Action, Attempt, Check, CheckResult, Observation, Task

OPEN = Task(id="t1", title="a task")
COPY = {"base": "1", "revision": "2"}


def tried(verdict: Any, passed: int = 0, ok: bool = True, **fields: Any) -> dict[str, Any]:
    """The task after one more attempt, as a branch has it."""
    check = Check(kind="file_exists", path="a")
    attempt = Attempt(
        action=Action(tool="python"),
        observation=Observation(ok=ok),
        evidence=[CheckResult(check=check, passed=number < passed) for number in range(3)],
        verdict=verdict,
    )
    work = OPEN.model_copy(
        update={
            "attempts": [attempt],
            "rounds": 1,
            "tries": int(verdict == "retry"),
            "status": "done" if verdict == "done" else "open",
            **fields,
        }
    )
    return work.model_dump()


def state(*works: dict[str, Any] | None) -> dict[str, Any]:
    """Attempts 1, 2, ... of the first try; None for one that has no result yet."""
    names = [f"t1/1.{number}" for number in range(1, len(works) + 1)]
    copies = {name: {"base": "1", "revision": str(10 + at)} for at, name in enumerate(names)}
    known = {name: work for name, work in zip(names, works, strict=True) if work}
    return {"copies": copies, "contenders": known}


def test_a_task_begins_with_as_many_attempts_as_are_wanted() -> None:
    one = branches_of({}, OPEN, 1)
    assert [(going.name, going.contender) for going in one] == [("t1", 0)]
    three = branches_of({}, OPEN, 3)
    assert [going.name for going in three] == ["t1/1.1", "t1/1.2", "t1/1.3"]
    assert [going.contender for going in three] == [1, 2, 3]
    assert {going.copy["revision"] for going in three} == {""}


def test_after_a_failed_try_they_begin_with_the_files_of_the_best() -> None:
    again = OPEN.model_copy(update={"tries": 1})
    going = branches_of({"copies": {"t1": COPY}}, again, 2)
    assert [one.name for one in going] == ["t1/2.1", "t1/2.2"]
    assert [one.copy for one in going] == [COPY, COPY]


def test_only_those_that_have_not_ended_go_on() -> None:
    now = state(tried("retry"), tried("continue"), None)
    going = branches_of(now, OPEN, 3)
    assert [(one.name, one.task.rounds) for one in going] == [("t1/1.2", 1), ("t1/1.3", 0)]
    assert going[0].copy == now["copies"]["t1/1.2"]


def test_the_first_that_passes_wins_and_the_others_are_dropped() -> None:
    now = state(tried("continue"), tried("done", 3), tried("done", 3))
    result = settled(now, [OPEN], over=False)
    assert result.tasks["t1"].status == "done"
    assert result.copies == {
        "t1/1.1": None, "t1/1.2": None, "t1/1.3": None, "t1": now["copies"]["t1/1.2"]
    }  # fmt: skip
    assert result.contenders == dict.fromkeys(now["copies"])


@pytest.mark.parametrize(
    ("files", "winner"),
    [
        (["a", "b", "b"], 2),
        (["a", "b", "a"], 1),
        (["a", "b", "c"], 1),
        (["", "b", "b"], 2),
        (["", "", ""], 1),
    ],
)
def test_of_those_that_pass_together_the_files_that_most_agree_on_win(
    files: list[str], winner: int
) -> None:
    works = [tried("done", 3) for _ in files]
    for work, digest in zip(works, files, strict=True):
        work["attempts"][0]["files"] = digest
    now = state(*works)
    result = settled(now, [OPEN], over=False)
    assert result.copies["t1"] == now["copies"][f"t1/1.{winner}"]


def test_while_one_goes_on_nothing_is_settled() -> None:
    result = settled(state(tried("retry"), tried("continue")), [OPEN], over=False)
    assert (result.tasks, result.copies, result.contenders) == ({}, {}, {})
    assert settled(state(tried("retry"), None), [OPEN], over=False).tasks == {}


@pytest.mark.parametrize(
    ("works", "best"),
    [
        ((tried("retry"), tried("retry", 2), tried("retry", 1)), 2),
        ((tried("retry", 1), tried("retry", 1)), 1),
        ((tried("retry", ok=False), tried("retry")), 2),
    ],
)
def test_where_none_passes_the_best_evidence_is_one_failed_attempt(
    works: tuple[dict[str, Any], ...], best: int
) -> None:
    now = state(*works)
    result = settled(now, [OPEN], over=False)
    task = result.tasks["t1"]
    assert (task.status, task.tries, len(task.attempts)) == ("open", 1, 1)
    assert result.copies["t1"] == now["copies"][f"t1/1.{best}"]
    assert sum(one.passed for one in task.attempts[0].evidence) == sum(
        one["passed"] for one in works[best - 1]["attempts"][0]["evidence"]
    )


def test_when_the_run_is_over_the_best_so_far_stands_for_them() -> None:
    now = state(None, tried("continue", 1))
    result = settled(now, [OPEN], over=True)
    assert result.copies["t1"] == now["copies"]["t1/1.2"]
    assert result.tasks["t1"].status == "open"
