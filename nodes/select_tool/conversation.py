"""The task and what was tried on it, told as a conversation.

Each attempt is the turns in which it really happened, so that the server has most of the prompt
of the next attempt in its cache, and the model sees its own code with the error right behind it.
"""

import json
from collections.abc import Sequence

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from replan.nodes.briefing import briefing
from replan.nodes.contract import SelectToolRequest
from replan.state.task import Attempt, CheckResult, Task
from replan.tools.toolbox import Toolbox

_CODE_CHARS = 3000
_RESULT_CHARS = 2000
_HOTTER = (0.0, 0.4, 0.7, 0.9)

NEXT = "Which tool call does the most of it now? Answer in JSON."
ANOTHER = "Which tool call mends that? Do something else than before. Answer in JSON."


def temperature(task: Task) -> float:
    """At temperature 0 a rejected answer comes back word for word: warmer after each failure."""
    return _HOTTER[min(task.tries, len(_HOTTER) - 1)]


def conversation(request: SelectToolRequest, tools: Toolbox) -> list[BaseMessage]:
    """All turns up to the question for the next tool call."""
    task = request.task
    parts = [*request.earlier, f"Your task: {task.title}"]
    if task.writes:
        parts.append(f"It has to write: {', '.join(task.writes)}")
    if request.protected:
        parts.append(f"These must not be changed: {', '.join(request.protected)}")
    if wanted := failures(task.before):
        parts.append(f"Not so yet:\n{wanted}")
    messages = briefing(request.brief, tools, "\n".join([*parts, NEXT]))
    for attempt in task.attempts:
        messages += _turns(attempt, tools)
    return messages


def _turns(attempt: Attempt, tools: Toolbox) -> list[BaseMessage]:
    content = tools.get(attempt.action.tool).content if attempt.action.tool in tools.names() else ""
    args = {name: value for name, value in attempt.action.args.items() if name != content}
    choice = {"thought": attempt.action.thought, "call": {"tool": attempt.action.tool, **args}}
    turns: list[BaseMessage] = [AIMessage(json.dumps(choice, ensure_ascii=False))]
    if content:
        body = str(attempt.action.args.get(content, ""))[:_CODE_CHARS]
        turns += [
            HumanMessage("Now give it in one fenced block and nothing else."),
            AIMessage(f"```\n{body.rstrip()}\n```"),
        ]
    return [*turns, HumanMessage(told(attempt))]


def told(attempt: Attempt) -> str:
    """What the model is told of an attempt: the result, the files, and the failing checks."""
    seen = attempt.observation
    lines = [f"Result ({'ok' if seen.ok else 'FAILED'}):"]
    if seen.text:
        lines.append(_middle_out(seen.text, _RESULT_CHARS))
    if seen.error:
        lines.append(f"Error: {seen.error[:600]}")
    if seen.changed:
        lines.append(f"Files changed: {', '.join(seen.changed[:20])}")
    if failing := failures(attempt.evidence):
        lines.append(f"Not done yet:\n{failing}")
    elif attempt.reason:
        lines.append(f"Not done yet: {attempt.reason}")
    lines.append(ANOTHER if attempt.verdict == "retry" else NEXT)
    return "\n".join(lines)


def failures(evidence: Sequence[CheckResult]) -> str:
    """The failing checks, a line each."""
    return "\n".join(f"- {result.describe()}" for result in evidence if not result.passed)


def _middle_out(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    return f"{text[: most // 2]}\n...\n{text[-most // 2 :]}"
