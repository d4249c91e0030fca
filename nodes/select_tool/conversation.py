"""The task and what was tried on it, told as a conversation.

Each attempt is told in the turns in which it happened, so that the server has most of the prompt
of the next attempt in its cache, and the model sees its own code with the error right behind it.
A script that was mended is told as if it had been given so at once.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from replan.nodes.briefing import briefing, marked
from replan.nodes.contract import SelectToolRequest
from replan.nodes.fitting_lines import fitting_lines
from replan.nodes.look_ups import found_by
from replan.nodes.select_tool.content import content_ask, not_written
from replan.nodes.select_tool.mending import (
    MEND,
    is_mending,
    shown_now,
    written_anew,
)
from replan.state.task import MISSING, Attempt, CheckResult, Task
from replan.tools.outside import unmarked
from replan.tools.tables.query_tables import QueryTables
from replan.tools.toolbox import Toolbox

_CODE_CHARS = 3000
_RESULT_CHARS = 2000
_NAMED = 4
_LEFT = 12
_SCRIPTS = "python: the scripts that were tried"
_HOTTER = (0.0, 0.4, 0.7, 0.9)

# A task that writes a file is always asked this, so that the turns of each attempt begin alike.
SOURCE = (
    "Is the content given word for word, composed, or to be computed? And which tool call does the "
    "most of it now? Answer in JSON."
)
SOURCES = ("given", "composed", "computed")
# Checks that say what a file has to look like: told at once, they need not be failed first.
_SHAPES = (
    "csv_columns",
    "one_row_per",
    "json_numbers",
    "json_keys",
    "number_only",
    "brief_only",
    "is_sorted",
    "no_repeats",
    "as_many_rows",
    "file_contains",
)
NEXT = "Which tool call does the most of it now? Answer in JSON."
CALL = "Make the tool call that does the most of it now."
MEND_NATIVELY = "Make the tool call that mends the code."
OTHER = "Do something else than before."

# One for each attempt side by side after the first, which goes the way that comes to mind.
APPROACHES = (
    "Several attempts at this are made side by side. Choose the simplest way that can work.",
    "Several attempts at this are made side by side. Mind every detail that the task names.",
    "Several attempts at this are made side by side. Go another way than the most obvious one.",
)


def temperature(task: Task) -> float:
    """At temperature 0 a rejected answer comes back word for word: warmer after each failure."""
    failed = task.tries
    if written_anew(task):
        failed = max(failed, sum(one.action.tool == "write_file" for one in task.attempts), 1)
    return _HOTTER[min(failed, len(_HOTTER) - 1)]


def conversation(
    request: SelectToolRequest,
    tools: Toolbox,
    sources: Mapping[str, str],
    last: str = "",
    natively: bool = False,
) -> list[BaseMessage]:
    """All turns up to the question for the next tool call.

    Args:
        request: the task and what was tried.
        tools: what can be called.
        sources: the files that can be edited, with their text.
        last: what is asked after the last attempt, if not for the next call.
        natively: the call is made by the server's own tool calling, not told in JSON.
    """
    task = request.task
    parts = task_told(request)
    ask = CALL if natively else SOURCE if task.writes else NEXT
    if is_mending(request) and sources:
        mend = last or (MEND_NATIVELY if natively else MEND)
        return _as_it_is(request, tools, [*parts, *shown_now(sources, request.brief.survey)], mend)
    # That a file is not there yet goes without saying; said, it finds its way into the script.
    wanting = [
        result
        for result in task.before
        if result.check.path not in task.writes and result.check.kind != "workspace_changed"
    ]
    if wanted := failures(wanting):
        parts.append(f"Not so yet:\n{wanted}")
    parts += shown_now(sources, request.brief.survey)
    if found := _found(task, request.brief.goal):
        parts.append(marked("\n".join(found), "Found so far"))
    hints = [marked("\n".join(task.hints), "From earlier runs")] if task.hints else []
    turns = [at for at, one in enumerate(task.attempts) if natively or not _is_told_apart(one)]
    if task.attempts and not last and _begins_afresh(task):
        # Who sees the same turns again says the same again: only what went wrong is told.
        wrong = dict.fromkeys(_wrong(task.attempts[at]) for at in turns)
        another = "Do it in another way."
        code = _versions(task)
        if _untried_patterns(task, code):
            another = "Do it in another way, with the re module."
        elif common := _in_all(code):
            another = f"Do it in another way, without {' and '.join(common)}."
        parts.append("Tried without success:\n" + "\n".join(wrong) + f"\n{another}")
        parts += _left(request)
        return briefing(request.brief, tools, "\n".join([*parts, *hints, ask]))
    messages = briefing(request.brief, tools, "\n".join([*parts, ask]))
    for at in turns:
        attempt = task.attempts[at]
        following = f"{OTHER} {ask}" if attempt.verdict == "retry" else ask
        if attempt is task.attempts[-1]:
            following = "\n".join([*hints, last or following])
        messages += _turns(task, at, tools, following)
    return messages


def _is_told_apart(attempt: Attempt) -> bool:
    """Whether it is no turn: a look that nobody asked for, or a query, which had a conversation of
    its own.
    """
    return attempt.action.unasked or attempt.action.tool == QueryTables.name


def _found(task: Task, goal: str) -> list[str]:
    """What is not told in turns: the looks that the model was not asked for, whole, for as its own
    turns they would be made again; and what of the others is no longer kept.
    """
    looks = [one for one in task.attempts if one.action.unasked]
    told = {found_by(one.action, "") for one in looks}
    # Of the turns only the latest are told.
    kept = task.found if task.rounds > len(task.attempts) else []
    return [
        *(_set_in(unmarked(one)) for one in kept if not one.startswith(tuple(told))),
        *(_looked_up(one, goal) for one in looks),
    ]


def _looked_up(look: Attempt, goal: str) -> str:
    """What an unasked look brought. A search had the goal's words, which are known."""
    seen = unmarked(_middle_out(_seen(look), _RESULT_CHARS))
    if look.action.tool == "read_file":
        return _set_in(found_by(look.action, seen))
    fitting = fitting_lines(goal, seen)
    return _set_in("\n".join(filter(None, (f"{look.action.tool} found:", seen, fitting))))


