"""The checkpointer and the store, ready for use on one pool of connections."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row

from replan.state.errors import DatabaseError
from replan.storage.database import CONNECT_SECONDS, Database
from replan.storage.migrations import migrate_own_tables, own_tables_are_ready

if TYPE_CHECKING:
    from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
    from psycopg_pool import AsyncConnectionPool

    from replan.storage.memory_store import MemoryStore
    from replan.storage.vectorizer import ChooseEmbedder

SETUP_LOCK = 0x7265706C616E  # "replan": the advisory lock around the making of tables
SETUP_SECONDS = 60.0
POOL_SIZE = 8

# What langgraph's saver and store expect of a connection that they did not open themselves.
CONNECTION: dict[str, Any] = {
    "autocommit": True,
    "prepare_threshold": 0,
    "row_factory": dict_row,
}


@dataclass(frozen=True)
class Persistence:
    """Where checkpoints and memories are kept; open as long as its context manager is."""

    saver: "AsyncPostgresSaver"
    store: "MemoryStore"
    pool: "AsyncConnectionPool[AsyncConnection[DictRow]]"


@dataclass(frozen=True)
class ThreadRow:
    """A thread as its latest checkpoint shows it. `status` is empty while it has not ended."""

    thread_id: str
    checkpoint_id: str
    step: int
    updated: datetime | None
    goal: str
    status: str


@asynccontextmanager
async def open_persistence(
    database: Database, choose_embedder: "ChooseEmbedder | None" = None
) -> AsyncIterator[Persistence]:
    """Open the checkpointer and the store; their tables are made when missing.

    Args:
        database: where they are.
        choose_embedder: gives the model that makes the vectors of memories, when it is first
            needed; without it memories are found by words alone.

    Raises:
        DatabaseError: the database does not answer any more, or refuses to make the tables.
    """
    import psycopg
    from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
    from psycopg_pool import AsyncConnectionPool, PoolTimeout

    from replan.storage.memory_store import MemoryStore, prepare_connection

    pool = AsyncConnectionPool[AsyncConnection[DictRow]](
        database.url,
        min_size=1,
        max_size=POOL_SIZE,
        kwargs=CONNECTION,
        configure=prepare_connection,
        open=False,
    )
    try:
        await pool.open(wait=True, timeout=CONNECT_SECONDS)
        opened = Persistence(AsyncPostgresSaver(pool), MemoryStore(pool, choose_embedder), pool)
        async with pool.connection() as connection:
            await _ensure_tables(connection, opened)
    except (PoolTimeout, TimeoutError):
        await pool.close()
        raise DatabaseError(f"The database at {database.place} stopped answering.") from None
    except psycopg.errors.InsufficientPrivilege:
        await pool.close()
        raise DatabaseError(
            f"The user of the database at {database.place} may not make tables.",
            "Ask its owner for the CREATE privilege on the schema.",
        ) from None
    except BaseException:
        await pool.close()
        raise
    try:
        yield opened
    finally:
        await opened.store.vectors.close()
        await pool.close()


async def list_threads(database: Database, limit: int = 20) -> list[ThreadRow]:
    """The threads that ran last, the latest first.

    Raises:
        DatabaseError: see `open_persistence`.
    """
    query = """
        SELECT thread_id FROM checkpoints WHERE checkpoint_ns = ''
        GROUP BY thread_id ORDER BY max(checkpoint_id) DESC LIMIT %s"""
    async with open_persistence(database) as persistence:
        async with persistence.pool.connection() as connection:
            rows = await (await connection.execute(query, (limit,))).fetchall()
        threads = [await _thread(persistence, row["thread_id"]) for row in rows]
        return [thread for thread in threads if thread]


async def thread_exists(database: Database, thread_id: str) -> bool:
    """Whether the thread has a checkpoint.

    Raises:
        DatabaseError: see `open_persistence`.
    """
    async with open_persistence(database) as persistence:
        return await persistence.saver.aget_tuple(_latest(thread_id)) is not None


async def _thread(persistence: Persistence, thread_id: str) -> ThreadRow | None:
    found = await persistence.saver.aget_tuple(_latest(thread_id))
    if found is None:  # Deleted meanwhile.
        return None
    values, stamp = found.checkpoint["channel_values"], found.checkpoint.get("ts")
    return ThreadRow(
        thread_id=thread_id,
        checkpoint_id=found.checkpoint["id"],
        step=int(found.metadata.get("step", 0)),
        updated=datetime.fromisoformat(stamp) if stamp else None,
        goal=str(values.get("goal") or ""),
        status=str(values.get("status") or ""),
    )


def _latest(thread_id: str) -> Any:
    return {"configurable": {"thread_id": thread_id, "checkpoint_ns": ""}}


async def _ensure_tables(connection: AsyncConnection[DictRow], opened: Persistence) -> None:
    """Make or migrate the tables, one process at a time; usually there is nothing to do."""
    if await _up_to_date(connection, opened):
        return
    # Asked again and again rather than waited for: a waiting statement holds a snapshot, and the
    # CREATE INDEX CONCURRENTLY of the process at work would wait for that: a deadlock.
    async with asyncio.timeout(SETUP_SECONDS):
        while not await _take_setup_lock(connection):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    try:
        if not await _up_to_date(connection, opened):
            await opened.saver.setup()
            await opened.store.setup()
            await migrate_own_tables(connection)
    finally:
        await connection.execute("SELECT pg_advisory_unlock(%s)", (SETUP_LOCK,))


async def _take_setup_lock(connection: AsyncConnection[DictRow]) -> bool:
    cursor = await connection.execute("SELECT pg_try_advisory_lock(%s) AS ok", (SETUP_LOCK,))
    row = await cursor.fetchone()
    return bool(row and row["ok"])


async def _up_to_date(connection: AsyncConnection[DictRow], opened: Persistence) -> bool:
    """Whether the newest migration of the saver, of the store and of our own has been done."""
    if not await own_tables_are_ready(connection):
        return False
    exist = await connection.execute(
        "SELECT to_regclass('checkpoint_migrations') IS NOT NULL "
        "AND to_regclass('store_migrations') IS NOT NULL AS both"
    )
    if not ((row := await exist.fetchone()) and row["both"]):
        return False
    newest = await connection.execute(
        "SELECT (SELECT max(v) FROM checkpoint_migrations) AS saver, "
        "(SELECT max(v) FROM store_migrations) AS store"
    )
    row = await newest.fetchone() or {}
    wanted = {"saver": opened.saver.MIGRATIONS, "store": opened.store.MIGRATIONS}
    return all(
        (done := row.get(part)) is not None and done >= len(migrations) - 1
        for part, migrations in wanted.items()
    )
