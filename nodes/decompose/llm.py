"""Asks the model what happens to which file, and for the tasks."""

from typing import Any

from replan.models.schemas import strict_object
from replan.nodes.briefing import briefing
from replan.nodes.contract import DecomposeRequest, DecomposeResult, Use
from replan.nodes.decompose.checks_of_goal import checks_of_files, kept_files
from replan.nodes.decompose.known_uses import (
    all_kept,
    surely_changes,
    surely_used,
    tests_decide,
)
from replan.nodes.decompose.parts import SENTENCE_END, parts_of
from replan.nodes.decompose.scripts import tasks_of_scripts
from replan.nodes.decompose.stacking import checks_of_stack
from replan.nodes.named_files import is_test_file
from replan.state.task import Check, Task

MOST_TASKS = 6
_MOST_FILES = 12
# That nothing else was done says nothing of what was.
_PROVES_NOTHING = ("file_unchanged", "some_stay", "only_removed")

ASK = "Plan the goal.\n{asked}Answer in JSON."
ASKED = {
    "files": 'files: what does the goal want of each file: "create", "change", "only read", "not '
    'needed"?\n',
    "columns": "columns: the column names that the goal itself gives for the file, or [].\n",
    "tests_must_pass": "tests_must_pass: does the goal want the existing tests to pass?\n",
    "wanted": 'wanted: does the goal want an "answer", or "changed files" (written, moved, '
    "renamed, removed)?\n",
    "tasks": "tasks: as few as possible, in order, one for each file to write; it includes reading "
    "and computing. Keep the goal's own words, numbers and names in the titles.\n",
}
# More sentences or lines than this are more than one thing to do.
_SIMPLE = 2


class DecomposeByModel:
    """One schema-constrained question; then tasks without a result of their own are merged.

    A small model splits "read, compute, write" into three tasks, the first two of which leave
    nothing that could be checked. A task is therefore what writes something; the rest joins its
    neighbour, and a goal with a single task keeps its own words as the title.
    """

    async def __call__(self, request: DecomposeRequest, use: Use) -> DecomposeResult:
        """Tasks in order, and the checks of the goal."""
        if request.recalled:
            return DecomposeResult(tasks=request.recalled, checks=request.recalled_checks)
        named, existing = request.named[:_MOST_FILES], request.existing
        known = surely_used(request)
        questions = _questions(request, named, known)
        answer: dict[str, Any] = {}
        if questions:
            ask = ASK.format(asked="".join(ASKED[name] for name in questions))
            messages = briefing(request.brief, use.tools, ask)
            answer = await use.model.json(
                messages, strict_object(questions), name="decompose", max_tokens=700
            )
        kept = kept_files(request.brief.goal, named) or all_kept(request, known)
        use_of = {**answer.get("files", {}), **dict.fromkeys(kept, "only read")}
        use_of |= {path: use for path, use in known.items() if use != "change" or path not in kept}
        writes = [path for path in named if use_of.get(path) in ("create", "change")]
        decided = _has_unnamed_tests(request, named) and tests_decide(request.brief.goal)
        checks = checks_of_files(
            [path for path in named if use_of.get(path) == "create"],
            [
                path
                for path in dict.fromkeys([*named, *kept])
                if path in existing and use_of.get(path) == "only read"
            ],
            request.brief.goal,
            tests=[path for path in named if is_test_file(path)],
            columns=answer.get("columns"),
            tests_must_pass=answer.get("tests_must_pass", decided),
            existing=existing,
            changes=[path for path in writes if path in existing],
        )
        new = [path for path in writes if path not in existing]
        stack = await checks_of_stack(request.brief.goal, new, existing, use.tools.workspace)
        told = {check.kind for check in checks}
        checks += [check for check in stack if check.kind not in told]
        wants_change = (
            {"change", "moved"} & set(use_of.values())
            or answer.get("wanted") == "changed files"
            or surely_changes(request.brief.goal, existing, known)
        )
        if wants_change and all(check.kind in _PROVES_NOTHING for check in checks):
            checks.append(Check(kind="workspace_changed"))
        if of_scripts := tasks_of_scripts(request.brief.goal, writes, checks):
            tasks = of_scripts
        elif parts := parts_of(request.brief.goal, writes):
            tasks = [
                Task(id=f"t{at}", title=title, writes=[path])
                for at, (path, title) in enumerate(parts.items(), 1)
            ]
        else:
            tasks = merge_drafts(request.brief.goal, answer.get("tasks", []), writes)
        return DecomposeResult(tasks=tasks, checks=checks)


def _has_unnamed_tests(request: DecomposeRequest, named: list[str]) -> bool:
    return any(map(is_test_file, request.existing)) and not any(map(is_test_file, named))


def _questions(
    request: DecomposeRequest, named: list[str], known: dict[str, str]
) -> dict[str, Any]:
    """Only what cannot be known without asking, as schema properties.

    Every named file must be judged, and nothing else can be: the model cannot forget one. Tasks
    are asked for when the goal may be more than one.
    """
    existing, goal = request.existing, request.brief.goal
    properties: dict[str, Any] = {}
    if unknown := [path for path in named if path not in known]:
        uses = {
            path: {
                "enum": ["only read", "change"] if path in existing else ["create", "not needed"]
            }
            for path in unknown
        }
        properties["files"] = strict_object(uses)
    tables = [path for path in named if path.endswith(".csv") and path not in existing]
    if tables:
        header = {"type": "array", "items": {"type": "string", "maxLength": 40}, "maxItems": 8}
        properties["columns"] = strict_object(dict.fromkeys(tables, header))
    if _has_unnamed_tests(request, named) and not tests_decide(goal):
        properties["tests_must_pass"] = {"type": "boolean"}
    new_files = any(path not in existing for path in named)
    if not new_files and not surely_changes(goal, existing, known):
        properties["wanted"] = {"enum": ["answer", "changed files"]}
    # With one file to write it is one task; and where the goal's words part it, they say which.
    written = [path for path in named if known.get(path) not in ("only read", "moved")]
    new = [path for path in written if path not in existing]
    several = len(new) > 1 or (len(written) != 1 and len(SENTENCE_END.findall(goal)) > _SIMPLE)
    only_tests = not new and _has_unnamed_tests(request, named) and tests_decide(goal)
    if several and not only_tests and not parts_of(goal, written):
        task: dict[str, Any] = {"title": {"type": "string", "minLength": 3, "maxLength": 200}}
        if named:
            task["writes"] = {"type": "array", "items": {"enum": named}, "maxItems": 4}
        properties["tasks"] = {
            "type": "array",
            "items": strict_object(task),
            "minItems": 1,
            "maxItems": MOST_TASKS,
        }
    return properties


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
        titles.append(draft["title"].strip().rstrip(".") or goal)
        own = [path for path in writes if owner.get(path) == at]
        if own:
            tasks.append(Task(id=f"t{len(tasks) + 1}", title="; then ".join(titles), writes=own))
            titles = []
    unowned = [path for path in writes if path not in owner]
    if not writes and len(drafts) > 1:
        return [Task(id=f"t{at}", title=title) for at, title in enumerate(titles, start=1)]
    if len(tasks) <= 1:
        return [Task(id="t1", title=goal, writes=list(writes))]
    if titles:
        tasks[-1].title = "; then ".join([tasks[-1].title, *titles])
    tasks[-1].writes += unowned
    return tasks
