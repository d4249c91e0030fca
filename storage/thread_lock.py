"""One process at a time runs a thread."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

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

# By this name of their connections others see that threads are held.
LOCK_NAME = "replan thread lock"

# The server takes a moment to notice that a killed process has gone.
_PATIENCE_SECONDS = 0.5


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
            application_name=LOCK_NAME,
        )
    except psycopg.OperationalError:
        raise DatabaseError(f"The database at {database.place} stopped answering.") from None
    try:
        for statement in SESSION:
            await connection.execute(statement)
        if not await _take(connection, _key(thread_id)):
            raise ThreadBusyError(
                f"Thread {thread_id} is running elsewhere.",
                "Wait for it to end, or end that process, and try again.",
            )
        try:
            yield
        finally:
            # Closing frees it too, but only when the server comes round to noticing.
            with suppress(psycopg.Error):
                await connection.execute("SELECT pg_advisory_unlock(%s)", (_key(thread_id),))
    finally:
        await connection.close()


async def _take(connection: psycopg.AsyncConnection, key: int) -> bool:
    end = time.monotonic() + _PATIENCE_SECONDS
    while True:
        cursor = await connection.execute("SELECT pg_try_advisory_lock(%s)", (key,))
        if await cursor.fetchone() == (True,):
            return True
        if time.monotonic() > end:
            return False
        await asyncio.sleep(0.02)


def _key(thread_id: str) -> int:
    """A signed 64-bit number for the thread, as advisory locks want it."""
    digest = hashlib.sha256(f"replan thread {thread_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
