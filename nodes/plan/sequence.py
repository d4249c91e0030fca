"""Tasks one after the other."""

from replan.nodes.contract import PlanRequest, PlanResult, Use
from replan.nodes.plan.acceptance import share_out
from replan.nodes.plan.replanning import open_tasks, plan_anew


class PlanSequence:
    """Each task waits for the one before it. Asks the model only when something failed."""

    async def __call__(self, request: PlanRequest, use: Use) -> PlanResult:
        """The tasks in their order, with their checks; or, after a failure, new ones."""
        if request.problem:
            dropped, fresh = await plan_anew(request, use)
        else:
            dropped, fresh = [], open_tasks(request)
        before: list[str] = []
        for task in fresh:
            task.depends_on = before
            before = [task.id]
        share_out(request.checks, fresh)
        return PlanResult(tasks=[*dropped, *fresh])
