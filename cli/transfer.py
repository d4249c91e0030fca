"""`replan export` and `replan import`: a thread as one file."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

from replan.cli.run import check_thread_id
from replan.cli.settle import at_the_edge
from replan.state.errors import ExportError, UsageError


def export_run(thread_id: str, file: Path, force: bool, as_json: bool) -> int:
    """Write a thread to a file. Returns the exit code."""

    def command() -> int:
        check_thread_id(thread_id)
        done = asyncio.run(_export(thread_id, file.expanduser().absolute(), force))
        if as_json:
            print(json.dumps(done, ensure_ascii=False))
        else:
            print(
                f"{done['file']}: {done['checkpoints']} checkpoints, {done['calls']} calls, "
                f"{done['revisions']} revisions, {done['bytes']:,} bytes"
            )
        return 0

    return at_the_edge(command)


def import_run(file: Path, new_id: str | None, as_json: bool) -> int:
    """Bring a thread in from a file. Returns the exit code.

    Args:
        file: from `export_run`.
        new_id: what the thread is called here; None for its own id.
        as_json: whether to print one JSON object.
    """

    def command() -> int:
        if new_id is not None:
            check_thread_id(new_id)
        done = asyncio.run(_import(file.expanduser(), new_id))
        if as_json:
            print(json.dumps(done, ensure_ascii=False))
        else:
            print(
                f"thread {done['thread_id']}: {done['checkpoints']} checkpoints, "
                f"{done['calls']} calls, {done['revisions']} revisions"
            )
            print(f"Look at it with: replan history {done['thread_id']}")
        return 0

    return at_the_edge(command)


async def _export(thread_id: str, file: Path, force: bool) -> dict[str, Any]:
    from replan.storage.database import open_database
    from replan.storage.export import export_thread
    from replan.storage.persistence import open_persistence

    async with open_persistence(await open_database()) as opened:
        done = await export_thread(opened, thread_id, file, force)
    return {
        "thread_id": thread_id,
        "file": str(done.file),
        "bytes": done.size,
        "checkpoints": done.checkpoints,
        "calls": done.calls,
        "revisions": done.revisions,
        "blobs": done.blobs,
    }


async def _import(file: Path, new_id: str | None) -> dict[str, Any]:
    from replan.state.settings import settings
    from replan.storage.archive import Reader
    from replan.storage.database import open_database
    from replan.storage.importing import import_thread, read_bundle
    from replan.storage.persistence import open_persistence
    from replan.storage.thread_lock import thread_lock

    reader = await asyncio.to_thread(Reader, file)
    try:
        thread_id = new_id or _own_id(reader)
        own = settings().workspaces / thread_id
        workspace = Path(await asyncio.to_thread(os.path.realpath, own))
        database = await open_database()
        async with thread_lock(database, thread_id), open_persistence(database) as opened:
            bundle = await asyncio.to_thread(read_bundle, reader, opened)
            await import_thread(opened, reader, bundle, thread_id, workspace)
    finally:
        await asyncio.to_thread(reader.close)
    return {
        "thread_id": thread_id,
        "exported_as": bundle.thread_id,
        "workspace": str(workspace),
        "checkpoints": len(bundle.checkpoints),
        "calls": len(bundle.journal),
        "revisions": len(bundle.revisions),
    }


def _own_id(reader: Any) -> str:
    try:
        check_thread_id(reader.manifest.thread_id)
    except UsageError:
        raise ExportError(
            "the exported thread's id is no UUID.", "Give it another with: --as UUID"
        ) from None
    return str(reader.manifest.thread_id)
