"""Takes the goal as the one task."""

from replan.nodes.contract import DecomposeRequest, DecomposeResult, Use
from replan.nodes.decompose.checks_of_goal import checks_of_files, kept_files
from replan.nodes.named_files import is_test_file
from replan.state.task import Task


class DecomposeNot:
    """For goals that are one task already. Asks no model; a named file that is missing is taken
    as one to write, and one that exists as free to change.
    """

    async def __call__(self, request: DecomposeRequest, use: Use | None) -> DecomposeResult:
        """The goal as one task."""
        writes = [path for path in request.named if path not in request.existing]
        goal = request.brief.goal
        tests = [path for path in request.named if is_test_file(path)]
        checks = checks_of_files(
            writes, kept_files(goal, request.named), goal, tests, existing=request.existing
        )
        task = Task(id="t1", title=goal, writes=writes)
        return DecomposeResult(tasks=[task], checks=checks)
