"""Revisions: a workspace's files as they were, in Postgres, each content once.

A revision is stored as its difference from a whole manifest, its base; where the difference gets
long, it is stored whole and is the base of those that follow. So two rows tell all of it.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import DictRow

from replan.state.agent_state import revision_number
from replan.state.errors import DatabaseError, RevisionError
from replan.storage import blobs, manifest
from replan.storage.database import UNHURRIED
from replan.storage.folder_scan import Known, Limits, Look
from replan.storage.known_folder import (
    FreshFiles,
    KnownFolder,
    batch_of,
    known_folder,
    look_and_read,
    read_all,
)
from replan.storage.manifest import Manifest
from replan.storage.migrations import own_tables_are_ready

if TYPE_CHECKING:
    from langgraph.store.base import BaseStore
    from psycopg_pool import AsyncConnectionPool

    Pool = AsyncConnectionPool[AsyncConnection[DictRow]]

_READY: "WeakSet[Pool]" = WeakSet()
# Sent and packed at once; more is asked about first, and packed in a thread.
_LITTLE_BYTES = 64_000
_SHORT_DIFFERENCE = 64
_RESUME = "What was stored before is safe. Mend that, then go on with: replan resume THREAD."


@dataclass(frozen=True)
class Taken:
    """A revision as it was taken; `left_out` is what it lacks and the one before did not."""

    revision: str
    changed: int
    left_out: dict[str, str]


@dataclass(frozen=True)
class Revision:
    """A stored revision: all it holds, what was left out and why, and what was ignored."""

    revision: str
    workspace: str
    manifest: Manifest
    left_out: dict[str, str]
    ignored: list[str]


@dataclass(frozen=True)
class RevisionRow:
    """A revision in a list. `size` is in bytes, without what is stored only once."""

    revision: str
    workspace: str
    created: datetime
    files: int
    size: int


async def revisions_in(store: "BaseStore | None") -> "Revisions | None":
    """The revisions beside a run's long-term store; None where they cannot be kept.

    That is so without a store, with another one than Postgres, or where our tables are missing.
    The one place that decides it: without revisions a run goes on, and its files have no history.
    """
    from langgraph.store.postgres.aio import AsyncPostgresStore
    from psycopg_pool import AsyncConnectionPool

    if not isinstance(store, AsyncPostgresStore) or not isinstance(store.conn, AsyncConnectionPool):
        return None
    kept = Revisions(store.conn)
    return kept if await kept.ready() else None


class Revisions:
    """Takes, reads and lists revisions.

    Args:
        pool: connections of `open_persistence`.
    """

    def __init__(self, pool: "Pool") -> None:
        self._pool = pool

    async def ready(self) -> bool:
        """Whether the tables are there; once they are, that is not asked again."""
        if self._pool not in _READY:
            async with self.connection() as connection:
                if not await own_tables_are_ready(connection):
                    return False
            _READY.add(self._pool)
        return True

    async def take(
        self,
        folder: Path,
        thread_id: str,
        limits: Limits | None = None,
        after: str = "",
        noted_next: bool = False,
    ) -> Taken:
        """Store the folder as it is now. Only files that seem changed are read.

        Without a change since the thread's last revision, that one is given again.

        Args:
            folder: the workspace.
            thread_id: whose revision it is.
            limits: what it may hold.
            after: the revision in the run's state: the one given is no earlier.
            noted_next: whether a durable write to the same database follows at once, without
                which nothing names the revision: this one then does not wait for the disk.

        Raises:
            WorkspaceError: the folder is not there.
            DatabaseError: it cannot be stored; there is no half revision then.
        """
        limits = limits or Limits()
        here = self.known(folder)
        async with here.lock:
            fresh = await asyncio.to_thread(look_and_read, here, folder, limits)
            look = fresh.look
            if not here.last:
                await self._take_up(here, folder, thread_id)
            known, content = await self._keep_content(here, folder, fresh, limits)
            now = {path: entry for path, (_, entry) in known.items()}
            change = manifest.difference(here.last_manifest, now)
            changed = len(change["set"]) + len(change["removed"])
            before = here.last_left_out
            news = {path: why for path, why in look.left_out.items() if path not in before}
            same = (
                not changed
                and here.last_left_out == look.left_out
                and here.last_thread == thread_id
                and here.limits.ignore == limits.ignore
                and revision_number(here.last) >= revision_number(after)
            )
            if not same:
                try:
                    here.last = await self._add(
                        here, folder, thread_id, now, look, limits, content, noted_next
                    )
                except psycopg.errors.ForeignKeyViolation as error:
                    known_folder.cache_clear()  # What it knows as stored is not.
                    raise DatabaseError(
                        "earlier revisions were removed from the database meanwhile.", _RESUME
                    ) from error
                here.last_thread = thread_id
            here.known, here.last_manifest = known, now
            here.last_left_out, here.limits = look.left_out, limits
            return Taken(here.last, changed, news)

    async def last(self, folder: Path, thread_id: str) -> str:
        """The thread's latest revision of a folder, "" for none; asked for once a process."""
        here = self.known(folder)
        if here.last and here.last_thread == thread_id:
            return here.last
        return await self.latest_in(folder, thread_id)

    def known(self, folder: Path) -> KnownFolder:
        """What this process knows of a folder."""
        return known_folder(folder, str(self._pool.conninfo), id(asyncio.get_running_loop()))

    async def repeat(self, revision: str, folder: Path, thread_id: str) -> str:
        """Note that a folder is what it was in a revision, after a restore or as its copy; the
        number of that.

        Raises:
            RevisionError: there is none of that name.
        """
        nothing = manifest.encode(manifest.whole({}))
        async with self.connection() as connection:
            added = await connection.execute(
                "INSERT INTO replan_revisions "
                "(thread_id, workspace, base, files, bytes, entries, left_out, ignored) "
                "SELECT %s, %s, coalesce(base, id), files, bytes, "
                "CASE WHEN base IS NULL THEN %b ELSE entries END, left_out, ignored "
                "FROM replan_revisions WHERE id = %s RETURNING id",
                (thread_id, _storable(str(folder)), nothing, revision_number(revision)),
            )
            row = await added.fetchone()
        if row is None:
            raise _unknown(revision)
        return str(row["id"])

    async def load(self, revision: str) -> Revision:
        """All of a revision but the content of its files.

        Raises:
            RevisionError: there is none of that name.
        """
        async with self.connection() as connection:
            found = await connection.execute(
                "SELECT mine.*, base.entries AS base_entries FROM replan_revisions AS mine "
                "LEFT JOIN replan_revisions AS base ON base.id = mine.base WHERE mine.id = %s",
                (revision_number(revision),),
            )
            row = await found.fetchone()
        if row is None:
            raise _unknown(revision)
        return await asyncio.to_thread(_revision, row)

    async def content(self, names: list[str]) -> dict[str, tuple[int, bytes]]:
        """Codec and stored form of blobs; see `blobs.fetch`."""
        async with self.connection() as connection:
            return await blobs.fetch(connection, names)

    async def of_thread(self, thread_id: str, limit: int = 1000) -> list[RevisionRow]:
        """The thread's revisions, the latest first."""
        async with self.connection() as connection:
            found = await connection.execute(
                "SELECT id, workspace, created, files, bytes FROM replan_revisions "
                "WHERE thread_id = %s ORDER BY id DESC LIMIT %s",
                (thread_id, limit),
            )
            rows = await found.fetchall()
        columns = ("workspace", "created", "files", "bytes")
        return [RevisionRow(str(row["id"]), *(row[name] for name in columns)) for row in rows]

    async def latest_in(self, folder: Path, thread_id: str = "") -> str:
        """The latest revision taken of a folder, by any thread or the one given; "" for none."""
        async with self.connection() as connection:
            found = await connection.execute(
                "SELECT id FROM replan_revisions WHERE workspace = %s AND %s IN ('', thread_id) "
                "ORDER BY id DESC LIMIT 1",
                (_storable(str(folder)), thread_id),
            )
            row = await found.fetchone()
        return str(row["id"]) if row else ""

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection[DictRow]]:
        """A connection; what goes wrong with it is a DatabaseError in one line."""
        from psycopg_pool import PoolTimeout

        try:
            async with self._pool.connection() as connection:
                yield connection
        except psycopg.errors.DiskFull as error:
            raise DatabaseError("the disk of the database is full.", _RESUME) from error
        except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout) as error:
            raise DatabaseError("the database stopped answering in mid-run.", _RESUME) from error

    async def _take_up(self, here: KnownFolder, folder: Path, thread_id: str) -> None:
        """Go on from what another process stored: the difference to it is short."""
        latest = await self.latest_in(folder, thread_id)
        if not latest:
            return
        before = await self.load(latest)
        async with self.connection() as connection:
            found = await connection.execute(
                "SELECT coalesce(base, id) AS base FROM replan_revisions WHERE id = %s",
                (int(latest),),
            )
            row = await found.fetchone()
        if row is None:
            return
        base = str(row["base"])
        here.base = row["base"]
        here.base_manifest = (before if base == latest else await self.load(base)).manifest
        here.last, here.last_thread = latest, thread_id
        here.last_manifest, here.last_left_out = before.manifest, before.left_out
        here.limits = Limits(ignore=tuple(before.ignored))

    async def _keep_content(
        self, here: KnownFolder, folder: Path, fresh: FreshFiles, limits: Limits
    ) -> tuple[Known, blobs.Blobs]:
        """What is known after the look, once the content of fresh files is in the database; and
        the content that is not, since it is so little that it can go in with the revision.
        """
        look, known = fresh.look, dict(here.known)
        for path in look.gone:
            known.pop(path, None)
        known.update((path, (None, entry)) for path, entry in look.changed.items())
        stored = {here.last_manifest[path].value for path in look.fresh.keys() & here.last_manifest}
        batch, read = fresh.batch, fresh.read
        little: blobs.Blobs = {}
        while batch:
            content = {f.entry.value: f.data for f in read if f.entry.value not in stored}
            if batch is fresh.batch and sum(map(len, content.values())) <= _LITTLE_BYTES:
                little = _packed(content)
            elif content:
                await self._store(content)
            for path in batch:
                known.pop(path, None)
            known.update((file.path, (file.stamp, file.entry)) for file in read)
            if batch := batch_of(fresh.rest):
                read = await asyncio.to_thread(read_all, folder, batch, look, limits.file_bytes)
        return known, little

    async def _store(self, content: dict[str, bytes]) -> None:
        """Store content that may be there already, which is asked first."""
        async with self.connection() as connection:
            new = await blobs.missing(connection, list(content))
            packed = await asyncio.to_thread(_packed, {name: content[name] for name in new})
            await blobs.insert(connection, packed)

    async def _add(
        self,
        here: KnownFolder,
        folder: Path,
        thread_id: str,
        now: Manifest,
        look: Look,
        limits: Limits,
        content: blobs.Blobs,
        noted_next: bool,
    ) -> str:
        """Insert a revision, as a difference from the base or whole, and content that is not stored
        yet, in one statement; and tell its number.
        """
        change = manifest.difference(here.base_manifest, now)
        length = len(change["set"]) + len(change["removed"])
        short = length <= max(_SHORT_DIFFERENCE, len(now) // 50)
        base = here.base if short else None
        if base is None:
            change = manifest.whole(now)
        values = {
            **blobs.columns(content),
            "thread": thread_id,
            "workspace": _storable(str(folder)),
            "base": base,
            "files": sum(entry.kind != "folder" for entry in now.values()),
            "bytes": sum(entry.size for entry in now.values()),
            "entries": await _encoded(change),
            "left_out": manifest.encode(look.left_out),
            "ignored": [_storable(pattern) for pattern in limits.ignore],
        }
        async with self.connection() as connection:
            statement = _ADD_UNHURRIED if noted_next else _ADD.encode()
            row = await (await connection.execute(statement, values)).fetchone()
        assert row is not None
        if base is None:
            here.base, here.base_manifest = row["id"], now
        return str(row["id"])


_ADD = f"""
WITH content AS ({blobs.INSERT})
INSERT INTO replan_revisions
    (thread_id, workspace, base, files, bytes, entries, left_out, ignored)
VALUES (%(thread)s, %(workspace)s, %(base)s, %(files)s, %(bytes)s, %(entries)b, %(left_out)b,
    %(ignored)s)
RETURNING id"""
_ADD_UNHURRIED = f"{_ADD}, {UNHURRIED}".encode()


async def _encoded(change: dict[str, Any]) -> bytes:
    """A difference as it is stored; a short one is encoded sooner than a thread is reached."""
    if len(change["set"]) + len(change["removed"]) <= _SHORT_DIFFERENCE:
        return manifest.encode(change)
    return await asyncio.to_thread(manifest.encode, change)


def _packed(content: dict[str, bytes]) -> blobs.Blobs:
    return {name: (len(data), *blobs.packed(data)) for name, data in content.items()}


def _revision(row: DictRow) -> Revision:
    base: Manifest = {}
    if row["base"] is not None:
        base = manifest.applied({}, manifest.decode(row["base_entries"]))
    return Revision(
        revision=str(row["id"]),
        workspace=row["workspace"],
        manifest=manifest.applied(base, manifest.decode(row["entries"])),
        left_out=manifest.decode(row["left_out"]),
        ignored=list(row["ignored"]),
    )


def _unknown(revision: str) -> RevisionError:
    return RevisionError(f"there is no revision {revision[:40]!r} of a workspace.")


def _storable(text: str) -> str:
    """A path or pattern as a database keeps it: bytes that are not UTF-8 written out."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "")
