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
def template(database: Database) -> str:
    """The name of a database that has the tables and nothing in them."""
    name = f"memories_template_{uuid4().hex[:8]}"
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())

    async def make_tables() -> None:
        async with open_persistence(named(database, name)):
            pass

    asyncio.run(make_tables())
    return name


@pytest.fixture
def own_database(database: Database, template: str) -> Database:
    """A database without memories."""
    name = f"memories_{uuid4().hex[:8]}"
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
    return named(database, name)


def named(database: Database, name: str) -> Database:
    url = database.url.replace("@/postgres", f"@/{name}")
    return Database(url, "url", database.server_version, database.vector_version)


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
