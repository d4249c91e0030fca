"""What a result has to mean beyond its type, by role."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from replan.nodes import contract
from replan.nodes.contract import Use
from replan.state.task import Task
from replan.tools.arguments import validate
from replan.tools.protocol import ToolError


async def meaning_fault(role: str, request: Any, result: Any, use: Use) -> str:
    """What is wrong with a result of the right type; "" when nothing is."""
    if role == "select_tool":
        return await _of_action(result, use)
    asked = _FAULTS.get(role)
    return asked(request, result) if asked else ""


def _of_decompose(request: contract.DecomposeRequest, result: contract.DecomposeResult) -> str:
    if not result.tasks:
        return "split a goal into no task at all"
    return "" if all(task.title.strip() for task in result.tasks) else "gave a task without title"


def _of_plan(request: contract.PlanRequest, result: contract.PlanResult) -> str:
    ids = [task.id for task in result.tasks]
    if "" in ids:
        return "planned a task without an id"
    if twice := sorted({name for name in ids if ids.count(name) > 1}):
        return f"planned two tasks with the id {twice[0]!r}"
    done = {task.id for task in request.tasks if task.status == "done"}
    if reopened := [task.id for task in result.tasks if task.id in done and task.status != "done"]:
        return f"made the task {reopened[0]!r}, which was done, {_status(result, reopened[0])}"
    merged = {task.id: task for task in (*request.tasks, *result.tasks)}
    for task in result.tasks:
        if unknown := [name for name in task.depends_on if name not in merged]:
            return f"made the task {task.id!r} depend on {unknown[0]!r}, which there is not"
    if circle := _circle(merged.values()):
        return f"made tasks wait for each other in a circle: {', '.join(circle)}"
    left = [task for task in request.tasks if task.status in ("open", "failed")]
    if left and not any(task.status == "open" for task in merged.values()):
        return "left no open task, though not all were done"
    return ""


def _status(result: contract.PlanResult, name: str) -> str:
    return next(task.status for task in result.tasks if task.id == name)


def _circle(tasks: Iterable[Task]) -> list[str]:
    """Ids of open tasks that can never begin, since they wait for each other."""
    waiting = {task.id: set(task.depends_on) for task in tasks if task.status == "open"}
    while free := [name for name, needs in waiting.items() if not needs & waiting.keys()]:
        for name in free:
            del waiting[name]
    return sorted(waiting)


async def _of_action(result: contract.SelectToolResult, use: Use) -> str:
    action = result.action
    try:
        tool = use.tools.get(action.tool)
        await asyncio.to_thread(validate, tool, action.args)
    except ToolError as error:
        return f"chose a call that cannot be made: {error.what}"
    return ""


def _of_execute(request: contract.ExecuteRequest, result: contract.ExecuteResult) -> str:
    seen = result.observation
    if request.action.tool == "no_such_tool" and seen.ok:
        return "said of a call of a tool that there is not that it went well"
    return "" if seen.ok or seen.error else "gave a call that failed without an error"


def _of_recall(request: contract.RecallRequest, result: contract.RecallResult) -> str:
    wrong = next((line for line in result.memories if "\n" in line), None)
    return "" if wrong is None else "gave a memory of several lines"


def _of_review(request: contract.ReviewRequest, result: contract.ReviewResult) -> str:
    return "gave a reason of several lines" if "\n" in result.reason.strip() else ""


def _of_report(request: contract.ReportRequest, result: contract.ReportResult) -> str:
    return "" if result.report.strip() else "gave an empty report"


_FAULTS: dict[str, Callable[[Any, Any], str]] = {
    "decompose": _of_decompose,
    "plan": _of_plan,
    "execute": _of_execute,
    "recall": _of_recall,
    "review": _of_review,
    "report": _of_report,
}
