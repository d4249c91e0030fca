"""What makes a plan one that cannot be worked on, in words."""

from collections import Counter
from collections.abc import Sequence
from graphlib import CycleError, TopologicalSorter

from replan.state.task import Task
from replan.tools.bounds import clipped

_SHOWN = 8


def fault_of(known: Sequence[Task], planned: Sequence[Task], most: int) -> str:
    """What is wrong with a plan, or "".

    Args:
        known: the tasks before it.
        planned: those that are new or changed.
        most: how many open ones there may be.
    """
    twice = [name for name, count in Counter(task.id for task in planned).items() if count > 1]
    if twice:
        return f"has two tasks with the id {_shown(twice[0])}"
    plan = {task.id: task for task in (*known, *planned)}
    waiting = {name: task for name, task in plan.items() if task.status == "open"}
    if len(waiting) > most:
        return f"has {len(waiting):,} open tasks, more than {most:,} (--set max_tasks=N)"
    for name, task in waiting.items():
        if unknown := [other for other in task.depends_on if other not in plan]:
            return f"has the task {_shown(name)} wait for {_shown(unknown[0])}, which there is not"
    try:
        TopologicalSorter({name: task.depends_on for name, task in waiting.items()}).prepare()
    except CycleError as error:
        found = list(map(_shown, error.args[1]))
        more = " -> ..." if len(found) > _SHOWN else ""
        return f"has tasks that wait for each other: {' -> '.join(found[:_SHOWN])}{more}"
    return ""


def _shown(name: str) -> str:
    return repr(clipped(name, 40))
