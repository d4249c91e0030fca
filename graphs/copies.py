"""The copies of the workspace in which tasks work side by side.

A copy's folder follows from the workspace and the branch's name, so a fork of a thread, which has a
workspace of its own, has copies of its own, each made from the revision that its branch carries.
"""

import asyncio
import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from langgraph.runtime import Runtime

from replan.graphs.limits import revision_limits
from replan.state.context import Context
from replan.state.settings import settings
from replan.storage.copying import bring_copy_back, copies_of_thread, copy_folder
from replan.storage.revisions import revisions_in
from replan.tools.listing import note_hashes
from replan.tools.trees import discard
from replan.tools.workspace import Workspace

_NAME_CHARS = 40


async def copy_for(
    runtime: Runtime[Context], workspace: Workspace, branch: str, apart: Mapping[str, str]
) -> tuple[Workspace, dict[str, str]] | None:
    """The copy that a branch works in, made or brought back where it is not there.

    Args:
        runtime: the node's.
        workspace: the run's.
        branch: the branch's name.
        apart: the copy's revisions; "" where it is to be made of the workspace as it is now.

    Returns:
        The folder and its revisions. None where there can be no copy: without a thread or our
        tables, and where revisions do not hold all of the workspace.

    Raises:
        WorkspaceError: it cannot be made.
        RevisionError: its revision is gone.
        DatabaseError: its revision cannot be stored.
    """
    info, context = runtime.execution_info, runtime.context or Context()
    thread_id = (info.thread_id if info else None) or ""
    revisions = await revisions_in(runtime.store) if thread_id else None
    if revisions is None or context.revision_ignore:
        return None
    folder = folder_of_copy(workspace.path, thread_id, branch)
    if apart["revision"]:
        await bring_copy_back(revisions, apart["revision"], folder, thread_id)
        return Workspace(folder), dict(apart)
    await asyncio.to_thread(discard, folder)  # of an attempt at this node that was broken off
    # While tasks work side by side, nobody changes the workspace itself.
    limits = revision_limits(context)
    copied = await copy_folder(revisions, workspace.path, folder, thread_id, limits)
    if copied is None:
        return None
    made = Workspace(folder)
    note_hashes(
        made.path,
        (
            (path, stamp, entry.value)
            for path, (stamp, entry) in copied.known.items()
            if stamp is not None
        ),
    )
    return made, {"base": copied.base, "revision": copied.revision}


def folder_of_copy(workspace: Path, thread_id: str, branch: str) -> Path:
    """Where the copy of a branch is."""
    digest = hashlib.sha256(f"{workspace}\0{branch}".encode("utf-8", "replace")).hexdigest()[:12]
    name = re.sub(r"[^\w.-]", "_", branch)[:_NAME_CHARS].strip(".")
    return copies_of_thread(settings().workspaces, thread_id) / f"{name}-{digest}"


async def discard_copies(workspace: Path, thread_id: str, branches: Iterable[str]) -> None:
    """Remove copies that nobody works in any more; what they held is in their revisions."""

    def remove() -> None:
        for branch in branches:
            discard(folder_of_copy(workspace, thread_id, branch))
        try:
            copies_of_thread(settings().workspaces, thread_id).rmdir()
        except OSError:  # others work in theirs
            return

    await asyncio.to_thread(remove)