def _set_in(found: str) -> str:
    """What a call found, below the line of the call: no line of it passes for another call's."""
    first, *rest = found.split("\n")
    return "\n".join([first, *(f"   {line}" for line in rest)])


def _seen(attempt: Attempt) -> str:
    return attempt.observation.text or attempt.observation.error


def task_told(request: SelectToolRequest) -> list[str]:
    """The task, what is known of it from before, and what must not be."""
    task = request.task
    parts = [*request.earlier, f"Your task: {task.title}"]
    if task.writes:
        parts.append(f"It has to write: {', '.join(task.writes)}")
    parts += [f"In the end {one.describe()}." for one in task.checks if one.kind in _SHAPES]
    if len(request.protected) > _NAMED and set(request.existing) <= {
        *request.protected,
        *task.writes,
    }:
        parts.append("No other file may be changed.")
    elif request.protected:
        parts.append(f"These must not be changed: {', '.join(request.protected)}")
    if request.avoid:
        # The beginning of a script, which is all that is told of it, leads to that script again.
        told = [_SCRIPTS if call.startswith("python ") else call for call in request.avoid]
        calls = "".join(f"\n- {call}" for call in dict.fromkeys(told))
        parts.append(f"These calls led nowhere and must not be made again:{calls}")
    if request.contender > 1:
        parts.append(APPROACHES[(request.contender - 2) % len(APPROACHES)])
    return parts


def _left(request: SelectToolRequest) -> list[str]:
    """What the attempts left behind: the survey shows the files as they were before."""
    changed = dict.fromkeys(
        path for attempt in request.task.attempts for path in attempt.observation.changed
    )
    others = [path for path in changed if path not in request.task.writes][:_LEFT]
    told = [path if path in request.existing else f"{path} (gone)" for path in others]
    return [f"By that, no longer as shown above: {', '.join(told)}"] if told else []


def _begins_afresh(task: Task) -> bool:
    return _misled(task.attempts[-1]) or _failing(task) or bool(written_anew(task))


def _in_all(code: Sequence[str]) -> list[str]:
    """The methods that every version of the code calls, such as `split()`, where there are several:
    the way that does not lead there.
    """
    if len(code) < _SEVERAL:
        return []
    common = set.intersection(*(set(_METHOD.findall(one)) for one in code)) - _EVERYWHERE
    return [f"{name}()" for name in sorted(common)][:_SEVERAL]


def _versions(task: Task) -> list[str]:
    """Of the code that the task has written, that failed, and that is written anew."""
    anew = written_anew(task)
    return [
        str(one.action.args.get("text", ""))
        for one in task.attempts
        if one.action.tool == "write_file" and one.action.args.get("path") in anew
    ]


def _untried_patterns(task: Task, code: Sequence[str]) -> bool:
    """Whether code that takes text apart goes through it by hand in all its versions."""
    by_hand = bool(code) and not any(_MATCHES.search(one) for one in code)
    return by_hand and bool(_TAKES_APART.search(task.words))


