"""The task and what was tried on it, told as a conversation.

Each attempt is the turns in which it really happened, so that the server has most of the prompt
of the next attempt in its cache, and the model sees its own code with the error right behind it.
"""

import json
import re
from collections.abc import Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from replan.nodes.briefing import briefing
from replan.nodes.contract import SelectToolRequest
from replan.nodes.named_files import is_test_file
from replan.state.task import Attempt, CheckResult, Task
from replan.tools.protocol import Tool
from replan.tools.toolbox import Toolbox

_CODE_CHARS = 3000
_RESULT_CHARS = 2000
_HOTTER = (0.0, 0.4, 0.7, 0.9)

NEXT = "Which tool call does the most of it now? Answer in JSON."
MEND = (
    "In the thought quote each wrong line of the code -> the right line in its place. Then the "
    "tool call that mends it. Answer in JSON."
)
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
    # That a file is not there yet goes without saying; said, it finds its way into the script.
    wanting = [result for result in task.before if result.check.path not in task.writes]
    if wanted := failures(wanting):
        parts.append(f"Not so yet:\n{wanted}")
    if task.attempts and task.attempts[-1].observation.repeated:
        # Who sees the same turns again says the same again: only what went wrong is told.
        wrong = dict.fromkeys(_wrong(attempt) for attempt in task.attempts)
        parts.append("Tried without success:\n" + "\n".join(wrong) + "\nDo it in another way.")
        return briefing(request.brief, tools, "\n".join([*parts, NEXT]))
    messages = briefing(request.brief, tools, "\n".join([*parts, _question(task.before)]))
    for attempt in task.attempts:
        messages += _turns(attempt, tools)
    return messages


def _wrong(attempt: Attempt) -> str:
    seen = attempt.observation
    if seen.repeated:
        return "- the same call again"
    return f"- {attempt.action.tool}: {(seen.error or attempt.reason)[:300]}"


def _turns(attempt: Attempt, tools: Toolbox) -> list[BaseMessage]:
    """Word for word what was asked and answered, so that it is in the server's cache."""
    action = attempt.action
    tool = tools.get(action.tool) if action.tool in tools.names() else None
    content = tool.content if tool else None
    call = {name: value for name, value in action.args.items() if name != content}
    choice = {"thought": action.thought, "call": {"tool": action.tool, **call}}
    turns: list[BaseMessage] = [AIMessage(json.dumps(choice, ensure_ascii=False))]
    if tool and content:
        body = str(action.args.get(content, ""))[:_CODE_CHARS].rstrip()
        language = tool.content_language or _LANGUAGES.get(_ending(call), "")
        turns += [
            HumanMessage(content_ask(tool, call)),
            AIMessage(f"```{language}\n{body}\n```"),
        ]
    return [*turns, HumanMessage(told(attempt))]


_LANGUAGES = {"py": "python", "md": "markdown", "json": "json", "csv": "csv", "html": "html"}


def _ending(call: dict[str, Any]) -> str:
    return str(call.get("path", "")).rsplit(".", 1)[-1]


def content_ask(tool: Tool, call: dict[str, Any]) -> str:
    """What the model is asked after it chose a tool that takes long content."""
    if tool.name == "write_file":
        path = call["path"]
        few = (
            "Import what is tested. Three to five short test functions, of values you are sure of."
            if is_test_file(path)
            else ""
        )
        return (
            f"Now give the complete text of {path} and of no other file, short, finished and "
            f"without placeholders, in one fenced block and nothing else. {few}"
        ).strip()
    return (
        "Now give the complete script, short and simple, in one fenced block and nothing else. It "
        "runs beside the files: open them by the names above, in the current directory. It does "
        "all that the task asks for, word for word, and prints what was done. No input()."
    )


def told(attempt: Attempt) -> str:
    """What the model is told of an attempt: the result, the files, and the failing checks."""
    seen = attempt.observation
    lines = [f"Result ({'ok' if seen.ok else 'FAILED'}):"]
    if seen.text:
        lines.append(_middle_out(seen.text, _RESULT_CHARS))
    if seen.error:
        lines.append(f"Error: {seen.error[:600]}")
        if library := _LIBRARY_ERROR.match(seen.error):
            lines.append(f"Do it in plain Python, without {library.group(1)}.")
        if "time limit" in seen.error:
            lines.append("It was far too slow: use a loop in place of recursion, or a faster way.")
    if seen.changed:
        lines.append(f"Files changed: {', '.join(seen.changed[:20])}")
    if failing := failures(attempt.evidence):
        lines.append(f"Not done yet:\n{failing}")
    elif attempt.reason:
        lines.append(f"Not done yet: {attempt.reason}")
    question = _question(attempt.evidence)
    lines.append(ANOTHER if question == NEXT and attempt.verdict == "retry" else question)
    return "\n".join(lines)


# An error from deep inside a library: its use was wrong from the start.
_LIBRARY_ERROR = re.compile(r"(pandas|numpy|openpyxl)\.")


def _question(evidence: Sequence[CheckResult]) -> str:
    fails = [result for result in evidence if not result.passed]
    return (
        MEND
        if any(result.check.kind == "tests_pass" and _ran(result) for result in fails)
        else NEXT
    )


def _ran(result: CheckResult) -> bool:
    return "does not exist" not in result.detail


def failures(evidence: Sequence[CheckResult]) -> str:
    """The failing checks, a line each."""
    return "\n".join(f"- {result.describe()}" for result in evidence if not result.passed)


def _middle_out(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    return f"{text[: most // 2]}\n...\n{text[-most // 2 :]}"
