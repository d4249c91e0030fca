"""A branch works in a folder of its own, with the files as they were at its checkpoint.

Whoever forks a checkpoint (`replan fork`, Studio, the SDK), the first nodes of the branch find it
out and bring the files back, so that the original branch and its files stay as they are.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any

from langgraph.runtime import Runtime
from langgraph.types import Command
from psycopg import AsyncConnection

from replan.graphs.part import namespace_of
from replan.state.context import Context
from replan.state.settings import settings
from replan.storage.lineage import branches_off, noted_source, source_of
from replan.storage.restore import restore
from replan.storage.revisions import Revisions, revisions_in
from replan.tools.toolbox import one_call_at_a_time
from replan.tools.workspace import Workspace

_WRITING_SECONDS = 2.0
_REMEMBERED = 1000
# Threads whose checkpoints are not in the database, the oldest first.
_NOT_KEPT: dict[str, None] = {}


def in_folder_of_branch(node: Any) -> Any:
    """The node, which in the first super-step of a branch works in the branch's own folder."""

    @wraps(node)
    async def settled(state: Any, runtime: Runtime[Context]) -> Any:
        folder = await folder_of_branch(state, runtime)
        if not folder:
            return await node(state, runtime)
        return _with_workspace(await node({**state, "workspace": folder}, runtime), folder)

    return settled


async def folder_of_branch(state: Mapping[str, Any], runtime: Runtime[Context]) -> str:
    """The folder of a branch that begins here, with its files in it; "" where none begins.

    Raises:
        RevisionError: the files of its checkpoint are not in the database any more.
        WorkspaceError: the folder cannot be made.
    """
    info, revision = runtime.execution_info, state.get("revision", "")
    if info is None or not info.thread_id or not revision or not state.get("workspace"):
        return ""
    revisions = await revisions_in(runtime.store)
    if revisions is None:
        return ""
    here = info.thread_id, info.checkpoint_id, namespace_of(runtime)
    if noted_source(*here) == "loop":  # Asked at every node.
        return ""
    async with revisions.connection() as connection:
        source = await _source(connection, *here)
        if source not in ("fork", "update"):  # The loop only goes on.
            return ""
        if not await branches_off(connection, *here):
            return ""
    folder = settings().workspaces / f"{info.thread_id}-{info.checkpoint_id}"
    await _fill(revisions, revision, folder, info.thread_id)
    return str(folder)


async def _source(
    connection: AsyncConnection[Any], thread_id: str, checkpoint_id: str, namespace: str
) -> str:
    """How the checkpoint came to be, "" for one that is not in the database; LangGraph may still
    be at writing it.

    With durability "exit", or another checkpointer, it never comes: that is waited for once.
    """
    end = time.monotonic() + (0.0 if thread_id in _NOT_KEPT else _WRITING_SECONDS)
    while (source := await source_of(connection, thread_id, checkpoint_id, namespace)) is None:
        if time.monotonic() >= end:
            _NOT_KEPT[thread_id] = None
            while len(_NOT_KEPT) > _REMEMBERED:
                del _NOT_KEPT[next(iter(_NOT_KEPT))]
            return ""
        await asyncio.sleep(0.005)
    return source


async def _fill(revisions: Revisions, revision: str, folder: Path, thread_id: str) -> None:
    """Bring the files there, once: the nodes of one super-step all ask for it, and a resumed run
    asks again.
    """
    async with one_call_at_a_time(Workspace(str(folder))):
        if await revisions.latest_in(folder, thread_id):
            return
        await restore(revisions, revision, folder, overwrite=True)
        await revisions.repeat(revision, folder, thread_id)


def _with_workspace(answer: Any, folder: str) -> Any:
    if isinstance(answer, Command):
        update = answer.update if isinstance(answer.update, dict) else {}
        return replace(answer, update={**update, "workspace": folder})
    return {**(answer or {}), "workspace": folder}
