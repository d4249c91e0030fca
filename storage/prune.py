"""Removes threads, or the older checkpoints of them, and what nothing refers to any more."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import DictRow

from replan.state.agent_state import revision_number
from replan.state.errors import ThreadBusyError, ThreadNotFoundError
from replan.storage import manifest
from replan.storage.checkpoints import Checkpoint, History, read_history
from replan.storage.copying import copies_of_thread
from replan.storage.database import Database
from replan.storage.persistence import Persistence
from replan.storage.thread_lock import LOCK_NAME, thread_lock

_BATCH = 1000
_NUMBER_BYTES = 24  # a revision's number, serialized; what is longer is another graph's


@dataclass(frozen=True)
class Wanted:
    """Which threads, and what of them goes.

    Attributes:
        threads: ids; none for all.
        older_than: only threads whose latest checkpoint is older; None for any age.
        keep_latest: how many checkpoints before and with the head stay; None removes the thread.
    """

    threads: Sequence[str] = ()
    older_than: timedelta | None = None
    keep_latest: int | None = None


@dataclass
class Pruned:
    """What was removed. `skipped` are threads that run, `held` says why content was left."""

    removed: list[str] = field(default_factory=list)
    trimmed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    checkpoints: int = 0
    calls: int = 0
    revisions: int = 0
    blobs: int = 0
    bytes: int = 0
    held: str = ""


async def prune(
    database: Database,
    opened: Persistence,
    wanted: Wanted,
    workspaces: Path,
    dry_run: bool = False,
) -> Pruned:
    """Remove what is wanted, thread by thread, and then what nothing refers to any more.

    A thread that runs is skipped. Of each other one, all that goes does so in one transaction.

    Args:
        database: where the threads are locked.
        opened: the same database.
        wanted: which threads, and what of them.
        workspaces: where the threads' own folders are; those of a removed thread go too.
        dry_run: whether to count only: all is rolled back.

    Raises:
        ThreadNotFoundError: one of the named threads is not there. Nothing was removed.
    """
    done = Pruned()
    chosen = await _chosen(opened, wanted)
    async with opened.pool.connection() as connection, _kept_or_not(connection, dry_run):
        folders: list[Path] = []
        for thread_id in chosen:
            try:
                async with thread_lock(database, thread_id):
                    history = await read_history(opened, thread_id)
                    async with connection.transaction():
                        await _prune_thread(connection, opened, history, wanted, done)
            except ThreadBusyError:
                done.skipped.append(thread_id)
            except ThreadNotFoundError:
                continue  # removed meanwhile
            else:
                if done.removed[-1:] == [thread_id]:
                    folders += await _own_folders(connection, history, workspaces)
        async with connection.transaction():
            await _sweep(connection, done, dry_run)
    done.folders = [str(folder) for folder in folders]
    if not dry_run:
        for folder in folders:
            await asyncio.to_thread(shutil.rmtree, folder, True)
    return done


@asynccontextmanager
async def _kept_or_not(connection: AsyncConnection[DictRow], dry_run: bool) -> AsyncIterator[None]:
    """A dry run does all of it in a transaction that is rolled back."""
    if not dry_run:
        yield
        return
    async with connection.transaction(force_rollback=True):
        yield


async def _chosen(opened: Persistence, wanted: Wanted) -> list[str]:
    """The threads, the ones that are longest at rest first."""
    async with opened.pool.connection() as connection:
        cursor = await connection.execute(
            "SELECT thread_id, max((checkpoint ->> 'ts')::timestamptz) AS latest "
            "FROM checkpoints GROUP BY thread_id ORDER BY latest"
        )
        latest = {row["thread_id"]: row["latest"] for row in await cursor.fetchall()}
    for thread_id in wanted.threads:
        if thread_id not in latest:
            raise ThreadNotFoundError(
                f"there is no thread {thread_id}.", "`replan threads` lists what there is."
            )
    before = datetime.now(UTC) - wanted.older_than if wanted.older_than is not None else None
    return [
        thread_id
        for thread_id, moment in latest.items()
        if (not wanted.threads or thread_id in wanted.threads)
        and (before is None or moment < before)
    ]


async def _prune_thread(
    connection: AsyncConnection[DictRow],
    opened: Persistence,
    history: History,
    wanted: Wanted,
    done: Pruned,
) -> None:
    thread_id = history.thread_id
    if wanted.keep_latest is None:
        kept: list[Checkpoint] = []
        done.removed.append(thread_id)
    else:
        kept = _latest(history, wanted.keep_latest)
        if len(kept) == len(history.checkpoints):
            return
        done.trimmed.append(thread_id)
    done.checkpoints += len(history.checkpoints) - len(kept)
    gone = {one.key for one in history.checkpoints} - {one.key for one in kept}
    await _remove_checkpoints(connection, opened, thread_id, gone, bool(kept))
    # Calls of a checkpoint that is not there any more, of whichever branch.
    removed = await connection.execute(
        "DELETE FROM replan_journal WHERE thread_id = %s AND checkpoint_id <> ALL(%s)",
        (thread_id, [one.checkpoint_id for one in kept]),
    )
    done.calls += removed.rowcount
    done.revisions += await _remove_revisions(connection, opened, thread_id, kept)


def _latest(history: History, count: int) -> list[Checkpoint]:
    """The newest checkpoints of the head's line, and those of subgraphs that began at them."""
    line: list[Checkpoint] = []
    one: Checkpoint | None = history.head
    while one is not None and len(line) < count:
        line.append(one)
        one = history.parent(one)
    ids = {one.checkpoint_id for one in line}
    inner = [
        one
        for one in history.checkpoints
        if one.namespace
        # Without a ":" it is a subgraph whose state outlives its calls.
        and (":" not in one.namespace or (one.settings.get("parents") or {}).get("") in ids)
    ]
    return [*line, *inner]


