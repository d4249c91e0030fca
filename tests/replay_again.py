"""A replay in tests, held to its promise: nobody is asked, nothing called, written or changed."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from replan.graphs.replay import Replayed, replay
from replan.tools import checks
from replan.tools.files import WriteFile
from replan.tools.python import PythonTool

TABLES = (
    "checkpoints",
    "checkpoint_blobs",
    "checkpoint_writes",
    "store",
    "replan_journal",
    "replan_blobs",
    "replan_revisions",
)


async def rows(agent: Any) -> dict[str, int]:
    counts = {}
    async with agent.kept.pool.connection() as connection:
        for table in TABLES:
            found = await connection.execute(f"SELECT count(*) AS rows FROM {table}")
            counts[table] = (await found.fetchone())["rows"]
    return counts


def files(folder: Path) -> dict[str, tuple[str, int]]:
    return {
        str(path): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


async def again(agent: Any, **options: Any) -> Replayed:
    """A replay that asked nobody, called nothing, wrote nothing, and changed no file."""

    async def called(self: Any, args: Any, context: Any) -> None:
        pytest.fail("a tool was called")

    async def tested(*args: Any) -> None:
        pytest.fail("tests were run")

    before = await rows(agent), files(agent.workspace), len(agent.server.authorizations)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WriteFile, "call", called)
        patch.setattr(PythonTool, "call", called)
        patch.setattr(checks, "run_pytest", tested)
        done = await replay(agent.kept, agent.thread, **options)
    after = await rows(agent), files(agent.workspace), len(agent.server.authorizations)
    assert before == after
    return done
