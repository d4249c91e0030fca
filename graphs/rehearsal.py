"""Runs whose calls are told of and not made: how they end, and how they are done in earnest."""

from collections.abc import Mapping, Sequence
from typing import Any

from replan.nodes.contract import Decision
from replan.state.task import Task

NOTHING_DONE = (
    "It was a dry run: nothing was changed. Do it in earnest with "
    "`replan resume THREAD --set execute=direct`."
)


def was_rehearsed(tasks: Sequence[Task]) -> bool:
    """Whether a call of one of the tasks was told of and not made."""
    return any(task.rehearsed and task.status == "done" for task in tasks)


def as_rehearsal(decision: Decision, reason: str, tasks: Sequence[Task]) -> tuple[Decision, str]:
    """The decision and its reason: what was only told of reaches no goal, nor is it planned anew.

    Args:
        decision: of the role `review`.
        reason: its reason.
        tasks: all of the plan.
    """
    waits = any(task.status in ("open", "failed") for task in tasks)
    if decision in ("done", "replan") and not waits and was_rehearsed(tasks):
        return "stopped", NOTHING_DONE
    return decision, reason


def in_earnest(tasks: Mapping[str, Any]) -> dict[str, Any]:
    """The tasks whose calls were only told of, as open ones: what a resumed run writes."""
    fresh = {"status": "open", "tries": 0, "rounds": 0, "attempts": [], "before": [], "result": ""}
    return {
        name: {**task, **fresh, "rehearsed": False}
        for name, task in tasks.items()
        if task.get("rehearsed") and task.get("status") == "done"
    }
