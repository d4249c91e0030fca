"""What a task gets from long-term memory, and what it gives back when it has ended."""

from typing import Any

from replan.graphs.cast import Cast, Scene
from replan.graphs.limits import OutOf
from replan.graphs.mentions import mentions
from replan.models.budget import Budget
from replan.nodes import contract
from replan.nodes.skills.shapes import start_of
from replan.state.agent_state import TaskBranch
from replan.state.task import Task
from replan.state.usage import Usage
from replan.tools.toolbox import Toolbox

_PROBLEM_CHARS = 300
_HINT_TOKENS = 150

Named = list[dict[str, Any]]


async def recall_for_task(
    cast: Cast, task: Task, state: TaskBranch, where: Scene, budget: Budget, tools: Toolbox
) -> tuple[Named, Usage]:
    """Give the task, in place, what earlier runs know of it: at its beginning calls that did the
    like, after a failed attempt what is known of such a failure.

    Returns:
        The memories, and what was used.
    """
    if task.rounds and task.attempts[-1].verdict != "retry":
        return [], Usage()
    if not task.rounds:
        task.start = await start_of(where.workspace, f"{state['goal']}\n{task.title}")
        if task.title != task.headline:  # planned anew: what was recalled for it has failed
            return [], Usage()
        if task.calls:  # planned ahead
            return [], Usage()
    last = task.attempts[-1] if task.rounds else None
    request = contract.RecallRequest(
        goal=state["goal"],
        task=task,
        problem=(last.observation.error or last.reason)[:_PROBLEM_CHARS] if last else "",
        start=task.start,
        tokens=min(_HINT_TOKENS, where.context.recall_tokens),
    )
    result, usage = await cast.play("recall", request, where, budget, tools)
    if isinstance(result, OutOf):
        return [], usage
    task.hints = result.memories
    if result.calls and not task.rounds:
        task.calls = result.calls
        task.followed = next((one.id for one in result.mentions if one.how == "followed"), "")
        where.tell(event="recalled", task=task.id, calls=len(result.calls), memory=task.followed)
    return mentions(result), usage


async def remember_task(
    cast: Cast, task: Task, state: TaskBranch, where: Scene, budget: Budget, tools: Toolbox
) -> tuple[Named, Usage]:
    """Keep what an ended task has to teach.

    Returns:
        The memories, and what was used.
    """
    if task.calls and not task.followed:  # what was planned ahead is nothing that it found out
        return [], Usage()
    led_astray = [task.followed] if task.followed and not task.calls else []
    request = contract.RememberRequest(
        goal=state["goal"],
        status="done" if task.status == "done" else "failed",
        task=task,
        start=task.start,
        refuted=led_astray,
    )
    result, usage = await cast.play("remember", request, where, budget, tools)
    return mentions(result), usage


def without_memories(task: Task) -> Task:
    """An ended task needs them no more, and each checkpoint would keep them."""
    return task.model_copy(update={"start": {}, "calls": [], "hints": [], "followed": ""})
