"""The memories of an owner as a person looks through them: one, many, all; forgotten, taken in."""

import re
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import psycopg
from psycopg_pool import PoolTimeout
from pydantic import Field

from replan.memory import rows
from replan.memory.intake import Taken, take_in_batch, take_in_batches
from replan.memory.likeness import MADE_ID
from replan.memory.owner import Owner, owner_and_kind
from replan.state.errors import DatabaseError, UsageError
from replan.state.memory import KINDS, Kept, Memory, MemoryKind
from replan.state.noun import Noun
from replan.storage.memory_index import INDEX_NAME, Progress
from replan.storage.memory_tables import LIVING, MEMORY

if TYPE_CHECKING:
    from psycopg import AsyncConnection
    from psycopg.rows import DictRow

    from replan.storage.memory_store import MemoryStore

    Connection = AsyncConnection[DictRow]

_PART_OF_ID = re.compile(r"[0-9a-fA-F]{4,32}")
_BATCH = 500
_LOOK = "`replan memory list` shows what there is."


class OwnerCount(Noun):
    """How many memories of a kind an owner has; `ended` are those true no more, not in `count`."""

    user: str
    project: str
    kind: MemoryKind
    count: int
    ended: int


class Stats(Noun):
    """What is kept, of all owners.

    Attributes:
        counts: by owner and kind.
        bytes: of the memories with their words, their vectors, and the indexes of both.
        index: name of the vectors' index; "" while there is none.
        made_by: the embedding model; "" while there is none.
        dims: numbers a vector.
        state: `none`, `being made`, or `whole`.
        waiting: memories without a vector.
    """

    counts: list[OwnerCount] = Field(default_factory=list)
    bytes: int = 0
    index: str = ""
    made_by: str = ""
    dims: int = 0
    state: str = "none"
    waiting: int = 0


