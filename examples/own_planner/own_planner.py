"""Plans the data before the texts about it: one task after the other."""

from replan.nodes.contract import PlanRequest, PlanResult, Use
from replan.nodes.plan.acceptance import share_out
from replan.state.task import Task


class DataFirst:
    """What failed is tried again, told what went wrong."""

    async def __call__(self, request: PlanRequest, use: Use) -> PlanResult:
        """The tasks that are left, in a row, each with the checks that it has to pass."""
        left = [task for task in request.tasks if task.status in ("open", "failed")]
        left.sort(
            key=lambda task: not any(path.endswith((".csv", ".json")) for path in task.writes)
        )
        wrong = f"\nWhat went wrong before: {request.problem}" if request.problem else ""
        plan: list[Task] = []
        for task in left or [Task(id=f"t{len(request.tasks) + 1}", title=request.brief.goal)]:
            waits = [earlier.id for earlier in plan[-1:]]
            title = task.headline + wrong
            plan.append(Task(id=task.id, title=title, writes=task.writes, depends_on=waits))
        share_out(request.checks, plan)
        return PlanResult(tasks=plan)
