"""Tasks as a graph: what does not need another's files runs side by side."""

from replan.nodes.contract import PlanRequest, PlanResult, Use
from replan.nodes.named_files import is_test_file, named_files
from replan.nodes.plan.acceptance import share_out
from replan.nodes.plan.replanning import open_tasks, plan_anew
from replan.state.task import Task


class PlanDag:
    """A task waits for those whose files its title names, and a test for the code it tests."""

    async def __call__(self, request: PlanRequest, use: Use) -> PlanResult:
        """The tasks with their dependencies and checks."""
        if request.problem:
            dropped, fresh = await plan_anew(request, use)
        else:
            dropped, fresh = [], open_tasks(request)
        for at, task in enumerate(fresh):
            task.depends_on = [other.id for other in fresh[:at] if _needs(task, other)]
        share_out(request.checks, fresh)
        return PlanResult(tasks=[*dropped, *fresh])


def _needs(task: Task, other: Task) -> bool:
    if not task.writes or not other.writes:
        return True  # nobody can tell what such a task touches
    named = named_files(task.title, other.writes)
    tests_code = any(map(is_test_file, task.writes)) and any(
        path.endswith(".py") for path in other.writes
    )
    return tests_code or any(path in named for path in other.writes)
