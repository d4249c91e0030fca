"""How much is wrong with what a task made, and of which version of a file the least was."""

import re
from collections.abc import Sequence

from replan.state.task import KEPT_CHARS, Attempt, CheckResult, Task

_FAILED_TESTS = re.compile(r"(\d+) failed\b(?!, \d+ with errors)")
_UNRUN = 10_000


def faults(failing: Sequence[CheckResult]) -> int:
    """How much is wrong; of tests each that fails counts, and of those that could not be run more
    than any do.

    Args:
        failing: the checks that do not pass.
    """
    counts = [_FAILED_TESTS.match(one.detail) for one in failing if one.check.kind == "tests_pass"]
    return len(failing) + sum(int(found[1]) - 1 if found else _UNRUN for found in counts)


def better_before(task: Task, path: str) -> Attempt | None:
    """The attempt that wrote the file when fewer tests failed than do now, where nothing else was
    changed since; the latest of those after which the fewest did.

    Args:
        task: with its attempts.
        path: of the file.
    """
    best: Attempt | None = None
    least = faults(task.failing)
    for attempt in reversed(task.attempts):
        text = str(attempt.action.args.get("text", ""))
        wrote = attempt.action.tool == "write_file" and attempt.action.args.get("path") == path
        whole = wrote and len(text) < KEPT_CHARS  # of longer ones only the beginning is kept
        if whole and attempt.observation.changed and (count := _faults_of(attempt)) < least:
            best, least = attempt, count
        if set(attempt.observation.changed) - {path}:
            break
    return best


def _faults_of(attempt: Attempt) -> int:
    failing = [one for one in attempt.evidence if not one.passed]
    tests = any(one.check.kind == "tests_pass" for one in attempt.evidence)
    return faults(failing) if tests else _UNRUN
