"""Brings an exported thread into this database: all of it, or nothing."""

import asyncio
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from replan.state.errors import ExportError
from replan.storage import blobs, manifest
from replan.storage.archive import (
    ChannelRow,
    CheckpointRow,
    JournalRow,
    OutputRow,
    Reader,
    RevisionRow,
    WriteRow,
)
from replan.storage.export import OUTPUTS
from replan.storage.imported_state import Fitting, StateFitter, check_safe
from replan.storage.migrations import MIGRATIONS
from replan.storage.persistence import Persistence

_BATCH_BYTES = 16_000_000
_BATCH_ROWS = 500
_MOST_MANIFEST_BYTES = 256_000_000
_SHA256 = re.compile("[0-9a-f]{64}")
Row = TypeVar("Row")


@dataclass
class Bundle:
    """A checked export; its blobs are still in the file."""

    thread_id: str
    checkpoints: list[CheckpointRow]
    channels: list[ChannelRow]
    writes: list[WriteRow]
    journal: list[JournalRow]
    revisions: list[RevisionRow]
    outputs: list[OutputRow]


def read_bundle(reader: Reader, opened: Persistence) -> Bundle:
    """Everything but the blobs, checked in itself. Blocking.

    Raises:
        ExportError: something does not fit, or was written by a newer version.
    """
    about = reader.manifest
    if about.saver > len(opened.saver.MIGRATIONS) or about.own > len(MIGRATIONS):
        raise ExportError(
            "the export was written by a newer version of replan or LangGraph.",
            "Update replan.",
        )
    bundle = Bundle(
        about.thread_id,
        reader.table(CheckpointRow),
        reader.table(ChannelRow),
        reader.table(WriteRow),
        reader.table(JournalRow),
        reader.table(RevisionRow),
        reader.table(OutputRow),
    )
    try:
        _check_state(bundle)
        _check_content(bundle, set(reader.blobs))
    except ExportError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, zlib.error) as error:
        raise reader.damaged(f"what it holds does not fit: {error}") from error
    return bundle


async def import_thread(
    opened: Persistence, reader: Reader, bundle: Bundle, thread_id: str, workspace: Path
) -> None:
    """Store a thread, in one transaction. The caller holds the thread's lock.

    Args:
        opened: the database.
        reader: the archive.
        bundle: from `read_bundle`.
        thread_id: what it is called here.
        workspace: the folder that it works in from now on, in place of the one it had.

    Raises:
        ExportError: there is such a thread already, or the database refuses what the export
            holds. Nothing was changed.
    """
    try:
        await _import(opened, reader, bundle, thread_id, workspace)
    except (psycopg.DataError, psycopg.IntegrityError) as error:
        raise reader.damaged("the database refuses what it holds") from error


async def _import(
    opened: Persistence, reader: Reader, bundle: Bundle, thread_id: str, workspace: Path
) -> None:
    async with opened.pool.connection() as connection, connection.transaction():
        if await _exists(connection, thread_id):
            raise ExportError(
                f"there is a thread {thread_id} already.",
                "Nothing was changed. Import it under another id with: --as UUID",
            )
        for batch in _batches(reader):
            content = await asyncio.to_thread(_packed, reader, batch)
            await blobs.insert(connection, content)
        folders = _folders(bundle)
        numbers = await _add_revisions(connection, bundle, thread_id, str(workspace), folders)
        fitting = Fitting(numbers, str(workspace), folders)
        await _add_checkpoints(opened, connection, bundle, thread_id, fitting)
        await _add_journal(connection, bundle, thread_id, fitting)
        await _add_outputs(opened, connection, bundle)


def _check_state(bundle: Bundle) -> None:
    """Every value of the state is plain data, and every checkpoint has its parts."""
    if not bundle.checkpoints:
        raise ValueError("no checkpoint")
    for row in bundle.checkpoints:
        checkpoint = row.checkpoint
        if checkpoint["id"] != row.checkpoint_id or not isinstance(checkpoint["v"], int):
            raise ValueError(f"checkpoint {row.checkpoint_id}")
        parts = ("channel_values", "channel_versions", "versions_seen")
        if not all(isinstance(checkpoint[part], dict) for part in parts):
            raise ValueError(f"checkpoint {row.checkpoint_id}")
    for channel in bundle.channels:
        check_safe(channel.type, channel.blob)
    for write in bundle.writes:
        check_safe(write.type, write.blob)


