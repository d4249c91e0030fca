"""`replan diff`: state, plan and files between two checkpoints."""

import asyncio
import difflib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from replan.cli.printable import visible
from replan.cli.run import check_thread_id
from replan.cli.settle import at_the_edge
from replan.state.errors import RevisionError

if TYPE_CHECKING:
    from replan.storage.checkpoints import Checkpoint, History
    from replan.storage.compare import FileDiff

_LINES = 60
_VALUE_CHARS = 4000
_TASK_FIELDS = ("title", "status", "tries", "rounds", "writes", "depends_on", "result")


@dataclass
class _Difference:
    """What differs between two checkpoints; `no_files` says why the files are not compared."""

    history: "History"
    before: "Checkpoint"
    after: "Checkpoint"
    state: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    tasks: dict[str, dict[str, tuple[Any, Any]]] = field(default_factory=dict)
    files: "list[FileDiff]" = field(default_factory=list)
    no_files: str = ""


def show_difference(thread_id: str, before: str, after: str, full: bool, as_json: bool) -> int:
    """Print what differs between two checkpoints of a thread. Returns the exit code."""

    def command() -> int:
        check_thread_id(thread_id)
        found = asyncio.run(_difference(thread_id, before, after))
        if as_json:
            print(json.dumps(_as_json(found), ensure_ascii=False, default=str))
        else:
            print("\n".join(visible(line) for line in _lines(found, full)))
        return 0

    return at_the_edge(command)


async def _difference(thread_id: str, before: str, after: str) -> _Difference:
    from replan.storage.checkpoints import find_checkpoint, read_history
    from replan.storage.compare import changed_files, unified_diffs
    from replan.storage.database import open_database
    from replan.storage.persistence import open_persistence
    from replan.storage.revisions import Revisions

    async with open_persistence(await open_database()) as opened:
        history = await read_history(opened, thread_id)
        found = _Difference(
            history,
            await find_checkpoint(opened, history, before),
            await find_checkpoint(opened, history, after),
        )
        old, new = found.before.values, found.after.values
        found.state = _changed({**old, "tasks": None}, {**new, "tasks": None})
        tasks_before, tasks_after = old.get("tasks") or {}, new.get("tasks") or {}
        for task in dict.fromkeys([*tasks_before, *tasks_after]):
            sides = [_plan_of(tasks.get(task)) for tasks in (tasks_before, tasks_after)]
            if change := _changed(*sides):
                found.tasks[task] = change
        revisions = Revisions(opened.pool)
        numbers = [str(values.get("revision") or "") for values in (old, new)]
        try:
            if all(numbers):
                found.files = await unified_diffs(
                    revisions, await changed_files(revisions, *numbers)
                )
            elif any(numbers):
                found.no_files = "no revision of the files was kept at one of the checkpoints."
        except RevisionError as error:
            found.no_files = error.what
        return found


def _plan_of(task: dict[str, Any] | None) -> dict[str, Any]:
    """What a plan says of a task, without what came of the attempts at it."""
    if task is None:
        return {}
    last = (task.get("attempts") or [{}])[-1]
    plan = {name: task.get(name) for name in _TASK_FIELDS}
    return {**plan, "verdict": last.get("verdict"), "reason": last.get("reason")}


def _changed(old: dict[str, Any], new: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {
        name: (old.get(name), new.get(name))
        for name in dict.fromkeys([*old, *new])
        if old.get(name) != new.get(name)
    }


def _as_json(found: _Difference) -> dict[str, Any]:
    return {
        "thread_id": found.history.thread_id,
        "before": found.before.checkpoint_id,
        "after": found.after.checkpoint_id,
        "branches": [found.history.branch(one) for one in (found.before, found.after)],
        "state": _pairs(found.state),
        "tasks": {task: _pairs(change) for task, change in found.tasks.items()},
        "files": [
            {
                "path": one.change.shown,
                "change": one.change.change,
                "diff": "\n".join(one.lines),
                "note": one.why_not,
            }
            for one in found.files
        ],
        "note": found.no_files,
    }


def _pairs(change: dict[str, tuple[Any, Any]]) -> dict[str, Any]:
    return {name: {"before": old, "after": new} for name, (old, new) in change.items()}


def _lines(found: _Difference, full: bool) -> list[str]:
    lines = []
    for sign, one in (("---", found.before), ("+++", found.after)):
        branch = found.history.branch(one)
        lines.append(f"{sign} {one.checkpoint_id} (branch {branch}, step {one.step})")
    lines += ["", "State"]
    for name, (old, new) in found.state.items():
        lines += _two(name, old, new, full)
    lines += ["", "Plan"]
    for task, change in found.tasks.items():
        lines.append(f"  {task}")
        for name, (old, new) in change.items():
            lines += [f"  {line}" for line in _two(name, old, new, full)]
    lines += ["", "Files"]
    if found.no_files:
        lines.append(f"  {found.no_files}")
    for file in found.files:
        note = f" ({file.why_not})" if file.why_not else ""
        lines.append(f"  {file.change.change}: {file.change.shown}{note}")
        lines += _bounded([f"    {line}" for line in file.lines], full)
    return _without_empty(lines)


def _without_empty(lines: list[str]) -> list[str]:
    """A heading with nothing below it says so."""
    said = []
    for number, line in enumerate(lines):
        said.append(line)
        below = lines[number + 1] if number + 1 < len(lines) else ""
        if line in ("State", "Plan", "Files") and not below:
            said.append("  the same")
    return said


def _two(name: str, old: Any, new: Any, full: bool) -> list[str]:
    """Both values on a line each where they are short, else their different lines."""
    texts = [_text(value) for value in (old, new)]
    if all("\n" not in text for text in texts):
        signed = zip("-+", (old, new), texts, strict=True)
        return [f"  {name}", *(f"    {sign} {text}" for sign, value, text in signed
                               if value is not None)]  # fmt: skip
    before, after = (text.splitlines() for text in texts)
    compared = difflib.unified_diff(before, after, n=1, lineterm="")
    return [f"  {name}", *_bounded([f"    {line}" for line in list(compared)[2:]], full)]


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    flat = json.dumps(value, ensure_ascii=False, default=str)
    return flat if len(flat) <= 100 else json.dumps(
        value, ensure_ascii=False, indent=1, default=str
    )  # fmt: skip


def _bounded(lines: list[str], full: bool) -> list[str]:
    if full:
        return lines
    cut = [line if len(line) <= _VALUE_CHARS else f"{line[:_VALUE_CHARS]} ..." for line in lines]
    more = len(cut) - _LINES
    return cut if more <= 0 else [*cut[:_LINES], f"    ... and {more} more lines; all: --full"]
