"""Has the model write the report, from facts that it cannot change."""

from replan.nodes.briefing import briefing
from replan.nodes.contract import ReportRequest, ReportResult, Use
from replan.nodes.language import language_of
from replan.nodes.report.citations import numbered, with_sources
from replan.nodes.report.template import ReportByTemplate, facts, headline

ASK = """\
The work has ended. These are the facts:
{facts}
Tell the user in at most four short sentences what was done and what the result is; if the goal \
asks a question, answer it from the facts. Say only what the facts say. No heading, no code. \
{cite}Write in {language}."""
CITE = "Behind each fact put the number of its source in brackets, such as [1]. "
_FOUND_CHARS = 1500
_ALL_FOUND_CHARS = 8000


class ReportByModel:
    """Status and failing checks are put down as they are; only the telling is the model's."""

    async def __call__(self, request: ReportRequest, use: Use) -> ReportResult:
        """The report; by template when a stopped run has no budget left for a model call."""
        if request.status == "stopped":
            return await ReportByTemplate()(request, None)
        numbers = numbered(request.tasks)
        known = [headline(request), *facts(request, numbers, _found(request))]
        ask = ASK.format(
            facts="\n".join(known),
            cite=CITE if numbers else "",
            language=language_of(request.brief.goal),
        )
        messages = briefing(request.brief, use.tools, ask)
        told = (await use.model.text(messages, max_tokens=250)).strip()
        told = with_sources(told, numbers)
        if request.status == "done":
            return ReportResult(report=told)
        # A failure is never left to the model to word.
        failing = [result.describe() for result in request.evidence if not result.passed]
        return ReportResult(report="\n".join([headline(request), told, *failing]))


def _found(request: ReportRequest) -> dict[str, str]:
    """What was found by tasks that wrote no file: there the answer is, and not in a file."""
    tasks = [task for task in request.tasks if task.status == "done" and not task.writes]
    room = min(_FOUND_CHARS, _ALL_FOUND_CHARS // max(1, len(tasks)))
    return {task.id: task.brought[:room] for task in tasks}
