"""Calls that need not be chosen: planned ahead, or those that did a task like this one before."""

from replan.state.task import Action, Task


def given_call(task: Task) -> Action | None:
    """The next of them; None where there are none, one of them failed, or all were made."""
    return task.calls[task.rounds] if task.rounds < len(task.calls) else None
