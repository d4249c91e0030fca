"""What the LangGraph server is given, in a process that ends as the server does."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from replan.storage.database import Database

SERVE = """
import asyncio, os
from replan.graphs import serving

async def serve():
    async with serving.checkpointer() as saver, serving.store() as store:
        await store.aput(("served",), "key", {"text": "kept"})
        assert await saver.aget_tuple({"configurable": {"thread_id": "none"}}) is None
        print(store.conn.conninfo)

asyncio.run(serve())
os._exit(0)  # As after a signal: nothing registered for the exit runs.
"""


def test_closing_both_leaves_the_embedded_database(make_home: Callable[[], Path]) -> None:
    home = make_home()
    done = subprocess.run(
        [sys.executable, "-c", SERVE],
        env={**os.environ, "REPLAN_HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(done.stdout.strip())


async def test_they_use_the_database_of_the_command_line(database: Database) -> None:
    from replan.graphs import serving
    from replan.storage.persistence import open_persistence

    async with open_persistence(database) as persistence:
        await persistence.store.aput(("shared",), "key", {"text": "from the command line"})
    serving._in_use.add("this session")  # It goes on using the database.
    async with serving.store() as store:
        found = await store.aget(("shared",), "key")
    serving._in_use.clear()
    assert found is not None
    assert found.value == {"text": "from the command line"}
