"""Memories in a database of the test's own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from uuid import uuid4

import psycopg
import pytest
from memories_made import OWNER

from replan.memory.owner import Owner
from replan.memory.postgres import PostgresMemories
from replan.state.embedding import Embedder
from replan.storage.database import Database
from replan.storage.persistence import open_persistence

Opening = Callable[..., Awaitable[PostgresMemories]]


@pytest.fixture(scope="session")
def memory_database(database: Database) -> Database:
    """A database that has the tables: the index of memories is one for all of a database."""
    name = f"memories_{uuid4().hex[:8]}"
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    url = database.url.replace("@/postgres", f"@/{name}")
    own = Database(url, "url", database.server_version, database.vector_version)

    async def make_tables() -> None:
        async with open_persistence(own):
            pass

    asyncio.run(make_tables())
    return own


@pytest.fixture
def own_database(memory_database: Database) -> Database:
    """A database without memories and without their index."""
    with psycopg.connect(memory_database.url, autocommit=True) as connection:
        connection.execute("TRUNCATE store, replan_memory_index CASCADE")
        connection.execute("DROP TABLE IF EXISTS store_vectors, vector_migrations")
    return memory_database


@pytest.fixture
async def opening(own_database: Database) -> AsyncIterator[Opening]:
    """Opens the memories as a process of its own would: by a model, for an owner."""
    async with AsyncExitStack() as stack:

        async def make(embedder: Embedder | None, owner: Owner = OWNER) -> PostgresMemories:
            opened = await stack.enter_async_context(
                open_persistence(own_database, lambda: embedder)
            )
            return PostgresMemories(opened.store, owner)

        yield make
