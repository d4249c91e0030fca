"""Looks up first, by calls that are planned ahead; then does the tasks."""

from replan.nodes.contract import PlanRequest, PlanResult, Use
from replan.nodes.plan.acceptance import share_out
from replan.nodes.plan.lookups import as_tasks, planned_lookups
from replan.nodes.plan.replanning import open_tasks, plan_anew
from replan.state.task import Task


class PlanRewoo:
    """One question plans all look-ups (ReWOO, Xu et al. 2023); they are made one after the other
    and no model is asked between them. What is to be done then sees all that they brought. Where
    only an answer is wanted, it is given by the report, and nothing is left to do.
    """

    async def __call__(self, request: PlanRequest, use: Use) -> PlanResult:
        """The look-ups and the tasks behind them; after a failure, what is left in another way."""
        if request.problem:
            dropped, fresh = await plan_anew(request, use)
            return PlanResult(tasks=[*dropped, *in_a_row(request, fresh, looked_up(request))])
        waiting = open_tasks(request)
        planned = await planned_lookups(request, use, waiting)
        lookups = as_tasks(planned, len(request.tasks) + 1, chained=True)
        if planned.answer:
            return PlanResult(tasks=[*(map(answered, waiting)), *lookups])
        known = [*looked_up(request), *(task.id for task in lookups)]
        return PlanResult(tasks=[*lookups, *in_a_row(request, waiting, known)])


def in_a_row(request: PlanRequest, tasks: list[Task], known: list[str]) -> list[Task]:
    """The tasks with their checks, one after the other and all behind what was looked up."""
    before: list[str] = []
    for task in tasks:
        task.depends_on = [*known, *before]
        before = [task.id]
    share_out(request.checks, tasks)
    return tasks


def looked_up(request: PlanRequest) -> list[str]:
    """Ids of finished tasks that left a result and no file."""
    return [task.id for task in request.tasks if task.status == "done" and not task.writes]


def answered(task: Task) -> Task:
    """The task as one that the report does."""
    return task.model_copy(update={"status": "dropped"})
