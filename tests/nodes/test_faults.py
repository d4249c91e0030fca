"""How much is wrong, and which version of a file was the best."""

import pytest

from replan.nodes.faults import better_before, faults
from replan.state.task import KEPT_CHARS, Action, Attempt, Check, CheckResult, Observation, Task


def report_of(detail: str) -> CheckResult:
    return CheckResult(check=Check(kind="tests_pass"), passed=False, detail=detail)


def wrote(path: str, text: str, detail: str, tool: str = "write_file") -> Attempt:
    return Attempt(
        action=Action(tool=tool, args={"path": path, "text": text}),
        observation=Observation(ok=True, changed=[path]),
        evidence=[report_of(detail)],
    )


MISSING = CheckResult(check=Check(kind="file_exists", path="a.txt"), passed=False)


@pytest.mark.parametrize(
    ("less", "more"),
    [
        ([], [MISSING]),
        ([report_of("1 failed, 3 passed")], [report_of("2 failed, 2 passed")]),
        ([report_of("9 failed, 0 passed")], [report_of("SyntaxError in a.py")]),
        ([report_of("4 failed, 0 passed")], [report_of("1 failed, 2 with errors, 1 passed")]),
    ],
)
def test_counts_each_test(less: list[CheckResult], more: list[CheckResult]) -> None:
    assert faults(less) < faults(more)


def task_of(*attempts: Attempt) -> Task:
    return Task(id="t1", title="t", attempts=list(attempts))


def test_the_best_version_is_found() -> None:
    task = task_of(
        wrote("a.py", "first", "2 failed, 1 passed"),
        wrote("a.py", "second", "1 failed, 2 passed"),
        wrote("a.py", "third", "3 failed, 0 passed"),
    )
    found = better_before(task, "a.py")
    assert found is not None
    assert found.action.args["text"] == "second"


def test_an_attempt_after_which_all_tests_pass_is_the_best() -> None:
    passed = CheckResult(check=Check(kind="tests_pass"), passed=True)
    one = wrote("a.py", "first", "").model_copy(update={"evidence": [passed, MISSING]})
    found = better_before(task_of(one, wrote("a.py", "second", "3 failed, 0 passed")), "a.py")
    assert found is one


def test_what_was_too_long_to_be_kept_is_not_gone_back_to() -> None:
    long = wrote("a.py", "x" * KEPT_CHARS, "1 failed, 2 passed")
    assert better_before(task_of(long, wrote("a.py", "b", "2 failed, 1 passed")), "a.py") is None


@pytest.mark.parametrize(
    "attempts",
    [
        (),
        (
            wrote("a.py", "first", "2 failed, 1 passed"),
            wrote("a.py", "second", "1 failed, 2 passed"),
        ),
        (
            wrote("a.py", "first", "1 failed, 2 passed"),
            wrote("a.py", "second", "1 failed, 2 passed"),
        ),
        (
            wrote("a.py", "first", "1 failed, 2 passed"),
            wrote("b.py", "second", "2 failed, 1 passed"),
        ),
        (
            wrote("a.py", "first", "1 failed, 2 passed", tool="edit_file"),
            wrote("a.py", "second", "2 failed, 1 passed"),
        ),
    ],
)
def test_none_is_better_than_the_last(attempts: tuple[Attempt, ...]) -> None:
    assert better_before(task_of(*attempts), "a.py") is None
