"""Writes a thread with all that belongs to it into one file."""

import asyncio
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import DictRow

from replan.state.agent_state import revision_number
from replan.state.errors import ExportError, ThreadNotFoundError
from replan.storage import blobs, manifest
from replan.storage.archive import (
    ChannelRow,
    CheckpointRow,
    JournalRow,
    OutputRow,
    RevisionRow,
    Writer,
    WriteRow,
)
from replan.storage.migrations import MIGRATIONS
from replan.storage.persistence import Persistence

OUTPUTS = "outputs"
_REFERENCE = re.compile(rb"output:([0-9a-f]{24})")
_BATCH_BYTES = 16_000_000
_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"


@dataclass(frozen=True)
class Exported:
    """What was written."""

    file: Path
    size: int
    checkpoints: int
    calls: int
    revisions: int
    blobs: int


@dataclass
class _Rows:
    """The rows of a thread."""

    checkpoints: list[CheckpointRow]
    channels: list[ChannelRow]
    writes: list[WriteRow]
    journal: list[JournalRow]
    revisions: list[RevisionRow]


async def export_thread(
    opened: Persistence, thread_id: str, file: Path, overwrite: bool = False
) -> Exported:
    """Write a thread: checkpoints of all branches and namespaces, journal, revisions, files.

    All of it as it was at one moment, also of a thread that runs. The file appears when it is
    complete.

    Args:
        opened: the database.
        thread_id: the thread.
        file: where to write.
        overwrite: whether a file that is there may be replaced.

    Raises:
        ThreadNotFoundError: there is no such thread.
        ExportError: the file is there already, or cannot be written.
        RevisionError: content that belongs to it is missing in the database, or damaged.
    """
    if not overwrite and await asyncio.to_thread(os.path.lexists, file):
        raise ExportError(f"{file} exists already.", "Name another file, or give --force.")
    part = file.with_name(f".{file.name}.{secrets.token_hex(4)}.part")
    try:
        async with opened.pool.connection() as connection, connection.transaction():
            await connection.execute(_SNAPSHOT)
            done = await _write(opened, connection, thread_id, part)
        await asyncio.to_thread(_put_in_place, part, file)
    except OSError as error:
        raise ExportError(f"{file} cannot be written: {error.strerror or error}.") from error
    finally:
        with suppress(OSError):
            await asyncio.to_thread(part.unlink, True)
    size = (await asyncio.to_thread(file.stat)).st_size
    return Exported(file, size, *done)


async def _write(
    opened: Persistence, connection: AsyncConnection[DictRow], thread_id: str, part: Path
) -> tuple[int, int, int, int]:
    rows = await _rows(connection, thread_id)
    names = await asyncio.to_thread(_blob_names, rows)
    mentioned = await asyncio.to_thread(_mentioned, rows)
    writer = await asyncio.to_thread(Writer, part)
    try:
        for batch in _batches(await _sizes(connection, names)):
            stored = await blobs.fetch(connection, batch)
            mentioned |= await asyncio.to_thread(_write_blobs, writer, stored)
        outputs = await _outputs(connection, sorted(mentioned))

        def finish() -> None:
            writer.table("checkpoints.jsonl", rows.checkpoints)
            writer.table("channels.jsonl", rows.channels)
            writer.table("writes.jsonl", rows.writes)
            writer.table("journal.jsonl", rows.journal)
            writer.table("revisions.jsonl", rows.revisions)
            writer.table("outputs.jsonl", outputs)
            writer.manifest(
                thread_id=thread_id,
                exported=datetime.now(UTC),
                saver=len(opened.saver.MIGRATIONS),
                own=len(MIGRATIONS),
            )

        await asyncio.to_thread(finish)
    finally:
        await asyncio.to_thread(writer.close)
    return len(rows.checkpoints), len(rows.journal), len(rows.revisions), len(names)


async def _rows(connection: AsyncConnection[DictRow], thread_id: str) -> _Rows:
    async def of_thread(query: str) -> list[dict[str, Any]]:
        cursor = await connection.execute(query.encode(), (thread_id,), binary=True)
        return await cursor.fetchall()

    found = await of_thread(
        "SELECT checkpoint_ns, checkpoint_id, parent_checkpoint_id, checkpoint, metadata "
        "FROM checkpoints WHERE thread_id = %s ORDER BY checkpoint_ns, checkpoint_id"
    )
    if not found:
        raise ThreadNotFoundError(
            f"there is no thread {thread_id}.", "`replan threads` lists what there is."
        )
    checkpoints = [CheckpointRow.model_construct(**row) for row in found]
    channels = await of_thread(
        "SELECT checkpoint_ns, channel, version, type, blob FROM checkpoint_blobs "
        "WHERE thread_id = %s ORDER BY checkpoint_ns, channel, version"
    )
    writes = await of_thread(
        "SELECT checkpoint_ns, checkpoint_id, task_id, task_path, idx, channel, type, blob "
        "FROM checkpoint_writes WHERE thread_id = %s "
        "ORDER BY checkpoint_ns, checkpoint_id, task_path, task_id, idx"
    )
    journal = await of_thread(
        "SELECT checkpoint_id, execution, step, node, task, number, kind, role, name, "
        "encode(request, 'hex') AS request, encode(response, 'hex') AS response, outcome, usage, "
        "revision, left_revision, started, ended "
        "FROM replan_journal WHERE thread_id = %s ORDER BY id"
    )
    entries = [JournalRow.model_construct(**row) for row in journal]
    return _Rows(
        checkpoints,
        [ChannelRow.model_construct(**_encoded(row, "blob")) for row in channels],
        [WriteRow.model_construct(**_encoded(row, "blob")) for row in writes],
        entries,
        await _revisions(connection, thread_id, checkpoints, entries),
    )


