"""Long-term memory in LangGraph's store on Postgres."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import psycopg

from replan.memory import rows
from replan.memory.catalogue import Catalogue, answering
from replan.memory.likeness import SAME_FROM, memory_id, say_the_same
from replan.memory.merging import met_again, superseding
from replan.memory.record import memory_of, require_size
from replan.state.memory import KINDS, Found, Kept, Memory, MemoryKind, Recalled
from replan.storage.memory_index import Vectors
from replan.storage.memory_search import Row, search

if TYPE_CHECKING:
    from psycopg import AsyncConnection
    from psycopg.rows import DictRow

    Connection = AsyncConnection[DictRow]

_NEAREST = 5  # that may say the same


class PostgresMemories(Catalogue):
    """The memories of one owner; `Memories` says what it does, `Catalogue` what else it can."""

    async def recall(
        self,
        query: str,
        *,
        kinds: Sequence[MemoryKind] = KINDS,
        most: int = 5,
        least_similar: float = 0.0,
    ) -> Recalled:
        """See `Memories`."""
        prefixes = self.owner.prefixes(kinds)
        query = query.replace("\0", " ").encode("utf-8", "replace").decode()
        async with answering():
            if not await self._any(prefixes):  # no model is loaded, or asked, for nothing
                return Recalled()
            question = await self._store.vectors.question(query)
            found = await self._search(prefixes, query, question, most, least_similar)
            if found is None:  # The vectors were made anew in this moment.
                question = Vectors(note="their index is being made.")
                found = await self._search(prefixes, query, question, most, least_similar) or []
        return Recalled(
            found=[
                Found(
                    memory=memory_of(row.prefix, row.key, row.value, row.created_at),
                    score=row.score,
                    similarity=row.similarity,
                )
                for row in found
            ],
            note=f"Searched by words alone: {question.note}" if question.note else "",
        )

    async def _search(
        self, prefixes: Sequence[str], query: str, question: Vectors, most: int, least: float
    ) -> list[Row] | None:
        try:
            async with self._store.pool.connection() as connection:
                return await search(connection, prefixes, query, question, most, least)
        except psycopg.errors.UndefinedTable:
            return None

    async def _any(self, prefixes: Sequence[str]) -> bool:
        async with self._store.pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT EXISTS (SELECT FROM store WHERE prefix = ANY(%s)) AS any", (prefixes,)
            )
            row = await cursor.fetchone()
        return bool(row and row["any"])

    async def keep(self, memories: Sequence[Memory], superseded: Sequence[str] = ()) -> list[Kept]:
        """See `Memories`."""
        for memory in memories:
            require_size(memory)
        async with answering():
            vectors = await self._store.vectors.passages([memory.text for memory in memories])
            async with self._store.pool.connection() as connection, connection.transaction():
                held = bool(vectors.vectors) and await self._store.vectors.hold(
                    connection, vectors.made_by
                )
                await rows.lock(connection, self.owner)
                kept = [
                    await self._keep(
                        connection,
                        memory,
                        vectors.vectors[at] if held and vectors.vectors else None,
                    )
                    for at, memory in enumerate(memories)
                ]
                ended = await self._supersede(connection, superseded, kept)
        if kept and ended:
            kept[0] = Kept(id=kept[0].id, how="superseding", superseded=ended)
        if memories and not held:
            without = vectors.note or "their index is being made."
            for one in kept:
                one.note = f"Kept without a vector: {without}"
        return kept

    async def _keep(
        self, connection: "Connection", memory: Memory, vector: Sequence[float] | None
    ) -> Kept:
        """Write a new memory, or count it where the same is known."""
        own_id = memory_id(memory.kind, memory.text)
        [prefix] = self.owner.prefixes([memory.kind])
        known = await rows.by_key(connection, prefix, own_id)
        # Skills for goals told in other words are not the same one.
        if known is None and vector is not None and memory.kind != "skill":
            known = await self._near(connection, prefix, memory, vector)
        if known is not None:
            await rows.replace(connection, prefix, met_again(known, memory))
            if known.ended and vector is not None:
                await self._store.vectors.write(connection, prefix, own_id, vector)
            return Kept(id=known.id, how="known")
        learned = memory.learned or datetime.now(UTC)
        new = memory.model_copy(update={"id": own_id, "learned": learned})
        await rows.add(connection, prefix, new)
        if vector is not None:
            await self._store.vectors.write(connection, prefix, own_id, vector)
        return Kept(id=own_id, how="new")

    async def _near(
        self, connection: "Connection", prefix: str, memory: Memory, vector: Sequence[float]
    ) -> Memory | None:
        """The nearest memory that says the same."""
        for known, similarity in await rows.nearest(connection, prefix, vector, _NEAREST):
            if similarity < SAME_FROM:
                return None
            if known.outcome == memory.outcome and say_the_same(
                known.text, memory.text, similarity
            ):
                return known
        return None

    async def _supersede(
        self, connection: "Connection", superseded: Sequence[str], kept: Sequence[Kept]
    ) -> list[str]:
        """End memories whose place the first of the kept ones takes."""
        new = {one.id for one in kept}
        ended = []
        for one in dict.fromkeys(superseded):
            found = await rows.by_id(connection, self.owner.prefixes(), one)
            if one in new or found is None:  # forgotten meanwhile
                continue
            ended.append(one)
            prefix, memory = found
            if memory.ended is None:
                over = superseding(memory, kept[0].id if kept else "")
                await rows.replace(connection, prefix, over)
        return ended
