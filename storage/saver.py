"""LangGraph's saver on Postgres: threads do not wait for each other; origins are noted."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.serde.base import SerializerProtocol
from psycopg import AsyncConnection, AsyncCursor, Capabilities
from psycopg.rows import DictRow
from psycopg_pool import AsyncConnectionPool

from replan.storage.group_commit import GroupCommit, Statement
from replan.storage.lineage import note_source


class Saver(AsyncPostgresSaver):
    """Writes checkpoints; the nodes of the same process then need not ask where they come from.

    LangGraph's own holds one lock around every statement, which one connection needs and a pool
    does not (langgraph issue 7259): there each statement has a connection to itself. And there
    every put is committed by itself; here the threads of a process that write at the same time
    share a commit, and wait for the disk together instead of one after the other.

    Args:
        pool: connections of `open_persistence`.
        serde: see `AsyncPostgresSaver`.
    """

    def __init__(
        self,
        pool: AsyncConnectionPool[AsyncConnection[DictRow]],
        serde: SerializerProtocol | None = None,
    ) -> None:
        super().__init__(pool, serde=serde)
        free: AbstractAsyncContextManager[None] = nullcontext()
        self.lock = cast("asyncio.Lock", free)
        self._commits = GroupCommit(pool, self._write_alone)
        self._joins = Capabilities().has_pipeline()

    @asynccontextmanager
    async def _cursor(self, *, pipeline: bool = False) -> AsyncIterator[AsyncCursor[DictRow]]:
        """What is asked for with `pipeline` is only written to, see `AsyncPostgresSaver`."""
        if pipeline and self._joins:
            async with self._commits.cursor() as put:
                yield cast("AsyncCursor[DictRow]", put)
        else:
            async with super()._cursor(pipeline=pipeline) as cursor:
                yield cursor

    async def _write_alone(self, statements: list[Statement]) -> None:
        async with super()._cursor(pipeline=True) as cursor, cursor.connection.transaction():
            for statement, rows in statements:
                await cursor.executemany(statement.encode(), rows)

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Store a checkpoint; see `AsyncPostgresSaver`."""
        stored = await super().aput(config, checkpoint, metadata, new_versions)
        place = config["configurable"]
        note_source(
            place["thread_id"],
            checkpoint["id"],
            metadata.get("source", ""),
            place.get("checkpoint_ns", ""),
        )
        return stored