def _encoded(row: dict[str, Any], *names: str) -> dict[str, Any]:
    """The row with plain bytes, whatever the driver gives."""
    return {**row, **{name: None if row[name] is None else bytes(row[name]) for name in names}}


async def _revisions(
    connection: AsyncConnection[DictRow],
    thread_id: str,
    checkpoints: list[CheckpointRow],
    journal: list[JournalRow],
) -> list[RevisionRow]:
    """The thread's own, and others that it names. One whose base is of another thread is made
    whole: nothing of that thread goes into the export.
    """
    named = {str(row.checkpoint["channel_values"].get("revision") or "") for row in checkpoints}
    named |= {name for row in journal for name in (row.revision, row.left_revision)}
    numbers = [number for name in named if (number := revision_number(name)) > 0]
    cursor = await connection.execute(
        "SELECT mine.id, mine.workspace, mine.base, mine.created, mine.files, mine.bytes, "
        "mine.entries, mine.left_out, mine.ignored, base.entries AS base_entries "
        "FROM replan_revisions AS mine LEFT JOIN replan_revisions AS base ON base.id = mine.base "
        "WHERE mine.thread_id = %s OR mine.id = ANY(%s) ORDER BY mine.id",
        (thread_id, numbers),
        binary=True,
    )
    rows = await cursor.fetchall()
    own = {row["id"] for row in rows}

    def read() -> list[RevisionRow]:
        made = []
        for row in rows:
            base_entries = row.pop("base_entries")
            if row["base"] is not None and row["base"] not in own:
                whole = manifest.applied({}, manifest.decode(base_entries))
                whole = manifest.applied(whole, manifest.decode(row["entries"]))
                row.update(base=None, entries=manifest.encode(manifest.whole(whole)))
            made.append(RevisionRow.model_construct(**_encoded(row, "entries", "left_out")))
        return made

    return await asyncio.to_thread(read)


def _blob_names(rows: _Rows) -> list[str]:
    """Of the files of the revisions, and of what was asked and answered."""
    names = {row.request for row in rows.journal}
    names |= {row.response for row in rows.journal if row.response}
    for row in rows.revisions:
        entries = manifest.applied({}, manifest.decode(row.entries))
        names |= {entry.value for entry in entries.values() if entry.kind == "file"}
    return sorted(names)


def _mentioned(rows: _Rows) -> set[str]:
    """Keys of the long outputs that the state mentions."""
    bodies = [row.blob for row in rows.channels if row.blob]
    bodies += [row.blob for row in rows.writes]
    bodies += [str(row.checkpoint["channel_values"]).encode() for row in rows.checkpoints]
    return {key.decode() for body in bodies for key in _REFERENCE.findall(body)}


def _write_blobs(writer: Writer, stored: dict[str, tuple[int, bytes]]) -> set[str]:
    """Write them; the keys of long outputs that they mention are returned."""
    mentioned: set[str] = set()
    for name, (codec, data) in stored.items():
        content = blobs.unpacked(name, codec, data)
        writer.blob(name, content)
        mentioned |= {key.decode() for key in _REFERENCE.findall(content)}
    return mentioned


async def _sizes(connection: AsyncConnection[DictRow], names: list[str]) -> list[tuple[str, int]]:
    """The names with the stored size of each; what is missing comes up when it is read."""
    cursor = await connection.execute(
        "SELECT encode(sha256, 'hex') AS sha256, size FROM replan_blobs "
        "WHERE sha256 = ANY(%b::bytea[])",
        ([bytes.fromhex(name) for name in names],),
    )
    known = {row["sha256"]: row["size"] for row in await cursor.fetchall()}
    return [(name, known.get(name, 0)) for name in names]


def _batches(sizes: list[tuple[str, int]]) -> Iterator[list[str]]:
    batch: list[str] = []
    room = _BATCH_BYTES
    for name, size in sizes:
        if batch and (room < size or len(batch) >= 1000):
            yield batch
            batch, room = [], _BATCH_BYTES
        batch.append(name)
        room -= size
    if batch:
        yield batch


async def _outputs(connection: AsyncConnection[DictRow], keys: list[str]) -> list[OutputRow]:
    cursor = await connection.execute(
        "SELECT key, value ->> 'text' AS text FROM store WHERE prefix = %s AND key = ANY(%s)",
        (OUTPUTS, keys),
    )
    return [OutputRow.model_construct(**row) for row in await cursor.fetchall()]


def _put_in_place(part: Path, file: Path) -> None:
    with part.open("rb") as written:
        os.fsync(written.fileno())
    part.replace(file)
