"""Recorded replay: the same branch again without a model, a tool, or a trace."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from langgraph.types import Command
from scripted_agent import Move, ScriptedAgent

from replan.graphs.replay import Replayed, replay
from replan.state.errors import ThreadNotFoundError, UsageError
from replan.tools.files import WriteFile
from replan.tools.python import PythonTool

GOAL = "Write the word hello to hello.txt"
WRITE = Move("write_file", "hello", path="hello.txt")
ELSEWHERE = Move("python", "open('other.txt', 'w').write('hello')")
TABLES = (
    "checkpoints", "checkpoint_blobs", "checkpoint_writes", "store", "replan_journal",
    "replan_blobs", "replan_revisions",
)  # fmt: skip


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
    """A replay that asked nobody, wrote nothing, and changed no file."""
    before = await rows(agent), files(agent.workspace), len(agent.server.authorizations)
    done = await replay(agent.kept, agent.thread, **options)
    after = await rows(agent), files(agent.workspace), len(agent.server.authorizations)
    assert before == after
    return done


@pytest.fixture
def no_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    async def called(self: Any, args: Any, context: Any) -> None:
        pytest.fail("a tool was called")

    monkeypatch.setattr(WriteFile, "call", called)
    monkeypatch.setattr(PythonTool, "call", called)


async def test_a_run_again_is_equal(start_agent, monkeypatch) -> None:
    async with start_agent(ScriptedAgent([ELSEWHERE, WRITE])) as agent:
        (agent.workspace / "given.txt").write_text("given")
        result = await agent.run(GOAL)
        done = await again(agent)
        print(done.as_json())
        assert done.divergence is None