def _check_content(bundle: Bundle, names: set[str]) -> None:
    """Every revision can be restored, and every call has what was asked and answered."""
    whole = {row.id for row in bundle.revisions if row.base is None}
    if len({row.id for row in bundle.revisions}) != len(bundle.revisions):
        raise ValueError("a revision twice")
    for row in bundle.revisions:
        if row.base is not None and (row.base not in whole or row.base > row.id):
            raise ValueError(f"revision {row.id} without its base")
        change = _decoded(row.entries)
        for path, entry in manifest.applied({}, change).items():
            _check_entry(path, entry, names)
        if not all(isinstance(path, str) for path in change["removed"]):
            raise ValueError(f"revision {row.id}")
        if not isinstance(_decoded(row.left_out), dict):
            raise ValueError(f"revision {row.id}")
    for call in bundle.journal:
        if call.request not in names or call.response not in {*names, None}:
            raise ValueError(f"call {call.number} of {call.node} without its content")


def _decoded(data: bytes) -> Any:
    """What `manifest.decode` gives, of data that may unpack to far too much."""
    opened = zlib.decompressobj()
    if len(opened.decompress(data, _MOST_MANIFEST_BYTES)) >= _MOST_MANIFEST_BYTES:
        raise ValueError("a manifest that is too large")
    return manifest.decode(data)


def _check_entry(path: str, entry: manifest.Entry, names: set[str]) -> None:
    """A restore writes it: it has to stay in its folder."""
    parts = PurePosixPath(path).parts
    well = (
        bool(parts)
        and not path.startswith("/")
        and ".." not in parts
        and "\0" not in path
        and "/".join(parts) == path
        and entry.kind in ("file", "link", "folder")
        and isinstance(entry.mode, int)
        and 0 <= entry.mode <= 0o777
        and isinstance(entry.size, int)
        and isinstance(entry.value, str)
        and "\0" not in entry.value
    )
    if not well:
        raise ValueError(f"path {path[:80]!r} of a revision")
    if entry.kind == "file" and (not _SHA256.fullmatch(entry.value) or entry.value not in names):
        raise ValueError(f"path {path[:80]!r} without its content")


async def _exists(connection: AsyncConnection[DictRow], thread_id: str) -> bool:
    cursor = await connection.execute(
        "SELECT EXISTS (SELECT FROM checkpoints WHERE thread_id = %s) "
        "OR EXISTS (SELECT FROM replan_journal WHERE thread_id = %s) AS found",
        (thread_id, thread_id),
    )
    row = await cursor.fetchone()
    return bool(row and row["found"])


def _folders(bundle: Bundle) -> frozenset[str]:
    """The folders that the state works in."""
    values = [row.checkpoint["channel_values"].get("workspace") for row in bundle.checkpoints]
    return frozenset(value for value in values if isinstance(value, str) and value)


def _batches(reader: Reader) -> Iterator[list[str]]:
    batch: list[str] = []
    room = _BATCH_BYTES
    for name in reader.blobs:
        size = reader.manifest.members[f"blobs/{name}"].bytes
        if batch and (room < size or len(batch) >= _BATCH_ROWS):
            yield batch
            batch, room = [], _BATCH_BYTES
        batch.append(name)
        room -= size
    if batch:
        yield batch


def _packed(reader: Reader, names: list[str]) -> dict[str, tuple[int, int, bytes]]:
    packed = {}
    for name in names:
        content = reader.blob(name)
        packed[name] = (len(content), *blobs.packed(content))
    return packed