async def _remove_checkpoints(
    connection: AsyncConnection[DictRow],
    opened: Persistence,
    thread_id: str,
    gone: set[tuple[str, str]],
    some_stay: bool,
) -> None:
    """The saver's own pruning keeps one checkpoint or none; for more there are these statements,
    which do what its do.
    """
    if not some_stay:
        from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver

        saver = AsyncPostgresSaver(connection, serde=opened.saver.serde)
        await saver.aprune([thread_id], strategy="delete")
        return
    pairs = [list(names) for names in zip(*sorted(gone), strict=True)]
    for table in ("checkpoint_writes", "checkpoints"):
        await connection.execute(
            f"DELETE FROM {table} WHERE thread_id = %s AND (checkpoint_ns, checkpoint_id) IN "
            "(SELECT * FROM unnest(%s::text[], %s::text[]))".encode(),
            (thread_id, *pairs),
        )
    await connection.execute(
        "UPDATE checkpoints AS c SET parent_checkpoint_id = NULL WHERE thread_id = %s "
        "AND parent_checkpoint_id IS NOT NULL AND NOT EXISTS (SELECT FROM checkpoints AS p "
        "WHERE p.thread_id = c.thread_id AND p.checkpoint_ns = c.checkpoint_ns "
        "AND p.checkpoint_id = c.parent_checkpoint_id)",
        (thread_id,),
    )
    await connection.execute(
        "DELETE FROM checkpoint_blobs AS b WHERE thread_id = %s AND (checkpoint_ns, channel, "
        "version) NOT IN (SELECT c.checkpoint_ns, v.key, v.value FROM checkpoints AS c, "
        "jsonb_each_text(c.checkpoint -> 'channel_versions') AS v WHERE c.thread_id = %s)",
        (thread_id, thread_id),
    )


async def _remove_revisions(
    connection: AsyncConnection[DictRow],
    opened: Persistence,
    thread_id: str,
    kept: list[Checkpoint],
) -> int:
    """Those of the thread, and of threads that are gone, that nothing names any more.

    A thread that stays keeps the latest of each folder too: a restore compares with it.
    """
    named = await _named(connection, opened)
    cursor = await connection.execute(
        "WITH mine AS (SELECT id FROM replan_revisions AS r WHERE thread_id = %s OR NOT EXISTS "
        "(SELECT FROM checkpoints AS c WHERE c.thread_id = r.thread_id)), "
        "latest AS (SELECT max(id) AS id FROM replan_revisions WHERE thread_id = %s AND %s "
        "GROUP BY workspace), "
        "stay AS (SELECT id, base FROM replan_revisions WHERE id NOT IN (SELECT id FROM mine) "
        "OR id = ANY(%s) OR id IN (SELECT id FROM latest)), "
        "needed AS (SELECT id FROM stay UNION SELECT base FROM stay WHERE base IS NOT NULL) "
        "DELETE FROM replan_revisions WHERE id IN (SELECT id FROM mine) "
        "AND id NOT IN (SELECT id FROM needed)",
        (thread_id, thread_id, bool(kept), sorted(named)),
    )
    return cursor.rowcount


async def _named(connection: AsyncConnection[DictRow], opened: Persistence) -> set[int]:
    """The revisions that any checkpoint, write or call names: a thread may be a copy of
    another one.
    """
    cursor = await connection.execute(
        "SELECT DISTINCT checkpoint -> 'channel_values' ->> 'revision' AS name FROM checkpoints "
        "UNION SELECT revision FROM replan_journal UNION SELECT left_revision FROM replan_journal"
    )
    names = [row["name"] for row in await cursor.fetchall()]
    cursor = await connection.execute(
        "SELECT DISTINCT type, blob FROM checkpoint_writes WHERE channel = 'revision' "
        "AND type = 'msgpack' AND octet_length(blob) <= %s",
        (_NUMBER_BYTES,),
        binary=True,
    )
    for row in await cursor.fetchall():
        value: Any = opened.saver.serde.loads_typed((row["type"], bytes(row["blob"])))
        names.append(value)
    names += await _of_copies(connection, opened)
    return {number for name in names if (number := revision_number(str(name or ""))) > 0}


