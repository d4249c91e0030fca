"""LangGraph's store on Postgres, whose memories are found by meaning.

Its own way with vectors would ask the model within every put, fail the put when the model cannot
be reached, and need to know the length of the vectors at the start. So this store leaves the table
of vectors, and the search in it, to LangGraph, and the writing to `MemoryIndex`.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from langgraph.store.base import Op, PutOp, Result, SearchOp, TTLConfig
from langgraph.store.postgres.aio import AsyncPostgresStore
from langgraph.store.postgres.base import HNSWConfig, PostgresIndexConfig

from replan.state.errors import UsageError
from replan.storage.memory_index import FIELD, INDEX_NAME, MOST_DIMENSIONS, MemoryIndex
from replan.storage.memory_search import INDEX_SETTINGS
from replan.storage.memory_tables import MEMORY
from replan.storage.vectorizer import ChooseEmbedder, Vectorizer

if TYPE_CHECKING:
    from psycopg import AsyncConnection
    from psycopg.rows import DictRow
    from psycopg_pool import AsyncConnectionPool

# Measured by benchmarks/memory_scale.py: with half of it the index is made in half the time, and of
# a tenth's ten nearest among a million it finds nine.
HNSW = {"m": 24, "ef_construction": 128}
# The vectors of a namespace side by side, to be compared one by one: in the table they lie between
# those of others, and reading each takes ten times as long as comparing it.
NAMESPACE_INDEX = "replan_vectors_by_namespace"
_LONGEST_ENTRY = 2_500  # bytes of a vector; an entry of an index has to fit into a third of a page


async def prepare_connection(connection: "AsyncConnection[DictRow]") -> None:
    """Searches on this connection, LangGraph's too, go on until they have found enough.

    It is new: pgvector is not loaded yet, and a version that does not know a setting passes it by.
    """
    given = ", ".join(f"set_config('{name}', %s, false)" for name in INDEX_SETTINGS)
    await connection.execute(f"SELECT {given}".encode(), list(INDEX_SETTINGS.values()))


class MemoryStore(AsyncPostgresStore):
    """The store. Only what is in a namespace under "memory" gets vectors, of its field `text`.

    A put is never lost for want of a vector: the memory waits for it. A search by meaning that
    cannot be made gives the latest, as a store without an index does.

    Args:
        pool: connections of `open_persistence`.
        choose_embedder: gives the embedding model when it is first needed.
    """

    def __init__(
        self,
        pool: "AsyncConnectionPool[AsyncConnection[DictRow]]",
        choose_embedder: ChooseEmbedder | None = None,
    ) -> None:
        vectorizer = Vectorizer(choose_embedder)
        super().__init__(
            pool,
            index=PostgresIndexConfig(
                dims=0,  # known when the model was first asked
                embed=vectorizer,
                fields=[FIELD],
                distance_type="cosine",
                ann_index_config=HNSWConfig(kind="hnsw", vector_type="halfvec", **HNSW),  # type: ignore[typeddict-item]
            ),
            ttl=TTLConfig(omit_expired=True),
        )
        self.pool = pool
        self._vector_type = ""
        self.vectors = MemoryIndex(pool, vectorizer, self._make_vectors)

    async def setup(self) -> None:
        """Make the tables; that of the vectors is made when their length is known."""
        index, self.index_config = self.index_config, None
        try:
            await super().setup()
        finally:
            self.index_config = index

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """What the operations find, in order."""
        asked = list(ops)
        results = await super().abatch([await self._without_vectors(op) for op in asked])
        if any(_is_memory(op) for op in asked):
            await self.vectors.catch_up_now()
        return results

    async def _without_vectors(self, op: Op) -> Op:
        """A put that embeds nothing; a search by meaning only where that can be."""
        if isinstance(op, PutOp):
            return op._replace(index=False)
        if isinstance(op, SearchOp) and op.query:
            under = not op.namespace_prefix or op.namespace_prefix[0] == MEMORY
            if not under or (await self.vectors.question(op.query)).vectors is None:
                return op._replace(query=None)
            if not self._vector_type:
                self._vector_type = await self._know_vector_type()
        return op

    async def _make_vectors(self, dims: int) -> None:
        """LangGraph's table of vectors and its index, where they are missing."""
        self._vector_type = vector_type = await self._know_vector_type()
        if dims > (most := MOST_DIMENSIONS[vector_type]):
            raise UsageError(
                f"The embedding model's vectors have {dims:,} numbers; the index takes {most:,}.",
                "Name another model in OPENAI_EMBEDDING_MODEL.",
            )
        await self._drop_broken_indexes()
        assert self.index_config is not None
        self.index_config["dims"] = dims
        await super().setup()
        if dims * (2 if vector_type == "halfvec" else 4) <= _LONGEST_ENTRY:
            async with self.pool.connection() as connection:
                await connection.execute(
                    f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {NAMESPACE_INDEX} "
                    "ON store_vectors (prefix) INCLUDE (key, embedding)".encode()
                )

    async def _drop_broken_indexes(self) -> None:
        """Those whose making was broken off; they are made again."""
        async with self.pool.connection() as connection:
            for name in (INDEX_NAME, NAMESPACE_INDEX):
                cursor = await connection.execute(
                    "SELECT FROM pg_index WHERE indexrelid = to_regclass(%s) AND NOT indisvalid",
                    (name,),
                )
                if await cursor.fetchone() is not None:
                    await connection.execute(f"DROP INDEX IF EXISTS {name}".encode())

    async def _know_vector_type(self) -> str:
        """The type of the vectors: as the table has it, and where there is none, half precision if
        pgvector knows it: half the size, and no worse to search.
        """
        assert self.index_config is not None
        ann: Any = self.index_config["ann_index_config"]
        async with self.pool.connection() as connection:
            # The first that LangGraph's setup of vectors does, too.
            await connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
            cursor = await connection.execute(
                "SELECT coalesce((SELECT format_type(atttypid, NULL) FROM pg_attribute "
                "WHERE attrelid = to_regclass('store_vectors') AND attname = 'embedding'), "
                "to_regtype('halfvec')::text, 'vector') AS name"
            )
            row = await cursor.fetchone() or {}
        ann["vector_type"] = row["name"].rpartition(".")[2]
        return str(ann["vector_type"])


def _is_memory(op: Op) -> bool:
    return isinstance(op, PutOp) and op.value is not None and op.namespace[0] == MEMORY
