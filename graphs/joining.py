"""The join: the files of tasks that worked side by side come together in the workspace.

Three-way, file by file, against what each began with. What cannot be both is a conflict: the file
stays as it is, the other version is kept beside, and the task whose version it is counts as failed,
so that the run plans anew and is told of both.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from replan.graphs.cast import Scene
from replan.graphs.contenders import settled
from replan.graphs.copies import discard_copies, folder_of_copy
from replan.graphs.history import keep_revision
from replan.graphs.limits import revision_limits
from replan.graphs.state_view import tasks_of
from replan.state.task import Task
from replan.storage.carrying import carry_over
from replan.storage.manifest import Entry
from replan.storage.merge import Conflict, Merging
from replan.storage.restore import turn_into
from replan.storage.revisions import Revision, Revisions, revisions_in
from replan.tools.listing import printable
from replan.tools.toolbox import one_call_at_a_time

_NAMED = 5
_TITLE_CHARS = 80
_ORDER = ("done", "failed", "dropped", "open")


@dataclass
class Joined:
    """What a join has made of the run.

    Attributes:
        tasks: the plan's, as they are after it.
        changed: those of them that it has changed, by id.
        copies: the channel `copies`: what is left of it, and None for what is not.
        contenders: the channel `contenders`, likewise.
        told: the conflicts, in words; "" where there are none.
        revision: the workspace's after it; "" where nothing was joined.
    """

    tasks: list[Task]
    changed: dict[str, Task] = field(default_factory=dict)
    copies: dict[str, dict[str, str] | None] = field(default_factory=dict)
    contenders: dict[str, None] = field(default_factory=dict)
    told: str = ""
    revision: str = ""

    def update(self) -> dict[str, Any]:
        """What the state is told."""
        said: dict[str, Any] = {}
        if self.changed:
            said["tasks"] = {name: task.model_dump() for name, task in self.changed.items()}
        if self.copies:
            said["copies"] = self.copies
        if self.contenders:
            said["contenders"] = self.contenders
        if self.revision:
            said["revision"] = self.revision
        return said


async def join(state: Mapping[str, Any], where: Scene, over: bool = False) -> Joined:
    """Bring together the files of the tasks that have ended.

    Args:
        state: the run's.
        where: the scene of the node.
        over: whether the others will not go on either: their files come too.

    Raises:
        RevisionError: a revision that is joined is gone.
        WorkspaceError, DatabaseError: the files cannot be written, or their revision stored.
    """
    joined = Joined(tasks_of(state))
    copies = state.get("copies") or {}
    if not copies:
        return joined
    outcome = settled(state, joined.tasks, over)
    joined.copies, joined.contenders = dict(outcome.copies), dict(outcome.contenders)
    _take(joined, outcome.tasks)
    now = {name: copy for name, copy in {**copies, **outcome.copies}.items() if copy}
    names = [task.id for task in _in_order(joined.tasks) if task.id in now and _leaves(task, over)]
    if over:  # Of tasks that are in no plan any more, too: nothing is lost.
        names += [name for name in now if name not in names]
    if names:
        conflicts = await _joined(names, now, where)
        joined.copies |= dict.fromkeys(names)
        joined.revision = (await keep_revision(where, state.get("revision", ""))).revision
        _tell(joined, conflicts)
        if joined.told:
            where.tell(event="note", what=joined.told)
    gone = [name for name, copy in joined.copies.items() if copy is None]
    if gone and not where.recording.replaying:
        await discard_copies(where.workspace.path, where.thread_id, gone)
    return joined


def _in_order(tasks: Sequence[Task]) -> list[Task]:
    """What is done has precedence; otherwise the plan's order."""
    return sorted(tasks, key=lambda task: _ORDER.index(task.status))


def _leaves(task: Task, over: bool) -> bool:
    return over or task.status != "open"


def _take(joined: Joined, changed: Mapping[str, Task]) -> None:
    joined.tasks = [changed.get(task.id, task) for task in joined.tasks]
    joined.changed |= changed


async def _joined(
    names: list[str], copies: Mapping[str, Mapping[str, str]], where: Scene
) -> list[Conflict]:
    """Join the copies of those names, once: what is recorded of it is not done again."""
    entry = await where.recording.begin("join", role="", name="files", request={"branches": names})
    if entry is not None and entry.outcome == "ok":
        return [Conflict(**one) for one in entry.response["conflicts"]]
    revisions = await revisions_in(where.runtime.store)
    assert revisions is not None  # Without them there are no copies.
    async with one_call_at_a_time(where.workspace):
        conflicts = await _merged(revisions, names, copies, where)
        told = [
            {
                "path": printable(one.path), "side": one.side, "other": one.other,
                "kept": printable(one.kept),
            }
            for one in conflicts
        ]  # fmt: skip
        await where.recording.finish(entry, {"conflicts": told}, changes=True)
    return [Conflict(**one) for one in told]