async def _of_copies(connection: AsyncConnection[DictRow], opened: Persistence) -> list[str]:
    """Those of the copies in which tasks work side by side."""
    cursor = await connection.execute(
        "SELECT DISTINCT type, blob FROM checkpoint_blobs WHERE channel = 'copies' "
        "AND type = 'msgpack' UNION SELECT type, blob FROM checkpoint_writes "
        "WHERE channel = 'copies' AND type = 'msgpack'",
        binary=True,
    )
    names = []
    for row in await cursor.fetchall():
        found: Any = opened.saver.serde.loads_typed((row["type"], bytes(row["blob"])))
        copies = found.values() if isinstance(found, dict) else ()
        for copy in copies:
            if isinstance(copy, dict):
                names += [str(copy.get(name) or "") for name in ("base", "revision")]
    return names


async def _own_folders(
    connection: AsyncConnection[DictRow], history: History, workspaces: Path
) -> list[Path]:
    """The removed thread's own folder, those of its branches, where no other thread works, and the
    copies in which its tasks worked side by side.
    """
    name = history.thread_id
    used = {Path(str(one.values.get("workspace") or "")) for one in history.checkpoints}
    home = await asyncio.to_thread(workspaces.resolve)
    own = [
        folder
        for folder in sorted(used)
        if folder.parent == home and (folder.name == name or folder.name.startswith(f"{name}-"))
    ]
    cursor = await connection.execute(
        "SELECT DISTINCT checkpoint -> 'channel_values' ->> 'workspace' AS folder FROM checkpoints "
        "WHERE thread_id <> %s",
        (name,),
    )
    others = [Path(row["folder"]) for row in await cursor.fetchall() if row["folder"]]
    if (copies := copies_of_thread(home, name)).parent == home:
        own.append(copies)
    return [
        folder
        for folder in own
        if not any(other.is_relative_to(folder) for other in others)
        and await asyncio.to_thread(_is_folder, folder)
    ]


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


async def _sweep(connection: AsyncConnection[DictRow], done: Pruned, dry_run: bool) -> None:
    """Remove blobs that no revision and no call refers to.

    A run that stores a revision looks first which content is there already: it must not go in
    between. So nobody may look while this is at work, and while a run holds its lock, which may
    have looked before, all is left to the next time.
    """
    if not dry_run:
        await connection.execute("LOCK TABLE replan_blobs IN ACCESS EXCLUSIVE MODE")
    cursor = await connection.execute(
        "SELECT count(*) AS running FROM pg_locks JOIN pg_stat_activity USING (pid) "
        "WHERE locktype = 'advisory' AND granted AND application_name = %s "
        "AND datname = current_database()",
        (LOCK_NAME,),
    )
    row = await cursor.fetchone()
    if row and row["running"]:
        done.held = "a thread is running: content that is not needed any more is left this time"
        return
    used = await _used(connection)
    cursor = await connection.execute(
        "SELECT encode(sha256, 'hex') AS sha256, octet_length(data) AS size FROM replan_blobs"
    )
    unused = {
        row["sha256"]: row["size"] for row in await cursor.fetchall() if row["sha256"] not in used
    }
    names = sorted(unused)
    for start in range(0, len(names), _BATCH):
        await connection.execute(
            "DELETE FROM replan_blobs WHERE sha256 = ANY(%b::bytea[])",
            ([bytes.fromhex(name) for name in names[start : start + _BATCH]],),
        )
    done.blobs, done.bytes = len(unused), sum(unused.values())


async def _used(connection: AsyncConnection[DictRow]) -> set[str]:
    """The sha256 of all content that is referred to."""
    cursor = await connection.execute(
        "SELECT encode(request, 'hex') AS name FROM replan_journal "
        "UNION SELECT encode(response, 'hex') FROM replan_journal WHERE response IS NOT NULL"
    )
    used = {row["name"] for row in await cursor.fetchall()}
    last = 0
    while True:
        cursor = await connection.execute(
            "SELECT id, entries FROM replan_revisions WHERE id > %s ORDER BY id LIMIT %s",
            (last, _BATCH),
            binary=True,
        )
        rows = await cursor.fetchall()
        if not rows:
            return used
        last = rows[-1]["id"]
        used |= await asyncio.to_thread(_files_of, [row["entries"] for row in rows])


def _files_of(entries: list[bytes]) -> set[str]:
    return {
        entry.value
        for data in entries
        for entry in manifest.applied({}, manifest.decode(data)).values()
        if entry.kind == "file"
    }
