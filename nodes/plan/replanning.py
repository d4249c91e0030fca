"""What every planner does when something failed: begins afresh, then asks for another way."""

from collections.abc import Mapping, Sequence
from typing import Any

from replan.nodes.briefing import briefing
from replan.nodes.contract import PlanRequest, Use
from replan.nodes.faults import better_before
from replan.nodes.references import renamed_references
from replan.state.task import WENT_WRONG, Action, Task

ASK = """\
The work is not done.
{done}What went wrong: {problem}
{avoid}Say in one sentence why it went wrong (cause) and in one or two sentences what to do \
differently now (approach). Do not repeat what failed. Answer in JSON."""

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "cause": {"type": "string", "maxLength": 300},
        "approach": {"type": "string", "minLength": 5, "maxLength": 400},
    },
    "required": ["cause", "approach"],
    "additionalProperties": False,
}


def open_tasks(request: PlanRequest) -> list[Task]:
    """Copies of the tasks that are to be planned: the request stays as it is."""
    return [task.model_copy(deep=True) for task in request.tasks if task.status == "open"]


async def plan_anew(request: PlanRequest, use: Use) -> tuple[list[Task], list[Task]]:
    """Drops what is not done and plans the rest in another way.

    Returns:
        The dropped tasks, and the new ones: what was open or failed, its attempts forgotten and
        its approach changed; or, when every task was done and only the goal's checks failed, those
        once more whose files are wrong. Where nothing was tried yet, the open tasks are planned as
        they are.
    """
    done = [task for task in request.tasks if task.status == "done"]
    unfinished = [task for task in request.tasks if task.status in ("open", "failed")]
    if unfinished and not any(task.rounds or task.status == "failed" for task in request.tasks):
        return [], unfinished  # nothing was tried: it was the plan that could not be worked on
    told = "".join(f"Done: {task.title[:200]}\n" for task in done)
    avoid = "".join(f"- {call}\n" for call in request.avoid)
    if avoid:
        avoid = f"These calls led nowhere and must not be made again:\n{avoid}"
    hint = request.problem[:600]
    # What failed for the first time is begun afresh: told what went wrong, and without its turns, a
    # small model does better than with its own opinion of it.
    if request.avoid or any(task.planned_anew for task in request.tasks):
        ask = ASK.format(done=told, problem=request.problem, avoid=avoid)
        messages = briefing(request.brief, use.tools, ask)
        # At temperature 0 a model that failed plans the same failure again.
        answer = await use.model.json(
            messages, SCHEMA, name="replan", max_tokens=300, temperature=0.5
        )
        hint = f"{hint}\nDo now: {answer['approach']}"
    number = len(request.tasks)
    sources = unfinished or _once_more(done, request)
    ids = {source.id: f"t{number + at}" for at, source in enumerate(sources, start=1)}
    fresh = [
        Task(
            id=ids[source.id],
            title=f"{renamed_references(source.words, ids)}{WENT_WRONG}{hint}",
            writes=source.writes,
            depends_on=[ids.get(name, name) for name in source.depends_on],
            made=source.own_files,
            calls=_first_calls(source, ids),
        )
        for source in sources
    ]
    dropped = [task.model_copy(update={"status": "dropped"}) for task in unfinished]
    return dropped, fresh


def _first_calls(source: Task, ids: Mapping[str, str]) -> list[Action]:
    """What was planned for a task that was not begun; of one that was, what brings the best version
    of its file back, where that is another one than the last.
    """
    if not source.rounds:
        return [_with_ids(call, ids) for call in source.calls]
    paths = dict.fromkeys(one.action.args.get("path") for one in source.attempts)
    better = [better_before(source, path) for path in paths if isinstance(path, str)]
    return [one.action for one in better if one is not None][:1]


def _with_ids(call: Action, ids: Mapping[str, str]) -> Action:
    return call.model_copy(update={"args": renamed_references(call.args, ids)})


def _once_more(done: Sequence[Task], request: PlanRequest) -> list[Task]:
    """The tasks whose files the goal's checks find wrong, for those alone; the goal itself, where
    what is wrong is no task's.
    """
    checks = [one for one in request.checks if one.path and one.kind != "file_unchanged"]
    wrong = {
        check.path
        for check in checks
        if f"FAILED: {check.describe()}" in request.problem
        or f"FAILED: {check.path}: " in request.problem
    }
    owners = {path: task.id for task in done for path in task.writes}  # who wrote it last
    if not wrong or not wrong <= owners.keys():
        paths = list(dict.fromkeys(check.path for check in checks))
        paths += [path for path in owners if path not in paths]
        made = [path for task in done for path in task.own_files]
        return [Task(id="", title=request.brief.goal, writes=paths, made=made)]
    return [
        task.model_copy(update={"writes": own})
        for task in done
        if (own := [path for path in task.writes if path in wrong and owners[path] == task.id])
    ]