class Catalogue:
    """Looks through the memories of one owner.

    Args:
        store: of `open_persistence`.
        owner: whose memories.
    """

    def __init__(self, store: "MemoryStore", owner: Owner) -> None:
        self._store = store
        self.owner = owner

    async def get(self, id_or_beginning: str) -> Memory:
        """A memory by its id, or by the beginning of it; ended ones too.

        Raises:
            UsageError: there is none, or more than one.
            DatabaseError: the database stopped answering.
        """
        given = id_or_beginning.strip()
        found = []
        if given and given.isprintable():
            # A graph may have put one under any key: that is given whole.
            found = await self._rows("AND key = %s LIMIT 1", given)
        if not found and _PART_OF_ID.fullmatch(given):
            given = given.lower()
            found = await self._rows("AND key LIKE %s ORDER BY key LIMIT 2", f"{given}%")
        if not found:
            raise UsageError(f"there is no memory {id_or_beginning[:60]!r}.", _LOOK)
        if len(found) > 1:
            raise UsageError(f"more than one memory's id begins with {given}.", "Give more of it.")
        return found[0]

    async def browse(
        self,
        kinds: Sequence[MemoryKind] = KINDS,
        most: int = 20,
        after: str = "",
        include_ended: bool = False,
    ) -> list[Memory]:
        """The memories, the latest learned first.

        Args:
            kinds: which.
            most: how many.
            after: id of the last one of the page before; "" for the first page.
            include_ended: whether those that are true no more are shown too.

        Raises:
            UsageError: there is no memory `after`.
            DatabaseError: the database stopped answering.
        """
        where = ""
        given: list[object] = []
        if not include_ended:
            where = "AND value ->> 'ended' IS NULL "
        if after:
            last = await self.get(after)
            where += (
                "AND (created_at, key) < (SELECT created_at, key FROM store "
                "WHERE prefix = ANY(%s) AND key = %s) "
            )
            given = [self.owner.prefixes(), last.id]
        query = f"{where}ORDER BY created_at DESC, key DESC LIMIT %s"
        return await self._rows(query, *given, most, kinds=kinds)

    async def forget(self, ids: Sequence[str]) -> int:
        """Remove memories for good; all of those named, or none.

        Args:
            ids: or their beginnings.

        Returns:
            How many.

        Raises:
            UsageError: one of them is not there, or not the only one.
            DatabaseError: the database stopped answering.
        """
        whole = [(await self.get(one)).id for one in ids]
        async with answering(), self._store.pool.connection() as connection:
            cursor = await connection.execute(
                "DELETE FROM store WHERE prefix = ANY(%s) AND key = ANY(%s)",
                (self.owner.prefixes(), whole),
            )
        return cursor.rowcount

    async def take_in(self, memory: Memory) -> Kept:
        """Keep a memory that was exported; see `take_in_all`."""
        [kept] = await self.take_in_all([memory])
        return kept

    async def take_in_all(self, memories: Sequence[Memory]) -> list[Kept]:
        """Keep memories that were exported, with their ids, times and dates: all or none.

        One that is known is not counted again. Vectors are made by `catch_up`.

        Raises:
            UsageError: one is too long, or its id is none.
            DatabaseError: the database stopped answering.
        """
        for memory in memories:
            if memory.id and not MADE_ID.fullmatch(memory.id):
                raise UsageError(f"{memory.id[:60]!r} is no id of a memory.", "Leave it out.")
        async with (
            answering(),
            self._store.pool.connection() as connection,
            connection.transaction(),
        ):
            await rows.lock(connection, self.owner)
            return await take_in_batch(connection, self.owner, memories)

    async def take_in_batches(self, batches: AsyncIterable[Sequence[Memory]]) -> Taken:
        """As `take_in_all`, of more than fit into memory, under any key that a graph has given.

        Raises:
            UsageError: one is too long.
            DatabaseError: the database stopped answering.
        """
        async with answering():
            return await take_in_batches(self._store.pool, self.owner, batches)

    async def all_of(self) -> AsyncIterator[Memory]:
        """Every memory of the owner, ended ones too, in the order of kind and id.

        Raises:
            DatabaseError: the database stopped answering.
        """
        for kind in KINDS:
            last = ""
            while found := await self._rows(
                f"AND key > %s ORDER BY key LIMIT {_BATCH}", last, kinds=[kind]
            ):
                for memory in found:
                    yield memory
                last = found[-1].id

    async def owners(self) -> list[Owner]:
        """Everybody who has memories in this database.

        Raises:
            DatabaseError: the database stopped answering.
        """
        async with answering(), self._store.pool.connection() as connection:
            cursor = await connection.execute(_PREFIXES.encode())
            found = [owner_and_kind(row["prefix"]) for row in await cursor.fetchall()]
        return sorted({known[0] for known in found if known})

    async def stats(self) -> Stats:
        """What is kept, of all owners, and how the index is.

        Raises:
            DatabaseError: the database stopped answering.
        """
        async with answering():
            made, waiting = await self._store.vectors.made(), await self._store.vectors.waiting()
            async with self._store.pool.connection() as connection:
                cursor = await connection.execute(_COUNTS.encode())
                counted = await cursor.fetchall()
                cursor = await connection.execute(_BYTES.encode())
                size = await cursor.fetchone() or {}
        counts = [
            OwnerCount(user=known[0].user, project=known[0].project, kind=known[1],
                       count=row["living"], ended=row["ended"])
            for row in counted
            if (known := owner_and_kind(row["prefix"]))
        ]  # fmt: skip
        stats = Stats(counts=counts, bytes=int(size["bytes"] or 0), waiting=waiting)
        if made is not None:
            stats.index, stats.made_by, stats.dims = INDEX_NAME, made.made_by, made.dims
            stats.state = "whole" if made.whole else "being made"
        return stats

    async def catch_up(self, progress: Progress | None = None, wait: float = 0.0) -> bool:
        """Give a vector to every memory, of all owners, that has none; see `MemoryIndex`.

        Args:
            progress: told after each batch how many were done, of how many.
            wait: seconds to wait for another process that is at it.

        Returns:
            Whether every memory has one now; False while another process is at it.

        Raises:
            ReplanError: there is no embedding model, or it cannot be used.
            DatabaseError: the database stopped answering.
        """
        async with answering():
            return await self._store.vectors.catch_up(progress, wait)

    async def _rows(
        self, query: str, *given: object, kinds: Sequence[MemoryKind] = KINDS
    ) -> list[Memory]:
        async with answering(), self._store.pool.connection() as connection:
            cursor = await connection.execute(
                f"SELECT {rows.COLUMNS} FROM store WHERE prefix = ANY(%s) AND {LIVING} "
                f"{query}".encode(),
                (self.owner.prefixes(kinds), *given),
            )
            return [rows.of_row(row) for row in await cursor.fetchall()]


_IN_MEMORY = f"prefix LIKE '{MEMORY}.%'"
# From one namespace to the next: reading every row would take long.
_PREFIXES = f"""
WITH RECURSIVE one AS (
    (SELECT prefix FROM store WHERE prefix > '{MEMORY}.' ORDER BY prefix LIMIT 1)
    UNION ALL
    SELECT (SELECT store.prefix FROM store WHERE store.prefix > one.prefix
            ORDER BY store.prefix LIMIT 1) FROM one WHERE {_IN_MEMORY})
SELECT prefix FROM one WHERE {_IN_MEMORY}"""
_COUNTS = f"""
SELECT prefix, count(*) FILTER (WHERE value ->> 'ended' IS NULL) AS living,
    count(*) FILTER (WHERE value ->> 'ended' IS NOT NULL) AS ended
FROM store WHERE {_IN_MEMORY} AND {LIVING} GROUP BY prefix ORDER BY prefix"""
_BYTES = f"""
SELECT (SELECT coalesce(sum(pg_column_size(store.*)), 0) FROM store WHERE {_IN_MEMORY})
    + coalesce(pg_relation_size(to_regclass('replan_memory_words')), 0)
    + coalesce(pg_total_relation_size(to_regclass('store_vectors')), 0) AS bytes"""


@asynccontextmanager
async def answering() -> AsyncIterator[None]:
    """The database's failures, as one clear error.

    Raises:
        DatabaseError: it stopped answering.
    """
    try:
        yield
    except (psycopg.OperationalError, PoolTimeout) as error:
        raise DatabaseError(
            "The database stopped answering, so memories cannot be read or kept.",
            "Look at it with: replan doctor.",
        ) from error
