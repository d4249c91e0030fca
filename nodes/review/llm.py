"""Decides from facts; where none speaks against the goal's being reached, asks the model."""

from typing import Any

from replan.nodes.briefing import briefing
from replan.nodes.contract import Brief, ReviewRequest, ReviewResult, Use
from replan.nodes.review.checks import ReviewByChecks, again

ASK = """\
All tasks have ended:
{tasks}
{evidence}Is the goal reached? First name what the goal asks for and what of it is still missing \
("nothing" if nothing is). Answer in JSON."""

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "missing": {"type": "string", "maxLength": 250},
        "reached": {"type": "boolean"},
    },
    "required": ["missing", "reached"],
    "additionalProperties": False,
}
_TASKS = 20
_RESULT_CHARS = 400


class ReviewByModel:
    """Limits, failures, open tasks and failing checks decide as ever; when none of them does, the
    model may still find that something of the goal is missing, and then it is planned anew.
    """

    async def __call__(self, request: ReviewRequest, use: Use) -> ReviewResult:
        """The decision."""
        decided = await ReviewByChecks()(request, None)
        if decided.decision != "done" or request.limit:
            return decided
        brief = request.brief or Brief(goal=request.goal)
        messages = briefing(brief, use.tools, _ask(request))
        answer = await use.model.json(messages, SCHEMA, name="review", max_tokens=200)
        if answer["reached"]:
            return ReviewResult(decision="done", reason="judged by the model; no check fails")
        return again(request, f"the goal is not reached: {answer['missing']}")


def _ask(request: ReviewRequest) -> str:
    ended = [task for task in request.tasks if task.status != "dropped"][-_TASKS:]
    lines = []
    for task in ended:
        lines.append(f"- {task.headline[:200]}: {task.status}")
        if task.result.strip():
            lines.append(f"  {task.result.strip()[:_RESULT_CHARS]}")
    evidence = "".join(f"{one.describe()}\n" for one in request.evidence)
    return ASK.format(tasks="\n".join(lines), evidence=evidence)
