"""The project's own tables, made and migrated beside those of LangGraph's saver and store."""

from typing import Any

from psycopg import AsyncConnection

from replan.storage.memory_tables import MEMORY_MIGRATIONS

# Each is run once, in order, and never changed afterwards: a change is a new one at the end.
# LangGraph's store has its tables already when they are run.
MIGRATIONS = (
    """
    CREATE TABLE replan_blobs (
        sha256 bytea PRIMARY KEY,
        size bigint NOT NULL,
        codec smallint NOT NULL,
        data bytea NOT NULL
    )""",
    # Compressed already where that pays: the server need not try again.
    "ALTER TABLE replan_blobs ALTER COLUMN data SET STORAGE EXTERNAL",
    """
    CREATE TABLE replan_revisions (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        thread_id text NOT NULL,
        workspace text NOT NULL,
        base bigint REFERENCES replan_revisions,
        created timestamptz NOT NULL DEFAULT now(),
        files integer NOT NULL,
        bytes bigint NOT NULL,
        entries bytea NOT NULL,
        left_out bytea NOT NULL,
        ignored text[] NOT NULL
    )""",
    "ALTER TABLE replan_revisions ALTER COLUMN entries SET STORAGE EXTERNAL",
    "CREATE INDEX replan_revisions_by_thread ON replan_revisions (thread_id, id DESC)",
    """
    CREATE TABLE replan_journal (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        thread_id text NOT NULL,
        checkpoint_id text NOT NULL,
        execution text NOT NULL,
        step integer NOT NULL,
        node text NOT NULL,
        task text NOT NULL,
        number integer NOT NULL,
        kind text NOT NULL,
        role text NOT NULL,
        name text NOT NULL,
        request bytea NOT NULL,
        response bytea,
        outcome text NOT NULL DEFAULT 'pending',
        usage jsonb,
        revision text NOT NULL,
        left_revision text NOT NULL DEFAULT '',
        started timestamptz NOT NULL DEFAULT now(),
        ended timestamptz,
        UNIQUE (thread_id, execution, number)
    )""",
    "CREATE INDEX replan_journal_by_checkpoint ON replan_journal (thread_id, checkpoint_id, id)",
    *MEMORY_MIGRATIONS,
)


async def own_tables_are_ready(connection: AsyncConnection[Any]) -> bool:
    """Whether the newest migration has been done."""
    cursor = await connection.execute("SELECT to_regclass('replan_migrations') IS NOT NULL AS ok")
    if not _first(await cursor.fetchone()):
        return False
    return await _done(connection) >= len(MIGRATIONS)


async def migrate_own_tables(connection: AsyncConnection[Any]) -> None:
    """Make or migrate the tables, each step whole or not at all.

    The caller holds the lock that keeps other processes from doing the same.
    """
    await connection.execute(
        "CREATE TABLE IF NOT EXISTS replan_migrations (number integer PRIMARY KEY)"
    )
    done = await _done(connection)
    for number, statement in enumerate(MIGRATIONS[done:], start=done + 1):
        async with connection.transaction():
            await connection.execute(statement.encode())
            await connection.execute("INSERT INTO replan_migrations VALUES (%s)", (number,))


async def _done(connection: AsyncConnection[Any]) -> int:
    cursor = await connection.execute(
        "SELECT coalesce(max(number), 0) AS done FROM replan_migrations"
    )
    return int(_first(await cursor.fetchone()))


def _first(row: Any) -> Any:
    """The only value of a row, whichever row factory the connection has."""
    return next(iter(row.values())) if isinstance(row, dict) else row[0]
