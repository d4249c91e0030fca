"""Only one process at a time runs a thread."""

import asyncio
import os
import sys

import psycopg
import pytest

from replan.state.errors import ThreadBusyError
from replan.storage.database import Database
from replan.storage.thread_lock import thread_lock

HOLDER = """
import asyncio, os, sys
from replan.storage.database import Database
from replan.storage.thread_lock import thread_lock

async def hold():
    async with thread_lock(Database(os.environ["URL"], "url", "", ""), "shared"):
        print("held", flush=True)
        await asyncio.sleep(60)

asyncio.run(hold())
"""


async def test_a_held_thread_is_busy_and_then_free(database: Database) -> None:
    async with thread_lock(database, "one"), thread_lock(database, "another"):
        with pytest.raises(ThreadBusyError, match="Thread one is running elsewhere"):
            async with thread_lock(database, "one"):
                pytest.fail("held twice")
    async with thread_lock(database, "one"):
        pass


async def test_a_dead_process_frees_its_thread_at_once(database: Database) -> None:
    holder = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        HOLDER,
        env={**os.environ, "URL": database.url},
        stdout=asyncio.subprocess.PIPE,
    )
    assert holder.stdout is not None
    assert await holder.stdout.readline() == b"held\n"
    with pytest.raises(ThreadBusyError):
        async with thread_lock(database, "shared"):
            pytest.fail("held twice")
    holder.kill()
    await holder.communicate()
    async with thread_lock(database, "shared"):
        pass


async def test_an_error_inside_frees_the_thread(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with thread_lock(database, "failing"):
            1 / 0  # noqa: B018
    async with thread_lock(database, "failing"):
        pass


async def test_leaving_frees_a_thread_before_the_server_notices_the_closed_connection(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = []
    close = psycopg.AsyncConnection.close

    async def late(connection: psycopg.AsyncConnection) -> None:
        left.append(connection)

    monkeypatch.setattr(psycopg.AsyncConnection, "close", late)
    async with thread_lock(database, "again"):
        pass
    async with thread_lock(database, "again"):
        pass
    for connection in left:
        await close(connection)
