"""Writes the report from facts, without a model."""

from collections.abc import Mapping

from replan.nodes.contract import ReportRequest, ReportResult, Use
from replan.nodes.report.citations import listed, numbered, sources_of
from replan.state.task import CheckResult, Task
from replan.tools.bounds import named_up_to

HEADLINES = {
    "done": "Done.",
    "failed": "Not done.",
    "stopped": "Stopped before it was done.",
}
_RESULT_CHARS = 400
_NAMED = 3
_LISTED = 10


class ReportByTemplate:
    """Status, tasks with their results and where those come from, checks, files."""

    async def __call__(self, request: ReportRequest, use: Use | None) -> ReportResult:
        """The report."""
        numbers = numbered(request.tasks)
        lines = [headline(request), *facts(request, numbers), *listed(numbers)]
        return ReportResult(report="\n".join(lines))


def headline(request: ReportRequest) -> str:
    """How it ended, and why when it did not end well."""
    line = HEADLINES[request.status]
    return f"{line} {request.reason}" if request.status != "done" and request.reason else line


def facts(
    request: ReportRequest, numbers: Mapping[str, int], found: Mapping[str, str] | None = None
) -> list[str]:
    """What is known to be so, a line each.

    Args:
        request: tasks, checks and files.
        numbers: of the sources.
        found: in place of the beginning of a task's result, by the task's id.
    """
    lines = []
    for task in request.tasks:
        if task.status != "dropped":
            lines.append(f"- {task.headline}: {_status(task)}")
            if result := (found or {}).get(task.id) or task.result.strip()[:_RESULT_CHARS]:
                lines.append(f"  {result}")
            if sources := sources_of(task, numbers):
                lines.append(f"  {sources}")
    kept = sum(map(_is_kept, request.evidence))
    told = [one for one in request.evidence if kept <= _NAMED or not _is_kept(one)]
    lines += [f"- {one.describe()}" for one in told]
    if kept > _NAMED:
        lines.append(f"- passed: {kept} files are unchanged")
    if request.artifacts:
        lines.append(f"Files: {named_up_to(request.artifacts, _LISTED)}")
    lines += [f"{path} holds:\n{text}" for path, text in request.shown.items() if text]
    return lines


def _is_kept(result: CheckResult) -> bool:
    return result.passed and result.check.kind == "file_unchanged"


def _status(task: Task) -> str:
    return "not done, only told of" if task.rehearsed else task.status
