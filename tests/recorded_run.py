"""A run that is in the database, with a fork of it: what is inspected, exported and pruned.

Its first move goes astray, so it takes two rounds; the fork starts before the plan and writes
another text.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from openai_server import openai_server_in_thread
from scripted_agent import Move, ScriptedAgent

from replan.graphs.build import build_agent
from replan.state.agent_state import AgentInput
from replan.state.context import Context
from replan.state.settings import settings
from replan.storage.database import Database
from replan.storage.persistence import open_persistence

KEY = "sk-scripted-0123456789"
GOAL = "Write the word hello to hello.txt"
ASTRAY = Move("python", "open('other.txt', 'w').write('\x1b[31mastray')")
WRITE = Move("write_file", "hello", path="hello.txt")
FORKED = Move("write_file", "hello\nworld", path="hello.txt")


@dataclass(frozen=True)
class RecordedRun:
    """The thread and its folder, and the checkpoint that the fork starts from."""

    thread: str
    workspace: Path
    forked_from: str


def record_run(database: Database, workspace: Path, own_folder: bool = False) -> RecordedRun:
    """Run the goal and fork it.

    Args:
        database: where it is kept.
        workspace: its folder.
        own_folder: whether the thread works in a folder of its own instead.
    """
    thread = str(uuid4())
    model = ScriptedAgent([ASTRAY, WRITE, FORKED])
    with openai_server_in_thread(model, key=KEY) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_BASE_URL", server.url)
        patch.setenv("OPENAI_API_KEY", KEY)
        patch.setenv("REPLAN_MEMORY_PROJECT", thread)  # each run is one without memories
        settings.cache_clear()
        forked_from = asyncio.run(_run(database, thread, "" if own_folder else str(workspace)))
    settings.cache_clear()
    if own_folder:
        workspace = settings().replan_home / "workspaces" / thread
    return RecordedRun(thread, workspace, forked_from)


async def _run(database: Database, thread: str, workspace: str) -> str:
    async with open_persistence(database) as kept:
        graph = build_agent(checkpointer=kept.saver, store=kept.store)
        config: Any = {"configurable": {"thread_id": thread}}
        context = Context(workspace=workspace)
        first = await graph.ainvoke(AgentInput(goal=GOAL), config, context=context)
        assert first["status"] == "done"
        steps = [step async for step in graph.aget_state_history(config)]
        planning = next(step for step in steps if step.next == ("plan",))
        second = await graph.ainvoke(None, planning.config, context=context)
        assert second["status"] == "done"
        return str(planning.config["configurable"]["checkpoint_id"])
