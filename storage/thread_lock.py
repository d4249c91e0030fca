"""One process at a time runs a thread."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg

from replan.state.errors import DatabaseError, ThreadBusyError
from replan.storage.database import CONNECT_SECONDS, Database

# A process that dies closes its connection, which frees its lock at once. A machine that dies
# does not: the server asks after 10 s of silence and gives up after 15 s more. A server's limit
# on idle sessions must not end the lock of a run that waits for a model.
SESSION = (
    "SET tcp_keepalives_idle = 10",
    "SET tcp_keepalives_interval = 5",
    "SET tcp_keepalives_count = 3",
    "SET idle_session_timeout = 0",
)


@asynccontextmanager
async def thread_lock(database: Database, thread_id: str) -> AsyncIterator[None]:
    """Hold a thread for the length of an `async with` block, on a connection of its own.

    Raises:
        ThreadBusyError: another process, or another run in this one, holds it.
        DatabaseError: the database does not answer any more.
    """
    try:
        connection = await psycopg.AsyncConnection.connect(
            database.url,
            autocommit=True,
            connect_timeout=CONNECT_SECONDS,
            application_name="replan thread lock",
        )
    except psycopg.OperationalError:
        raise DatabaseError(f"The database at {database.place} stopped answering.") from None
    try:
        for statement in SESSION:
            await connection.execute(statement)
        cursor = await connection.execute("SELECT pg_try_advisory_lock(%s)", (_key(thread_id),))
        if await cursor.fetchone() != (True,):
            raise ThreadBusyError(
                f"Thread {thread_id} is running elsewhere.",
                "Wait for it to end, or end that process, and try again.",
            )
        yield
    finally:
        await connection.close()  # Frees the lock.


def _key(thread_id: str) -> int:
    """A signed 64-bit number for the thread, as advisory locks want it."""
    digest = hashlib.sha256(f"replan thread {thread_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
