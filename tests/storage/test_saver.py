"""The saver remembers how the checkpoints that it wrote came to be."""

from typing import Any

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import empty_checkpoint

from replan.storage.database import Database
from replan.storage.lineage import noted_source, source_of
from replan.storage.persistence import open_persistence


@pytest.mark.parametrize("source", ["input", "loop", "update", "fork"])
async def test_what_is_remembered_is_what_is_stored(
    database: Database, thread: str, source: Any
) -> None:
    checkpoint = empty_checkpoint()
    config = RunnableConfig(configurable={"thread_id": thread, "checkpoint_ns": ""})
    async with open_persistence(database) as kept:
        assert noted_source(thread, checkpoint["id"]) is None
        await kept.saver.aput(config, checkpoint, {"source": source, "step": 1}, {})
        async with kept.pool.connection() as connection:
            stored = await source_of(connection, thread, checkpoint["id"])
    assert noted_source(thread, checkpoint["id"]) == stored == source


async def test_a_subgraph_checkpoint_says_nothing_of_the_thread(
    database: Database, thread: str
) -> None:
    checkpoint = empty_checkpoint()
    config = RunnableConfig(configurable={"thread_id": thread, "checkpoint_ns": "work:1"})
    async with open_persistence(database) as kept:
        await kept.saver.aput(config, checkpoint, {"source": "loop", "step": 1}, {})
    assert noted_source(thread, checkpoint["id"]) is None
