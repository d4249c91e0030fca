"""What `langgraph.json` names as checkpointer and store of the LangGraph server.

They are the command line's own, on the same database: a thread run by one is open to the other.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.store.postgres.aio import AsyncPostgresStore

from replan.models.embeddings import choose_embedder
from replan.storage.database import open_database
from replan.storage.persistence import Persistence, open_persistence

_in_use: set[object] = set()


@asynccontextmanager
async def checkpointer() -> AsyncIterator[AsyncPostgresSaver]:
    """The server's checkpointer, once for each of its event loops."""
    async with _opened() as persistence:
        yield persistence.saver


@asynccontextmanager
async def store() -> AsyncIterator[AsyncPostgresStore]:
    """The server's long-term store, once for each of its event loops; it removes what expired."""
    async with _opened() as persistence:
        await persistence.store.start_ttl_sweeper()
        try:
            yield persistence.store
        finally:
            await persistence.store.stop_ttl_sweeper()


@asynccontextmanager
async def _opened() -> AsyncIterator[Persistence]:
    """Persistence whose last closing leaves the embedded database.

    The server ends itself with SIGTERM once more after its shutdown, so nothing registered for
    the interpreter's exit would run.
    """
    this, kind = object(), ""
    _in_use.add(this)
    try:
        database = await open_database()
        kind = database.kind
        async with open_persistence(database, choose_embedder) as persistence:
            yield persistence
    finally:
        _in_use.discard(this)
        if not _in_use and kind == "embedded":
            from replan.storage.embedded import release_embedded

            await asyncio.to_thread(release_embedded)