async def _add_revisions(
    connection: AsyncConnection[DictRow],
    bundle: Bundle,
    thread_id: str,
    workspace: str,
    folders: frozenset[str],
) -> dict[str, str]:
    """Insert the revisions, a later one with a greater number; the new numbers by the old."""
    numbers: dict[int, int] = {}
    for row in sorted(bundle.revisions, key=lambda row: row.id):
        folder = workspace if row.workspace in folders else row.workspace
        cursor = await connection.execute(
            "INSERT INTO replan_revisions "
            "(thread_id, workspace, base, created, files, bytes, entries, left_out, ignored) "
            "VALUES (%s, %s, %s, %s, %s, %s, %b, %b, %s) RETURNING id",
            (
                thread_id, folder, numbers[row.base] if row.base else None, row.created,
                row.files, row.bytes, row.entries, row.left_out, row.ignored,
            ),
        )  # fmt: skip
        added = await cursor.fetchone()
        assert added is not None
        numbers[row.id] = added["id"]
    return {str(old): str(new) for old, new in numbers.items()}


async def _add_checkpoints(
    opened: Persistence,
    connection: AsyncConnection[DictRow],
    bundle: Bundle,
    thread_id: str,
    fitting: Fitting,
) -> None:
    """By the saver's own statements, which are what its `aput` and `aput_writes` run."""
    saver, fitter = opened.saver, StateFitter(fitting, bundle.checkpoints)

    def fitted() -> tuple[list[CheckpointRow], list[ChannelRow], list[WriteRow]]:
        return (
            [fitter.checkpoint(row) for row in bundle.checkpoints],
            [fitter.channel(row) for row in bundle.channels],
            [fitter.write(row) for row in bundle.writes],
        )

    checkpoints, channels, writes = await asyncio.to_thread(fitted)
    async with connection.cursor() as cursor:
        await cursor.executemany(
            saver.UPSERT_CHECKPOINT_BLOBS_SQL,
            [
                (thread_id, row.checkpoint_ns, row.channel, row.version, row.type, row.blob)
                for row in channels
            ],
        )
        await cursor.executemany(
            saver.UPSERT_CHECKPOINTS_SQL,
            [
                (
                    thread_id, row.checkpoint_ns, row.checkpoint_id, row.parent_checkpoint_id,
                    Jsonb(row.checkpoint), Jsonb(row.metadata),
                )
                for row in checkpoints
            ],
        )  # fmt: skip
        await cursor.executemany(
            saver.INSERT_CHECKPOINT_WRITES_SQL,
            [
                (
                    thread_id, row.checkpoint_ns, row.checkpoint_id, row.task_id, row.task_path,
                    row.idx, row.channel, row.type, row.blob,
                )
                for row in writes
            ],
        )  # fmt: skip


async def _add_journal(
    connection: AsyncConnection[DictRow], bundle: Bundle, thread_id: str, fitting: Fitting
) -> None:
    rows = [
        (
            thread_id, row.checkpoint_id, row.execution, row.step, row.node, row.task, row.number,
            row.kind, row.role, row.name, bytes.fromhex(row.request),
            bytes.fromhex(row.response) if row.response else None, row.outcome,
            None if row.usage is None else Jsonb(row.usage), fitting.revision(row.revision),
            fitting.revision(row.left_revision), row.started, row.ended,
        )
        for row in bundle.journal
    ]  # fmt: skip
    async with connection.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO replan_journal (thread_id, checkpoint_id, execution, step, node, task, "
            "number, kind, role, name, request, response, outcome, usage, revision, "
            "left_revision, started, ended) VALUES "
            "(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %b, %b, %s, %s, %s, %s, %s, %s)",
            rows,
        )


async def _add_outputs(
    opened: Persistence, connection: AsyncConnection[DictRow], bundle: Bundle
) -> None:
    """Named by their content: one that is here already is the same."""
    async with connection.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO store (prefix, key, value, created_at, updated_at) "
            "VALUES (%s, %s, %s, now(), now()) ON CONFLICT (prefix, key) DO NOTHING",
            [(OUTPUTS, row.key, Jsonb({"text": row.text})) for row in bundle.outputs],
        )
