"""Which of several files a task has not come to yet: a small model changes one and stops."""

from collections.abc import Collection, Sequence

from replan.state.task import Task


def left_to_change(task: Task, existing: Collection[str], changed: Sequence[str] = ()) -> list[str]:
    """The files that the task changes and has not, where it has changed another of them.

    Args:
        task: with its attempts.
        existing: the files that are there.
        changed: what the call that is not among the attempts yet has changed.
    """
    done = {*changed, *(path for one in task.attempts for path in one.observation.changed)}
    if not done & {*task.writes}:
        return []
    return [path for path in task.writes if path in existing and path not in done]
