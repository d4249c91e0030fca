"""Has the model judge every call, and say what the next one should do differently.

The lesson in words after a failed attempt is Reflexion's (Shinn et al. 2023): the next attempt is
told of it, and what a run learned is kept from it.
"""

from typing import Any

from replan.nodes.briefing import briefing
from replan.nodes.contract import ReflectRequest, ReflectResult, Use
from replan.nodes.reflect.checks import planned_further, was_rehearsed, was_unasked
from replan.nodes.reflect.checks_then_llm import reflect_ask

EVIDENCE = "What the checks say:\n{evidence}\n"
LESSON = (
    "If something is missing, say in lesson in one sentence what to do differently in the next "
    'call, otherwise "".'
)

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "missing": {"type": "string", "maxLength": 250},
        "done": {"type": "boolean"},
        "progress": {"type": "boolean"},
        "lesson": {"type": "string", "maxLength": 300},
    },
    "required": ["missing", "done", "progress", "lesson"],
    "additionalProperties": False,
}


class ReflectByModel:
    """The model's word counts, but against a check that fails, or a call that did, it is not taken:
    such an attempt is not done, whatever it says.
    """

    async def __call__(self, request: ReflectRequest, use: Use) -> ReflectResult:
        """The verdict, and the lesson of an attempt that is not done."""
        if known := was_rehearsed(request) or was_unasked(request) or planned_further(request):
            return known
        messages = briefing(request.brief, use.tools, _ask(request))
        answer = await use.model.json(messages, SCHEMA, name="reflect", max_tokens=300)
        seen = request.observation
        failing = [one.describe() for one in request.evidence if not one.passed]
        if answer["done"] and seen.ok and not failing:
            return ReflectResult(verdict="done", reason="judged by the model")
        goes_on = seen.ok and answer["progress"] and not seen.repeated
        reason = seen.error[:300] or "; ".join(failing)[:400] or answer["missing"]
        return ReflectResult(
            verdict="continue" if goes_on else "retry", reason=reason, lesson=answer["lesson"]
        )


def _ask(request: ReflectRequest) -> str:
    shown = "\n".join(f"- {one.describe()}" for one in request.evidence)
    evidence = EVIDENCE.format(evidence=shown) if shown else ""
    return f"{evidence}{reflect_ask(request)}\n{PROGRESS} {LESSON}"


PROGRESS = "progress: did the call bring the task further?"
