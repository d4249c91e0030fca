"""Look-ups planned ahead in one structured question, with references to what earlier ones brought.

ReWOO (Xu et al. 2023) plans without having seen any result, so that no model is asked between the
calls; LLMCompiler (Kim et al. 2023) plans the tasks with them and runs side by side what can.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from replan.models.schemas import strict_object
from replan.nodes.briefing import briefing
from replan.nodes.contract import PlanRequest, SelectToolRequest, Use
from replan.nodes.named_files import files_meant
from replan.nodes.references import names_in, renamed_references
from replan.nodes.select_tool.offers import call_schema, offered
from replan.state.task import Action, Task
from replan.tools.bounds import clipped
from replan.tools.protocol import ADDRESS, Tool

ASK = """\
Plan at once everything that has to be looked up for the goal.
calls: the tool calls that bring what the goal has to know and what is not shown above, each once, \
one for each thing or file that the goal asks about; [] if nothing is missing. An argument may \
be $call1 for what the first call brings, $call2 for the second, and so on.
{asked}{meant}Answer in JSON."""
MEANT = "The goal's own words stand in the names of: {files}.\n"
ASKED = {
    "then": 'then: what is wanted when all that is known? An "answer", or "work" (files written, '
    "moved, renamed, removed, code run)?\n",
    "tasks": "tasks: then, as few as possible, one for each file to write. Keep the goal's own "
    "words, numbers and names in the titles.\n",
}
# As many finished tasks as a state keeps whole.
MOST_CALLS = 8
_MOST_TASKS = 6
_REFERRED = ("$call1", "$call2", "$call3")
_TITLE_CHARS = 160
_ASKED_TO_DO = re.compile(
    r"\b(?:can|could|would|will|won't)\s+you\b|\bplease\b|请|能不能|能否|可否|可以|帮",
    re.IGNORECASE,
)
_CHANGING = {
    "python", "query_tables", "run_script", "run_tests", "write_file", "edit_file", "move_files",
    "delete_file"
}  # fmt: skip


@dataclass(frozen=True)
class Lookups:
    """What was planned: calls in order, `$call1` standing for what the first brings; whether
    nothing but an answer is wanted then; and drafts of tasks, where they were asked for.
    """

    calls: list[Action] = field(default_factory=list)
    answer: bool = False
    drafts: list[dict[str, Any]] = field(default_factory=list)


async def planned_lookups(
    request: PlanRequest, use: Use, tasks: Sequence[Task], splits: bool = False
) -> Lookups:
    """Asks once for all look-ups of the goal, where any can be made.

    Args:
        request: the goal, and what there is.
        use: the model and the tools.
        tasks: the open ones.
        splits: ask for the tasks too, where the only task writes several files.
    """
    properties: dict[str, Any] = {}
    if calls := _call_schemas(request, use):
        items = {"anyOf": calls}
        properties["calls"] = {"type": "array", "items": items, "maxItems": MOST_CALLS}
    writes = [path for task in tasks for path in task.writes]
    changes = writes or any(check.kind != "file_unchanged" for check in request.checks)
    asks = _is_question(request.brief.goal)
    if calls and not changes and not asks:
        properties["then"] = {"enum": ["answer", "work"]}
    if splits and len(tasks) == 1 and len(writes) > 1:
        properties["tasks"] = _tasks_schema(writes)
    if not properties:
        return Lookups()
    meant = files_meant(request.brief.goal, request.existing)[:MOST_CALLS] if calls else []
    ask = ASK.format(
        asked="".join(ASKED[name] for name in ASKED if name in properties),
        meant=MEANT.format(files=", ".join(meant)) if meant else "",
    )
    answer = await use.model.json(
        briefing(request.brief, use.tools, ask),
        strict_object(properties),
        name="plan",
        max_tokens=900,
    )
    found = _calls(answer.get("calls", []))
    answers = asks or answer.get("then") == "answer"
    return Lookups(found, bool(found) and not changes and answers, answer.get("tasks", []))


def as_tasks(lookups: Lookups, first: int, chained: bool) -> list[Task]:
    """A task for each planned call, which it makes without asking anybody.

    Args:
        lookups: the calls.
        first: number of the first task.
        chained: each waits for the one before it; else only for those that it refers to.
    """
    ids: dict[str, str] = {}
    tasks: list[Task] = []
    for at, call in enumerate(lookups.calls):
        refers = names_in(call.args)
        before = [ids[name] for name in refers if name in ids]
        if chained and tasks:
            before.append(tasks[-1].id)
        named = call.model_copy(update={"args": renamed_references(call.args, ids)})
        told = " ".join(map(str, [named.tool, *named.args.values()]))
        tasks.append(
            Task(
                id=f"t{first + at}",
                title=clipped(f"Look up: {told}", _TITLE_CHARS),
                depends_on=list(dict.fromkeys(before)),
                # One that refers to nothing before it is chosen when its turn comes.
                calls=[named] if all(name in ids for name in refers) else [],
            )
        )
        ids[f"call{at + 1}"] = tasks[-1].id
    return tasks


def _is_question(goal: str) -> bool:
    """Whether nothing but an answer is wanted: it is asked for, and not asked to be done."""
    return goal.rstrip().endswith(("?", "？")) and not _ASKED_TO_DO.search(goal)


def _call_schemas(request: PlanRequest, use: Use) -> list[dict[str, Any]]:
    asked = SelectToolRequest(
        brief=request.brief,
        task=Task(id="", title=request.brief.goal),
        existing=request.existing,
        avoid=request.avoid,
    )
    tools = [tool for tool in offered(asked, use.tools, {}) if _looks_up(tool)]
    names = {tool.name for tool in tools}
    if "web_search" in names and "read_page" not in names and "read_page" in use.tools.names():
        tools.append(use.tools.get("read_page"))  # of an address that the search brings
    return [_referring(call_schema(tool, asked)) for tool in tools]


def _looks_up(tool: Tool) -> bool:
    return bool(getattr(tool, "reads_only", False)) or tool.name not in _CHANGING


def _referring(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a call whose arguments may be references too."""
    properties = dict(schema["properties"])
    for name, part in properties.items():
        if "enum" in part and name != "tool":
            properties[name] = {"enum": [*part["enum"], *_REFERRED]}
        elif name == ADDRESS:
            properties[name] = {"type": "string", "maxLength": 300}
    return {**schema, "properties": properties}


def _tasks_schema(writes: Sequence[str]) -> dict[str, Any]:
    task = {
        "title": {"type": "string", "minLength": 3, "maxLength": 200},
        "writes": {"type": "array", "items": {"enum": list(writes)}, "maxItems": 4},
    }
    return {
        "type": "array",
        "items": strict_object(task),
        "minItems": 1,
        "maxItems": _MOST_TASKS,
    }


def _calls(answer: Sequence[Mapping[str, Any]]) -> list[Action]:
    """The calls, each once: a small model plans the same again."""
    calls: list[Action] = []
    numbers: dict[str, str] = {}
    for at, call in enumerate(answer, start=1):
        given = {name: value for name, value in call.items() if name != "tool"}
        action = Action(tool=str(call["tool"]), args=renamed_references(given, numbers))
        if action not in calls:
            calls.append(action)
        numbers[f"call{at}"] = f"call{calls.index(action) + 1}"
    return calls
