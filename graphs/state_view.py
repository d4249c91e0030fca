"""Reads the state's plain JSON as nouns."""

from collections.abc import Mapping
from typing import Any

from replan.graphs.contenders import Going
from replan.graphs.guard import Progress, avoided
from replan.nodes.briefing import marked
from replan.nodes.contract import Brief
from replan.nodes.decompose.known_uses import only_read_in
from replan.nodes.excerpt import excerpt
from replan.nodes.named_files import named_files
from replan.nodes.references import names_in
from replan.nodes.survey import CODE
from replan.state.agent_state import AgentState, TaskBranch
from replan.state.task import Check, Task

SHOWN_CODE = 2
_RESULT_CHARS = 1500
_RESULTS_CHARS = 8000


def tasks_of(state: Mapping[str, Any]) -> list[Task]:
    """The plan's tasks, in the order of their making."""
    return [Task.model_validate(task) for task in state.get("tasks", {}).values()]


def checks_of(state: Mapping[str, Any]) -> list[Check]:
    """The goal's own checks."""
    return [Check.model_validate(check) for check in state.get("checks", [])]


def brief_of(state: AgentState | TaskBranch) -> Brief:
    """What every role is told."""
    return Brief(
        goal=state["goal"],
        constraints=state.get("constraints", []),
        survey=state.get("survey", ""),
        recalled=state.get("recalled", []),
    )


def progress_of(state: Mapping[str, Any]) -> Progress:
    """What the guard knows of the run."""
    known: Progress = state.get("progress", {})
    return known


def protected_in(checks: list[Check]) -> list[str]:
    """Paths that must not change."""
    return [check.path for check in checks if check.kind == "file_unchanged"]


def ready_tasks(tasks: list[Task]) -> list[Task]:
    """Open tasks whose dependencies are done; those of dropped tasks do not hold anybody up."""
    settled = {task.id for task in tasks if task.status in ("done", "dropped")}
    return [task for task in tasks if task.status == "open" and settled.issuperset(task.depends_on)]


def results_for(task: Task, tasks: list[Task]) -> dict[str, str]:
    """What a task is shown in full of earlier ones, by their ids: the results it refers to, and
    those it waits for that left no file. All of them together are bounded.
    """
    named = set(names_in([task.title, *(call.args for call in task.calls)]))
    wanted = [
        other
        for other in tasks
        if other.status == "done"
        and (other.id in named or (other.id in task.depends_on and not other.writes))
    ]
    room = min(_RESULT_CHARS, _RESULTS_CHARS // max(1, len(wanted)))
    return {other.id: excerpt(other.brought, task.title, room) for other in wanted}


def _brought_by(name: str, tasks: list[Task]) -> str:
    """The line above a result: what it is called, and what it came of."""
    headline = next(task.headline for task in tasks if task.id == name)
    return f"${name}, the result of '{headline[:160]}'"


def _finished(task: Task, tasks: list[Task]) -> list[str]:
    """The texts and tables that other tasks have finished: a script that does all of the goal once
    more would spoil them. Not code, which may have to be mended.
    """
    if not task.writes:
        return []
    done = {path for one in tasks if one.status == "done" for path in one.writes}
    wanted = {path for one in [task, *tasks] if one.status == "open" for path in one.writes}
    named = named_files(task.title, sorted(done))
    named = [path for path in named if not only_read_in(task.title, path)]  # to go on with, perhaps
    return sorted(path for path in done - wanted - {*named} if not path.endswith(CODE))


def _code_of(tasks: list[Task]) -> list[str]:
    """The code that was written last: all of what was made that a branch looks at."""
    made = [path for task in tasks if task.status == "done" for path in task.writes]
    return [path for path in made if path.endswith(CODE)][-SHOWN_CODE:]


def branch_of(state: AgentState, going: Going, share: Mapping[str, Any], apart: bool) -> TaskBranch:
    """What a dispatched task carries along: its own small part of the state, and its share of
    what is left of the limits; `apart` says whether it works in a copy of the workspace.
    """
    task, tasks = going.task, tasks_of(state)
    results = results_for(task, tasks)
    earlier = [
        f"Done before: {other.headline[:160]}"
        + (f" -> {other.result.strip()[:300]}" if other.result else "")
        for other in tasks
        if other.status == "done" and other.id not in results
    ]
    shown = [marked(text, _brought_by(name, tasks)) for name, text in results.items()]
    branch = TaskBranch(
        goal=state["goal"],
        constraints=state.get("constraints", []),
        workspace=state["workspace"],
        revision=state.get("revision", ""),
        survey=state.get("survey", ""),
        recalled=state.get("recalled", []),
        protected=[*protected_in(checks_of(state)), *_finished(task, tasks)],
        only_removes=any(check.kind == "only_removed" for check in checks_of(state)),
        earlier=[*earlier[-4:], *shown],
        made=_code_of(tasks),
        results=results,
        task=going.task.model_dump(),
        branch=going.name,
        contender=going.contender,
        avoid=avoided(progress_of(state)),
    )
    if apart:
        branch["apart"] = dict(going.copy)
    return TaskBranch(**{**branch, **share})  # type: ignore[typeddict-item]
