"""Makes skills of what passed its checks."""

import json
from collections.abc import Mapping, Sequence

from replan.nodes.look_ups import LOOKING
from replan.nodes.skills.forms import KnownCalls, KnownPlan, KnownTask
from replan.nodes.skills.shapes import inputs
from replan.state.memory import DETAIL_CHARS, TEXT_CHARS, Memory
from replan.state.task import Action, Attempt, Check, Task

# Calls that can be made again as they are: they work on the workspace alone.
_OWN = (
    "python",
    "query_tables",
    "write_file",
    "edit_file",
    "move_files",
    "run_script",
    "run_tests",
)
_WHOLE = ("python", "query_tables", "write_file")  # write a file whole, not a part of it
_CUT_CHARS = 4000  # arguments of this length may have been cut: see `_bounded` of the graph


def skill_of_task(task: Task, goal: str) -> Memory | None:
    """The calls that did a task, or None where that is not proven or cannot be done again."""
    if task.status != "done" or task.rounds != len(task.attempts) or not _proven(task):
        return None
    calls = [one.action for one in _that_did_it(task.attempts)]
    if not calls or any(not _can_be_made_again(call) for call in calls):
        return None
    how = ", then ".join(_told(call) for call in calls)
    detail = KnownCalls(
        goal=goal,
        title=task.headline,
        calls=calls,
        start=task.start,
        needs=sorted(inputs(task.start)),
    )
    return _memory(f"{task.headline}\nDone by {how}.", detail)


def plan_of_run(
    goal: str, tasks: Sequence[Task], checks: Sequence[Check], start: Mapping[str, str]
) -> Memory | None:
    """The tasks that reached a goal, or None where no check says that they did."""
    done = [task for task in tasks if task.status == "done"]
    if not done or not any(check.kind != "workspace_changed" for check in checks):
        return None
    if any("\n" in task.title for task in done):  # a task of a replan tells of the failure before
        return None
    detail = KnownPlan(
        goal=goal,
        tasks=[KnownTask(title=task.title, writes=task.writes) for task in done],
        checks=list(checks),
        start=dict(start),
        needs=sorted(inputs(start)),
    )
    steps = "; ".join(task.headline for task in done) if len(done) > 1 else "as one task"
    return _memory(f"{goal}\nPlanned {steps}.", detail)


def _memory(text: str, form: KnownCalls | KnownPlan) -> Memory | None:
    detail = form.model_dump(mode="json")
    if len(text) > TEXT_CHARS or len(json.dumps(detail)) > DETAIL_CHARS:
        return None
    return Memory(kind="skill", text=text, outcome="done", detail=detail)


def _proven(task: Task) -> bool:
    evidence = task.attempts[-1].evidence if task.attempts else []
    strong = any(one.check.kind != "workspace_changed" for one in evidence)
    return strong and all(one.passed for one in evidence)


def _that_did_it(attempts: Sequence[Attempt]) -> list[Attempt]:
    """The last attempt, and those before it that it builds on: not what failed or only looked, nor
    what wrote no more than is written anew later.
    """
    kept: list[Attempt] = []
    written: set[str] = set()
    for attempt in reversed(attempts):
        seen = attempt.observation
        if not _counts(attempt) or (kept and set(seen.changed) <= written):
            continue
        kept.append(attempt)
        if attempt.action.tool in _WHOLE:
            written.update(seen.changed)
    return kept[::-1]


def _counts(attempt: Attempt) -> bool:
    seen = attempt.observation
    done = seen.ok and attempt.verdict != "retry"
    return done and not seen.repeated and attempt.action.tool not in LOOKING


def _can_be_made_again(call: Action) -> bool:
    whole = all(len(value) < _CUT_CHARS for value in call.args.values() if isinstance(value, str))
    return call.tool in _OWN and whole


def _told(call: Action) -> str:
    path = call.args.get("path")
    return f"{call.tool} {path}" if isinstance(path, str) else call.tool
