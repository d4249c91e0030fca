"""Has the model write the report, from facts that it cannot change."""

from replan.nodes.briefing import briefing
from replan.nodes.contract import ReportRequest, ReportResult, Use
from replan.nodes.language import language_of
from replan.nodes.report.template import facts, headline

ASK = """\
The work has ended. These are the facts:
{facts}
Tell the user in at most four short sentences what was done and what the result is; if the goal \
asks a question, answer it from the facts. Say only what the facts say. No heading, no code. \
Write in {language}."""


class ReportByModel:
    """Status and failing checks are put down as they are; only the telling is the model's."""

    async def __call__(self, request: ReportRequest, use: Use) -> ReportResult:
        """The report; by template when a stopped run has no budget left for a model call."""
        known = [headline(request), *facts(request)]
        if request.status == "stopped":
            return ReportResult(report="\n".join(known))
        messages = briefing(
            request.brief,
            use.tools,
            ASK.format(facts="\n".join(known), language=language_of(request.brief.goal)),
        )
        told = (await use.model.text(messages, max_tokens=250)).strip()
        if request.status == "done":
            return ReportResult(report=told)
        # A failure is never left to the model to word.
        failing = [result.describe() for result in request.evidence if not result.passed]
        return ReportResult(report="\n".join([headline(request), told, *failing]))
