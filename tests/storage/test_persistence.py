"""Checkpointer, store and threads on a real Postgres."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict

from replan.state.errors import DatabaseError
from replan.storage.database import Database
from replan.storage.persistence import (
    Persistence,
    list_threads,
    open_persistence,
    thread_exists,
)


class Doing(TypedDict, total=False):
    goal: str
    status: str
    made: list[str]


def finish(state: Doing) -> Doing:
    return {"status": "done", "made": ["a.txt"]}


async def run(persistence: Persistence, thread_id: str, state: Doing, **options: Any) -> None:
    graph = StateGraph(Doing).add_node("finish", finish)
    graph.add_edge(START, "finish").add_edge("finish", END)
    compiled = graph.compile(checkpointer=persistence.saver, store=persistence.store)
    await compiled.ainvoke(state, {"configurable": {"thread_id": thread_id}}, **options)


def another_database(database: Database, name: str) -> Database:
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    url = database.url.replace("@/postgres", f"@/{name}")
    return Database(url, "url", database.server_version, database.vector_version)


async def test_first_openings_at_once_make_the_tables_once(database: Database) -> None:
    fresh = another_database(database, "fresh")

    async def open_and_use(number: int) -> None:
        async with open_persistence(fresh) as persistence:
            await run(persistence, f"thread {number}", {"goal": "x"})
            await persistence.store.aput(("notes",), f"n{number}", {"text": "kept"})

    await asyncio.gather(*(open_and_use(number) for number in range(4)))
    async with open_persistence(fresh) as persistence:
        assert len(await persistence.store.asearch(("notes",))) == 4
    assert len(await list_threads(fresh)) == 4


async def test_an_initialised_database_is_not_set_up_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_persistence(database):
        pass
    monkeypatch.setattr(AsyncPostgresSaver, "setup", None)  # Calling it would now fail.
    async with open_persistence(database) as persistence:
        assert await persistence.store.aget(("none",), "none") is None


async def test_tables_of_an_older_version_are_migrated(database: Database) -> None:
    older = another_database(database, "older")
    async with open_persistence(older):
        pass
    with psycopg.connect(older.url) as connection:
        connection.execute("DELETE FROM checkpoint_migrations WHERE v > 8")
        connection.execute("ALTER TABLE checkpoint_writes DROP COLUMN task_path")
    async with open_persistence(older) as persistence:
        await run(persistence, "after", {"goal": "x"})
    assert await thread_exists(older, "after")


async def test_threads_are_listed_latest_first(database: Database) -> None:
    first, second = str(uuid4()), str(uuid4())
    async with open_persistence(database) as persistence:
        await run(persistence, first, {"goal": "eins"})
        await run(persistence, second, {"goal": "zählen 一"}, interrupt_before=["finish"])
    unfinished, finished = await list_threads(database, limit=2)
    assert (unfinished.thread_id, unfinished.goal, unfinished.status, unfinished.step) == (
        second, "zählen 一", "", 0,
    )  # fmt: skip
    assert (finished.thread_id, finished.goal, finished.status, finished.step) == (
        first, "eins", "done", 1,
    )  # fmt: skip
    assert unfinished.updated is not None
    assert datetime.now(UTC) - unfinished.updated < timedelta(minutes=1)
    async with open_persistence(database) as persistence:
        await run(persistence, first, {"goal": "eins"})
    assert (await list_threads(database, limit=1))[0].thread_id == first


async def test_a_thread_exists_when_it_has_a_checkpoint(database: Database) -> None:
    known = str(uuid4())
    async with open_persistence(database) as persistence:
        await run(persistence, known, {"goal": "x"})
    assert await thread_exists(database, known)
    assert not await thread_exists(database, str(uuid4()))


async def test_a_database_that_is_gone_is_one_clear_error(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("replan.storage.persistence.CONNECT_SECONDS", 0.5)
    gone = Database(database.url.replace("5432", "5999"), "embedded", "18", "0.8")
    with pytest.raises(DatabaseError, match="stopped answering"):
        async with open_persistence(gone):
            pass