async def _merged(
    revisions: Revisions,
    names: list[str],
    copies: Mapping[str, Mapping[str, str]],
    where: Scene,
) -> list[Conflict]:
    """Write into the workspace what comes of the copies. Done again after it was broken off, it
    comes to the same: what is there already is no change any more.
    """
    folder = where.workspace.path
    taken = await revisions.take(folder, where.thread_id, revision_limits(where.context))
    here = await _files(revisions, folder, taken.revision)
    # What no revision holds must not be written over.
    alone = {path: Entry("file", 0, why, -1) for path, why in here.left_out.items()}
    now = {**here.manifest, **alone}
    merging = Merging(now)
    sides: dict[str, Revision] = {}
    begun: dict[str, Revision] = {}
    for name in names:
        number = copies[name]["base"]  # mostly the same for all
        begun[number] = base = begun.get(number) or await revisions.load(number)
        copy = folder_of_copy(folder, where.thread_id, name)
        sides[name] = await _files(revisions, copy, copies[name]["revision"])
        theirs = sides[name].manifest
        await asyncio.to_thread(merging.take_in, name, base.manifest, theirs)
    target = Revision("", str(folder), merging.manifest, {}, [])
    await turn_into(revisions, target, folder, now)
    conflicts = list(merging.conflicts)
    for name, side in sides.items():
        copy = folder_of_copy(folder, where.thread_id, name)
        conflicts += await _carried(copy, folder, name, side.left_out)
    return conflicts


async def _files(revisions: Revisions, folder: Path, revision: str) -> Revision:
    """A revision of a folder; what this process knows of the folder is not read again."""
    here = revisions.known(folder)
    if here.last != revision:
        return await revisions.load(revision)
    return Revision(revision, str(folder), here.last_manifest, here.last_left_out, [])


async def _carried(
    copy: Path, folder: Path, name: str, left_out: Mapping[str, str]
) -> list[Conflict]:
    """Bring over files that are too large for a revision; those that cannot be are told of."""
    if not left_out:
        return []
    failed = await asyncio.to_thread(carry_over, copy, folder, name, list(left_out))
    return [Conflict(path, name, kept=kept) for path, kept in failed.items()]


def _tell(joined: Joined, conflicts: Sequence[Conflict]) -> None:
    """Say what the conflicts are; the tasks whose version was not taken count as failed."""
    if not conflicts:
        return
    by_id = {task.id: task for task in joined.tasks}
    lines = [_told(one, by_id) for one in conflicts]
    more = f"; and {len(lines) - _NAMED} more" if len(lines) > _NAMED else ""
    joined.told = "; ".join(lines[:_NAMED]) + more
    lost: dict[str, Task] = {}
    for name in dict.fromkeys(one.side for one in conflicts):
        task = by_id.get(name)
        if task is not None and task.status == "done":
            own = [line for line, one in zip(lines, conflicts, strict=True) if one.side == name]
            lost[name] = _failed(task, "; ".join(own[:_NAMED]))
    _take(joined, lost)


def _told(conflict: Conflict, tasks: Mapping[str, Task]) -> str:
    """One conflict: the file, the tasks, and where the version is that was not taken."""
    mine = _named(conflict.side, tasks)
    other = conflict.other or _maker(conflict, tasks)
    theirs = _named(other, tasks) if other else "somebody else meanwhile"
    said = f"{conflict.path} was changed by {theirs}, and otherwise by {mine}, side by side: "
    if conflict.kept:
        return f"{said}the former stays, the version of {conflict.side} is {conflict.kept}"
    return f"{said}the former stays, what {conflict.side} did to it was not done"


def _maker(conflict: Conflict, tasks: Mapping[str, Task]) -> str:
    """The task that was seen to change the path, of those joined before."""
    for name, task in reversed(list(tasks.items())):
        changed = [path for one in task.attempts for path in one.observation.changed]
        if name != conflict.side and conflict.path in changed:
            return name
    return ""


def _named(name: str, tasks: Mapping[str, Task]) -> str:
    task = tasks.get(name)
    return f"{name} ('{task.headline[:_TITLE_CHARS]}')" if task else name


def _failed(task: Task, why: str) -> Task:
    """A task that was done, but whose files did not all come into the workspace."""
    last = [
        one.model_copy(update={"verdict": "retry", "reason": why}) for one in task.attempts[-1:]
    ]
    return task.model_copy(
        update={"status": "failed", "attempts": [*task.attempts[:-1], *last], "result": ""}
    )
