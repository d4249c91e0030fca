"""Asks the model what happens to which file, and for the tasks."""

from typing import Any

from replan.nodes.briefing import briefing
from replan.nodes.contract import DecomposeRequest, DecomposeResult, Use
from replan.nodes.decompose.checks_of_goal import checks_of_files
from replan.nodes.named_files import is_test_file
from replan.state.task import Task

MOST_TASKS = 6
_MOST_FILES = 12

ASK = """\
Plan the goal.
files: say of each file what the goal wants: "create" it, "change" it, "only read" it, or "not \
needed".
tasks: as few as possible. One task for each file to write, and it includes reading, computing \
and writing. A goal that writes no named file is one task. Keep the goal's own words, numbers and \
names in the titles.
Answer in JSON."""


class DecomposeByModel:
    """One schema-constrained question; then tasks without a result of their own are merged.

    A small model splits "read, compute, write" into three tasks, the first two of which leave
    nothing that could be checked. A task is therefore what writes something; the rest joins its
    neighbour, and a goal with a single task keeps its own words as the title.
    """

    async def __call__(self, request: DecomposeRequest, use: Use) -> DecomposeResult:
        """Tasks in order, and the checks of the goal."""
        named = request.named[:_MOST_FILES]
        schema = _schema(named, request.existing)
        messages = briefing(request.brief, use.tools, ASK)
        answer = await use.model.json(messages, schema, name="decompose", max_tokens=700)
        use_of = answer.get("files", {})
        writes = [path for path in named if use_of.get(path) in ("create", "change")]
        creates = [path for path in named if use_of.get(path) == "create"]
        protected = [
            path for path in named if path in request.existing and use_of.get(path) == "only read"
        ]
        checks = checks_of_files(
            creates,
            protected,
            request.brief.goal,
            columns=answer.get("columns"),
            tests_must_pass=answer.get("tests_must_pass", False),
        )
        tasks = merge_drafts(request.brief.goal, answer["tasks"], writes)
        return DecomposeResult(tasks=tasks, checks=checks)


def _schema(named: list[str], existing: list[str]) -> dict[str, Any]:
    """Every named file must be judged, and nothing else can be: the model cannot forget one."""
    properties: dict[str, Any] = {}
    if named:
        uses = {
            path: {
                "enum": ["only read", "change"] if path in existing else ["create", "not needed"]
            }
            for path in named
        }
        properties["files"] = _object(uses)
    tables = [path for path in named if path.endswith(".csv") and path not in existing]
    if tables:
        header = {"type": "array", "items": {"type": "string", "maxLength": 40}, "maxItems": 8}
        properties["columns"] = _object(dict.fromkeys(tables, header))
    if any(is_test_file(path) for path in existing) and not any(map(is_test_file, named)):
        properties["tests_must_pass"] = {"type": "boolean"}
    title = {"type": "string", "minLength": 3, "maxLength": 200}
    task: dict[str, Any] = {"title": title}
    if named:
        task["writes"] = {"type": "array", "items": {"enum": named}, "maxItems": 4}
    properties["tasks"] = {
        "type": "array",
        "items": _object(task),
        "minItems": 1,
        "maxItems": MOST_TASKS,
    }
    return _object(properties)


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def merge_drafts(goal: str, drafts: list[dict[str, Any]], writes: list[str]) -> list[Task]:
    """Tasks that each write something of their own; the last writer of a file owns it.

    Args:
        goal: the title when only one task is left.
        drafts: `title` and `writes` as the model gave them.
        writes: the paths that the goal wants written; others in a draft do not count.
    """
    owner = {path: at for at, draft in enumerate(drafts) for path in draft.get("writes", [])}
    titles: list[str] = []
    tasks: list[Task] = []
    for at, draft in enumerate(drafts):
        titles.append(draft["title"].strip().rstrip("."))
        own = [path for path in writes if owner.get(path) == at]
        if own:
            tasks.append(Task(id=f"t{len(tasks) + 1}", title="; then ".join(titles), writes=own))
            titles = []
    unowned = [path for path in writes if path not in owner]
    if len(tasks) <= 1:
        return [Task(id="t1", title=goal, writes=list(writes))]
    if titles:
        tasks[-1].title = "; then ".join([tasks[-1].title, *titles])
    tasks[-1].writes += unowned
    return tasks
