"""`replan restore`: brings a thread's files back as they were at a checkpoint."""

import asyncio
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from replan.cli.printable import json_line, visible
from replan.cli.run import check_thread_id
from replan.cli.settle import Errand, at_the_edge
from replan.state.errors import ThreadNotFoundError, UsageError, WorkspaceChangedError
from replan.tools.listing import printable

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph
    from langgraph.types import StateSnapshot

    from replan.storage.persistence import Persistence
    from replan.storage.restore import Restored
    from replan.storage.revisions import Revision, Revisions

_LISTED = 20
_NAMED = 5
# The most that a run's settings allow for one file; what is more is asked to be moved away.
_SAVED_FILE_BYTES = 500_000_000
_SAVED_BYTES = 20_000_000_000


@dataclass(frozen=True)
class Wanted:
    """What is asked for: a revision by number, or the one of a checkpoint, "" for the latest."""

    thread_id: str
    checkpoint: str = ""
    revision: str = ""


@dataclass(frozen=True)
class Kept:
    """What a checkpoint says of the thread's files."""

    checkpoint_id: str
    revision: str
    workspace: str


def restore_thread(wanted: Wanted, folder: Path | None, force: bool, as_json: bool) -> int:
    """Restore the files of a thread. Returns the exit code."""

    def command() -> int:
        check_thread_id(wanted.thread_id)
        done = asyncio.run(_restore(wanted, folder, force))
        if as_json:
            print(json_line(done))
        else:
            print(
                f"revision {done['revision']}: {len(done['written'])} written, "
                f"{len(done['removed'])} removed, in {visible(done['workspace'])}"
            )
        return 0

    return at_the_edge(command, Errand(wanted.thread_id))


async def bring_back_workspace(
    graph: "CompiledStateGraph[Any, Any, Any, Any]",
    snapshot: "StateSnapshot",
    tell: Callable[[str, float], None],
) -> None:
    """Before a resume: a workspace that is gone comes back as its last revision.

    Raises:
        ReplanError: see `replan.storage.restore.restore`.
    """
    from replan.storage.restore import restore
    from replan.storage.revisions import revisions_in

    revision, workspace = snapshot.values.get("revision"), snapshot.values.get("workspace")
    if not revision or not workspace or await asyncio.to_thread(Path(workspace).exists):
        return
    revisions = await revisions_in(graph.store)
    if revisions is not None:
        await restore(revisions, revision, Path(workspace))
        tell(f"the workspace was gone; revision {revision} is back", 0.0)


async def _restore(wanted: Wanted, folder: Path | None, force: bool) -> dict[str, Any]:
    from replan.storage.database import open_database
    from replan.storage.persistence import open_persistence
    from replan.storage.restore import restore
    from replan.storage.revisions import Revisions
    from replan.storage.thread_lock import thread_lock

    database = await open_database()
    thread_id, before = wanted.thread_id, ""
    async with thread_lock(database, thread_id), open_persistence(database) as opened:
        kept = await _kept(opened, wanted)
        where = await asyncio.to_thread(_real, folder or Path(kept.workspace))
        revisions = Revisions(opened.pool)
        expected = await revisions.latest_in(where, thread_id)
        try:
            done = await restore(revisions, kept.revision, where, expected)
        except WorkspaceChangedError as error:
            if not force:
                await asyncio.to_thread(_ask, error)
            saved = await _save(revisions, where, thread_id, kept.revision)
            before = saved.revision
            # Said first: whatever ends the restore half way, the way back is known.
            again = f"replan restore {thread_id} --revision {before}"
            print(f"What is overwritten comes back with: {again}", file=sys.stderr)
            done = await _overwrite(revisions, kept.revision, where, saved)
        await revisions.repeat(kept.revision, where, thread_id)
    return {
        "thread_id": thread_id,
        "checkpoint_id": kept.checkpoint_id,
        "revision": kept.revision,
        "before": before,
        "workspace": printable(str(where)),
        "written": [printable(path) for path in done.written],
        "removed": [printable(path) for path in done.removed],
        "kept": [printable(path) for path in done.kept],
    }


async def _save(revisions: "Revisions", where: Path, thread_id: str, target: str) -> "Revision":
    """The files as they are, as a revision: what is overwritten can be had again.

    It holds more than the run's own revisions may: what it lacks is not overwritten.
    """
    from replan.storage.folder_scan import Limits

    ignored = tuple((await revisions.load(target)).ignored)
    limits = Limits(_SAVED_FILE_BYTES, _SAVED_BYTES, ignored)
    taken = await revisions.take(where, thread_id, limits)
    return await revisions.load(taken.revision)


async def _overwrite(
    revisions: "Revisions", target: str, where: Path, saved: "Revision"
) -> "Restored":
    """Restore over changed files, all of which the saved revision holds.

    Raises:
        UsageError: it does not; nothing was touched.
    """
    from replan.storage.restore import restore

    try:
        return await restore(revisions, target, where, saved.revision)
    except WorkspaceChangedError as error:
        named = [
            f"{visible(printable(path))} ({saved.left_out.get(path, 'changed just now')})"
            for path in error.paths[:_NAMED]
        ]
        more = f" and {len(error.paths) - _NAMED} more" if len(error.paths) > _NAMED else ""
        raise UsageError(
            f"nothing was touched: no revision can keep {', '.join(named)}{more}.",
            "Move that away, then restore again.",
        ) from error


async def _kept(opened: "Persistence", wanted: Wanted) -> Kept:
    """What the checkpoint holds, the latest when none is named.

    Raises:
        ThreadNotFoundError: there is no such thread.
        UsageError: it has no such checkpoint, or no revision was kept at it.
    """
    thread_id, checkpoint = wanted.thread_id, wanted.checkpoint
    config: Any = {"configurable": {"thread_id": thread_id, "checkpoint_ns": ""}}
    if await opened.saver.aget_tuple(config) is None:
        raise ThreadNotFoundError(
            f"there is no thread {thread_id}.", "`replan threads` lists what there is."
        )
    if checkpoint:
        config["configurable"]["checkpoint_id"] = checkpoint
    # Bytes that are no text cannot even be asked for.
    found = await opened.saver.aget_tuple(config) if checkpoint.isprintable() else None
    if found is None:
        raise UsageError(
            f"the thread has no checkpoint {checkpoint[:60]!r}.", "Leave it out for the latest."
        )
    values = found.checkpoint["channel_values"]
    revision = wanted.revision or values.get("revision")
    if not revision:
        raise UsageError(
            "no revision of the files was kept at this checkpoint.", "Name a later one."
        )
    return Kept(found.checkpoint["id"], str(revision), str(values["workspace"]))


def _real(folder: Path) -> Path:
    return Path(os.path.realpath(folder.expanduser()))


def _ask(error: WorkspaceChangedError) -> None:
    """Ask at a terminal whether changed files may be overwritten.

    Raises:
        WorkspaceChangedError: they may not, or nobody is there.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise error
    print("Changed since the agent's last step, and to be overwritten or removed:", file=sys.stderr)
    for path in error.paths[:_LISTED]:
        print(f"  {visible(path)}", file=sys.stderr)
    if len(error.paths) > _LISTED:
        print(f"  and {len(error.paths) - _LISTED} more", file=sys.stderr)
    if not typer.confirm("Go on?", default=False, err=True):
        raise error
