"""Takes the goal as the one task."""

from replan.nodes.contract import DecomposeRequest, DecomposeResult, Use
from replan.nodes.decompose.checks_of_goal import checks_of_files
from replan.state.task import Task


class DecomposeNot:
    """For goals that are one task already. Asks no model; a named file that is missing is taken
    as one to write, and one that exists as free to change.
    """

    async def __call__(self, request: DecomposeRequest, use: Use) -> DecomposeResult:
        """The goal as one task."""
        writes = [path for path in request.named if path not in request.existing]
        checks = checks_of_files(writes, protected=[], goal=request.brief.goal)
        task = Task(id="t1", title=request.brief.goal, writes=writes)
        return DecomposeResult(tasks=[task], checks=checks)
