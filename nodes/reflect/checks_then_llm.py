"""Judges by evidence, and asks the model only where there is none."""

from typing import Any

from replan.nodes.briefing import briefing, marked
from replan.nodes.contract import ReflectRequest, ReflectResult, Use
from replan.nodes.excerpt import excerpt, excerpts
from replan.nodes.look_ups import LOOKING
from replan.nodes.reflect.checks import by_evidence
from replan.tools.bounds import named_up_to

ASK = """\
The task: {title}
{found}The last call: {call}
It gave:
{text}
Files changed by it: {changed}
Files changed before it: {before}
Files there are now: {now}
Is everything the task asks for done now? First name what the task asks for and what of it is \
still missing ("nothing" if nothing is). Answer in JSON."""

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "missing": {"type": "string", "maxLength": 250},
        "done": {"type": "boolean"},
    },
    "required": ["missing", "done"],
    "additionalProperties": False,
}
_TEXT_CHARS = 1500
_LISTED = 15
_FOUND_CHARS = 2000


class ReflectByChecksThenModel:
    """A small model that is asked for an opinion says yes; so it is asked only when no check
    exists, and is to name what is missing before it may say so.
    """

    async def __call__(self, request: ReflectRequest, use: Use) -> ReflectResult:
        """The verdict."""
        decided = by_evidence(request)
        if decided:
            return decided
        messages = briefing(request.brief, use.tools, reflect_ask(request))
        answer = await use.model.json(messages, SCHEMA, name="reflect", max_tokens=200)
        if answer["done"]:
            return ReflectResult(verdict="done", reason="judged by the model, no check exists")
        verdict = "continue" if request.action.tool in LOOKING else "retry"
        return ReflectResult(verdict=verdict, reason=answer["missing"])


def reflect_ask(request: ReflectRequest) -> str:
    """The question about what a call gave."""
    earlier = [path for attempt in request.task.attempts for path in attempt.observation.changed]
    args = {name: str(value)[:600] for name, value in request.action.args.items()}
    title = request.task.title
    found = "\n".join(excerpts(request.task.found, title, _FOUND_CHARS))
    return ASK.format(
        title=title,
        found=f"{marked(found, 'Found before')}\n" if found else "",
        call=f"{request.action.tool} {args}",
        text=excerpt(request.observation.text, title, _TEXT_CHARS) or "(no output)",
        changed=named_up_to(request.observation.changed, _LISTED) or "none",
        before=named_up_to(list(dict.fromkeys(earlier)), _LISTED) or "none",
        now=named_up_to(request.existing, _LISTED) or "none",
    )
