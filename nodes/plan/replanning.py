"""What every planner does when something failed: begins afresh, then asks for another way."""

from collections.abc import Mapping
from typing import Any

from replan.nodes.briefing import briefing
from replan.nodes.contract import PlanRequest, Use
from replan.nodes.references import renamed_references
from replan.state.task import Action, Task

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
        its approach changed; or, when every task was done and only the goal's checks failed, one
        task to mend that. Where nothing was tried yet, the open tasks are planned as they are.
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
    if request.avoid or any(_HINT in task.title for task in request.tasks):
        ask = ASK.format(done=told, problem=request.problem, avoid=avoid)
        messages = briefing(request.brief, use.tools, ask)
        # At temperature 0 a model that failed plans the same failure again.
        answer = await use.model.json(
            messages, SCHEMA, name="replan", max_tokens=300, temperature=0.5
        )
        hint = f"{hint}\nDo now: {answer['approach']}"
    number = len(request.tasks)
    sources = unfinished or [Task(id="", title=request.brief.goal, writes=_failing(request))]
    ids = {source.id: f"t{number + at}" for at, source in enumerate(sources, start=1)}
    fresh = [
        Task(
            id=ids[source.id],
            title=f"{renamed_references(source.title.split(_HINT)[0], ids)}{_HINT}{hint}",
            writes=source.writes,
            depends_on=[ids.get(name, name) for name in source.depends_on],
            calls=[] if source.rounds else [_with_ids(call, ids) for call in source.calls],
        )
        for source in sources
    ]
    dropped = [task.model_copy(update={"status": "dropped"}) for task in unfinished]
    return dropped, fresh


def _with_ids(call: Action, ids: Mapping[str, str]) -> Action:
    return call.model_copy(update={"args": renamed_references(call.args, ids)})


_HINT = "\nWhat went wrong before: "


def _failing(request: PlanRequest) -> list[str]:
    paths = [check.path for check in request.checks if check.kind != "file_unchanged"]
    return list(dict.fromkeys(path for path in paths if path))
