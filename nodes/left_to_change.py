"""Which of several files a task has not come to yet: a small model changes one and stops."""

from collections.abc import Collection, Sequence

from replan.nodes.named_files import named_files
from replan.state.task import CheckResult, Task

# Of more attempts than are kept nobody knows what they changed.
_MOST = 4
_DECIDE = ("tests_pass", "call_gives", "script_runs")


def left_to_change(
    task: Task,
    existing: Collection[str],
    changed: Sequence[str] = (),
    evidence: Sequence[CheckResult] = (),
) -> list[str]:
    """The files that the task names, changes and has not come to, where it has changed another of
    them; none where tests or the like decide what is to be changed, or it had a round for each.

    Args:
        task: with its attempts.
        existing: the files that are there.
        changed: what the call that is not among the attempts yet has changed.
        evidence: what the checks have found.
    """
    rounds = task.rounds + bool(changed)
    if len(task.writes) > _MOST or rounds >= len(task.writes):
        return []
    if any(one.check.kind in _DECIDE for one in evidence):
        return []
    done = {*changed, *(path for one in task.attempts for path in one.observation.changed)}
    if not done & {*task.writes}:
        return []
    named = named_files(task.words, sorted(existing))
    return [path for path in task.writes if path in existing and path in named and path not in done]
