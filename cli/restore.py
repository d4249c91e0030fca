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
from replan.cli.settle import at_the_edge
from replan.state.errors import ThreadNotFoundError, UsageError, WorkspaceChangedError

if TYPE_CHECKING:
    from langgraph.types import StateSnapshot

    from replan.graphs.build import AgentGraph
    from replan.storage.persistence import Persistence
    from replan.storage.revisions import Revisions

_LISTED = 20


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
            if done["before"]:
                again = f"replan restore {wanted.thread_id} --revision {done['before']}"
                print(f"What was overwritten comes back with: {again}")
        return 0

    return at_the_edge(command)


async def bring_back_workspace(
    graph: "AgentGraph", snapshot: "StateSnapshot", tell: Callable[[str, float], None]
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
            before = await _save(revisions, where, thread_id, kept.revision)
            done = await restore(revisions, kept.revision, where, before, overwrite=True)
        await revisions.repeat(kept.revision, where, thread_id)
    return {
        "thread_id": thread_id,
        "checkpoint_id": kept.checkpoint_id,
        "revision": kept.revision,
        "before": before,
        "workspace": str(where),
        "written": done.written,
        "removed": done.removed,
        "kept": done.kept,
    }


async def _save(revisions: "Revisions", where: Path, thread_id: str, target: str) -> str:
    """The files as they are, as a revision: what is overwritten can be had again."""
    from replan.storage.folder_scan import Limits

    ignored = tuple((await revisions.load(target)).ignored)
    taken = await revisions.take(where, thread_id, Limits(ignore=ignored))
    return taken.revision


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
    found = await opened.saver.aget_tuple(config)
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
