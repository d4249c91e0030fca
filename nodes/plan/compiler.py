"""Plans look-ups and tasks at once, as a graph: what does not wait runs side by side."""

from replan.nodes.contract import PlanRequest, PlanResult, Use
from replan.nodes.decompose.llm import merge_drafts
from replan.nodes.plan.acceptance import share_out
from replan.nodes.plan.dag import needs
from replan.nodes.plan.lookups import as_tasks, planned_lookups
from replan.nodes.plan.replanning import open_tasks, plan_anew
from replan.nodes.plan.rewoo import answered, looked_up
from replan.state.task import Task


class PlanCompiler:
    """One question plans the look-ups, and the tasks where the goal is one that writes several
    files (LLMCompiler, Kim et al. 2023). A look-up waits only for those that it refers to, a task
    for all look-ups and for the tasks whose files it needs.
    """

    async def __call__(self, request: PlanRequest, use: Use) -> PlanResult:
        """The look-ups and tasks; after a failure, what is left in another way."""
        if request.problem:
            dropped, fresh = await plan_anew(request, use)
            return PlanResult(tasks=[*dropped, *as_graph(request, fresh, looked_up(request))])
        waiting = open_tasks(request)
        planned = await planned_lookups(request, use, waiting, splits=True)
        tasks, replaced = _split(request, waiting, planned.drafts)
        number = len(request.tasks) + len(tasks) - len(waiting) + 1
        lookups = as_tasks(planned, number, chained=False)
        if planned.answer:
            return PlanResult(tasks=[*map(answered, waiting), *lookups])
        known = [*looked_up(request), *(task.id for task in lookups)]
        return PlanResult(tasks=[*replaced, *lookups, *as_graph(request, tasks, known)])


def as_graph(request: PlanRequest, tasks: list[Task], known: list[str]) -> list[Task]:
    """The tasks with their checks, each behind what was looked up and the tasks it needs."""
    for at, task in enumerate(tasks):
        needed = [other.id for other in tasks[:at] if needs(task, other)]
        task.depends_on = list(dict.fromkeys([*known, *task.depends_on, *needed]))
    share_out(request.checks, tasks)
    return tasks


def _split(
    request: PlanRequest, waiting: list[Task], drafts: list[dict[str, str]]
) -> tuple[list[Task], list[Task]]:
    """The one task in the parts that were planned of it, and what stands in for it then."""
    if not drafts:
        return waiting, []
    [whole] = waiting
    parts = merge_drafts(request.brief.goal, drafts, whole.writes)
    if len(parts) < 2:
        return waiting, []
    first = len(request.tasks) + 1
    for at, part in enumerate(parts):
        part.id = f"t{first + at}"
    return parts, [whole.model_copy(update={"status": "dropped"})]
