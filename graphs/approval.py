"""Asking a person about a tool call: a LangGraph interrupt, and what its answer comes to.

An interrupt re-executes its node from the top when it is answered: nothing with an effect may stand
before `cleared`.
"""

from dataclasses import dataclass
from typing import Any

from langgraph.types import interrupt
from pydantic import ValidationError

from replan.state.approval import Answer
from replan.state.task import Action, Observation, Task
from replan.storage.recording import Recording
from replan.tools.bounds import encodable
from replan.tools.protocol import ToolError
from replan.tools.toolbox import Toolbox

ANSWER_SCHEMA = Answer.model_json_schema()


@dataclass(frozen=True)
class Cleared:
    """A call that may go on to the toolbox, as the person may have edited it; `approved` where a
    person agreed to it. Or the observation that takes its place.
    """

    action: Action
    approved: bool = False
    observation: Observation | None = None


async def why_ask(action: Action, toolbox: Toolbox) -> str:
    """Why a person has to agree to a call; "" when nobody has to, or it cannot be made anyway."""
    try:
        decision = await toolbox.decide(action)
    except ToolError:
        return ""  # The toolbox will say what is wrong with it.
    return decision.why if decision.effect == "ask" else ""


async def cleared(
    action: Action, toolbox: Toolbox, task: Task, why: str, recording: Recording
) -> Cleared:
    """Ask about a call, again as long as the answer cannot be used.

    Args:
        action: the call.
        toolbox: knows the policy, and denies by itself what is denied.
        task: what the call is for.
        why: why a person is asked.
        recording: keeps the answers.

    Raises:
        GraphInterrupt: the person has not answered yet.
    """
    problem = ""
    while True:
        given = await _answer(_question(action, task, why, problem), recording)
        try:
            answer = Answer.model_validate(given)
        except ValidationError as error:
            first = error.errors()[0]
            problem = f"{'.'.join(map(str, first['loc'])) or 'the answer'}: {first['msg']}"
            continue
        if answer.decision == "reject":
            return Cleared(action, observation=rejected(answer.reason))
        if answer.decision == "approve":
            return Cleared(action, approved=True)
        edited = action.model_copy(update={"args": encodable(answer.args or {})})
        problem = await _objection(edited, toolbox)
        if not problem:
            return Cleared(edited, approved=True)


async def _answer(question: dict[str, Any], recording: Recording) -> Any:
    """The person's answer; in a replay the one of then."""
    tool = str(question["tool"])
    if recording.replaying:
        entry = await recording.begin("approval", role="execute", name=tool, request=question)
        return entry.response if entry else None
    given = interrupt(question, response_schema=ANSWER_SCHEMA)
    entry = await recording.begin("approval", role="execute", name=tool, request=question)
    await recording.finish(entry, given)
    return given


def rejected(reason: str) -> Observation:
    """What the model sees of a call that a person has rejected."""
    why = f": {reason.strip()}" if reason.strip() else " and gave no reason"
    return Observation(
        ok=False,
        reason="rejected",
        error=f"the user rejected this call{why}. Do not make it again.",
    )


async def _objection(edited: Action, toolbox: Toolbox) -> str:
    """Why the edited call cannot be made, or ""."""
    try:
        decision = await toolbox.decide(edited)
    except ToolError as error:
        return str(error)
    return f"the edited call is denied by {decision.why}" if decision.effect == "deny" else ""


def _question(action: Action, task: Task, why: str, problem: str) -> dict[str, Any]:
    """The value of the interrupt, plain JSON. `problem` is what was wrong with the last answer."""
    return {
        "kind": "approval",
        "tool": action.tool,
        "args": action.args,
        "task": {"id": task.id, "title": task.headline},
        "why": why,
        "problem": problem,
    }
