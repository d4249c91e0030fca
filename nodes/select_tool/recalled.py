"""The calls that did a task like this one in an earlier run: made first, without asking a model."""

from replan.state.task import Action, Task


def recalled_call(task: Task) -> Action | None:
    """The next of them; None where there are none, one of them failed, or all were made."""
    return task.recalled[task.rounds] if task.rounds < len(task.recalled) else None
