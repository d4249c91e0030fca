"""Writes the report from facts, without a model."""

from replan.nodes.contract import ReportRequest, ReportResult, Use

HEADLINES = {
    "done": "Done.",
    "failed": "Not done.",
    "stopped": "Stopped before it was done.",
}
_RESULT_CHARS = 600


class ReportByTemplate:
    """Status, tasks with their results, checks, files."""

    async def __call__(self, request: ReportRequest, use: Use | None) -> ReportResult:
        """The report."""
        return ReportResult(report="\n".join([headline(request), *facts(request)]))


def headline(request: ReportRequest) -> str:
    """How it ended, and why when it did not end well."""
    line = HEADLINES[request.status]
    return f"{line} {request.reason}" if request.status != "done" and request.reason else line


def facts(request: ReportRequest) -> list[str]:
    """What is known to be so, a line each."""
    lines = []
    for task in request.tasks:
        if task.status != "dropped":
            lines.append(f"- {task.headline}: {task.status}")
            if task.result:
                lines.append(f"  {task.result.strip()[:_RESULT_CHARS]}")
    lines += [f"- {result.describe()}" for result in request.evidence]
    if request.artifacts:
        lines.append(f"Files: {', '.join(request.artifacts)}")
    lines += [f"{path} holds:\n{text}" for path, text in request.shown.items() if text]
    return lines