_MATCHES = re.compile(r"^(?:import re|from re import)\b", re.MULTILINE)
_TAKES_APART = re.compile(
    r"\b(?:runs? of|strings? like|characters? that|letters or digits|hyphens?|patterns?)\b"
    r"|形如|连续的|字符串如",
    re.IGNORECASE,
)
_SEVERAL = 2
_METHOD = re.compile(r"\.([a-z_]+)\(")
_EVERYWHERE = frozenset(
    ("append", "add", "extend", "get", "items", "join", "keys", "lower", "sort", "strip", "upper",
     "update", "values", "format")
)  # fmt: skip


def _failing(task: Task) -> bool:
    """Whether the last two scripts failed."""
    scripts = [one for one in task.attempts[-2:] if one.action.tool == "python"]
    return len(scripts) > 1 and not any(one.observation.ok for one in scripts)


def _misled(attempt: Attempt) -> bool:
    """Whether what was done leads astray: it was done again, or ran well to a wrong result."""
    seen = attempt.observation
    made = attempt.action.tool == "python" and seen.ok
    # Of a file that is missing the next script is told.
    wrong = any(not one.passed and not one.detail.startswith(MISSING) for one in attempt.evidence)
    return seen.repeated or (made and wrong and attempt.verdict == "retry")


def _as_it_is(
    request: SelectToolRequest, tools: Toolbox, parts: list[str], ask: str
) -> list[BaseMessage]:
    """For mending: the files and the failing tests of now; how they came about does not matter."""
    attempts = request.task.attempts
    parts = [*parts, f"Not so yet:\n{failures(request.task.evidence)}"]
    if wrong := dict.fromkeys(_wrong(one) for one in attempts if not one.observation.ok):
        parts.append("Tried without success:\n" + "\n".join(wrong))
    return briefing(request.brief, tools, "\n".join([*parts, ask]))


def _wrong(attempt: Attempt) -> str:
    seen = attempt.observation
    if seen.repeated:
        return "- the same call again"
    lesson = f" Instead: {attempt.lesson}" if attempt.lesson else ""
    return f"- {attempt.action.tool}: {(seen.error or attempt.reason)[:300]}{lesson}"


def _turns(task: Task, at: int, tools: Toolbox, ask: str) -> list[BaseMessage]:
    """What was asked and answered, so that it is in the server's cache.

    Args:
        task: whose attempt it is.
        at: its number among the attempts that are kept.
        tools: what can be called.
        ask: what is asked after it.
    """
    attempt = task.attempts[at]
    action = attempt.action
    tool = tools.get(action.tool) if action.tool in tools.names() else None
    content = tool.content if tool else None
    call = {name: value for name, value in action.args.items() if name != content}
    source = {"content": action.thought} if action.thought in SOURCES else {}
    choice = {**source, "call": {"tool": action.tool, **call}}
    turns: list[BaseMessage] = [AIMessage(json.dumps(choice, ensure_ascii=False))]
    if tool and content:
        body = str(action.args.get(content, ""))[:_CODE_CHARS].rstrip()
        language = tool.content_language or _LANGUAGES.get(_ending(call), "")
        turns += [
            HumanMessage(content_ask(tool, call, task, task.attempts[:at])),
            AIMessage(f"```{language}\n{body}\n```"),
        ]
    return [*turns, HumanMessage(f"{told(attempt)}\n{ask}")]


_LANGUAGES = {"py": "python", "md": "markdown", "json": "json", "csv": "csv", "html": "html"}


def _ending(call: dict[str, Any]) -> str:
    return str(call.get("path", "")).rsplit(".", 1)[-1]


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
    if seen.changed:
        lines.append(f"Files changed: {', '.join(seen.changed[:20])}")
    missing = not_written(attempt)
    if attempt.action.tool == "python" and seen.ok and seen.text.strip() and missing:
        lines.append(f"Printing is not enough: the script has to write {', '.join(missing)}.")
    if failing := failures(attempt.evidence):
        lines.append(f"Not done yet:\n{failing}")
    elif attempt.reason and attempt.reason not in seen.error:
        lines.append(f"Not done yet: {attempt.reason}")
    if attempt.lesson:
        lines.append(f"Do now: {attempt.lesson}")
    return "\n".join(lines)


# An error from deep inside a library: its use was wrong from the start.
_LIBRARY_ERROR = re.compile(r"(pandas|numpy|openpyxl)\.")


def failures(evidence: Sequence[CheckResult]) -> str:
    """The failing checks, a line each."""
    return "\n".join(f"- {result.describe()}" for result in evidence if not result.passed)


def _middle_out(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    return f"{text[: most // 2]}\n...\n{text[-most // 2 :]}"
