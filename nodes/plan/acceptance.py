"""Gives every check of the goal to the task that can meet it."""

from collections.abc import Sequence

from replan.nodes.named_files import is_test_file
from replan.state.task import Check, Task


def share_out(checks: Sequence[Check], tasks: Sequence[Task]) -> None:
    """Put each check into the `checks` of a task, in place.

    A check of a file goes to the task that writes it. Tests that exist already, or that nobody
    owns, are for the last task, since all the work has to be done for them to pass. What
    must not change is the whole goal's matter.
    """
    if not tasks:
        return
    for task in tasks:
        task.checks = []
    for check in checks:
        if check.kind in ("file_unchanged", "only_removed"):
            continue
        owners = [task for task in tasks if check.path and check.path in task.writes]
        (owners or list(tasks))[-1].checks.append(check)
    for task in tasks:
        # Code has to compile as soon as it is written, not when its tests run.
        owned = {check.path for check in task.checks if check.kind == "file_exists"}
        task.checks[:0] = [
            Check(kind="file_exists", path=path)
            for path in task.writes
            if path not in owned and path.endswith(".py") and not is_test_file(path)
        ]
