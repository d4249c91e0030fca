"""Checkpoints of threads side by side, committed together."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from langgraph.checkpoint.postgres.base import BasePostgresSaver
from psycopg import AsyncConnection, OperationalError
from psycopg.rows import DictRow
from psycopg_pool import AsyncConnectionPool

Row = Sequence[Any]
Statement = tuple[str, list[Row]]


def _of_columns(statement: str, *types: str) -> str:
    """An INSERT of one row as one of many, which takes an array for each column."""
    one = f"VALUES ({', '.join(['%s'] * len(types))})"
    if one not in statement:
        raise ValueError(f"LangGraph inserts in another way than thought: {statement}")
    arrays = ", ".join(f"%b::{kind}[]" for kind in types)
    return statement.replace(one, f"SELECT * FROM unnest({arrays})")


_NAMES = ("text", "text", "text")
_BLOB = (*_NAMES, "text", "text", "bytea")
_CHECKPOINT = (*_NAMES, "text", "jsonb", "jsonb")
_WRITE = (*_NAMES, "text", "text", "integer", "text", "text", "bytea")

# LangGraph's statements, in the order in which one put makes them, as statements of many rows.
OF_COLUMNS = {
    statement: _of_columns(statement, *types)
    for statement, types in (
        (BasePostgresSaver.UPSERT_CHECKPOINT_BLOBS_SQL, _BLOB),
        (BasePostgresSaver.UPSERT_CHECKPOINTS_SQL, _CHECKPOINT),
        (BasePostgresSaver.UPSERT_CHECKPOINT_WRITES_SQL, _WRITE),
        (BasePostgresSaver.INSERT_CHECKPOINT_WRITES_SQL, _WRITE),
    )
}


@dataclass(eq=False)
class Put:
    """What one caller writes; takes the place of a cursor while LangGraph says what that is."""

    statements: list[Statement] = field(default_factory=list)
    written: "asyncio.Future[None]" = field(default_factory=asyncio.Future)

    async def execute(self, statement: str, row: Row) -> None:
        """Note a statement."""
        self.statements.append((statement, [row]))

    async def executemany(self, statement: str, rows: Sequence[Row]) -> None:
        """Note a statement of several rows."""
        self.statements.append((statement, list(rows)))


class GroupCommit:
    """Writes what is put while an earlier commit waits for the disk in one commit of its own.

    Whoever puts goes on when its rows are committed, no sooner. Nothing waits to become more: a
    put that comes alone is written alone. The rows of one put become visible together.

    Args:
        pool: where connections come from; one at a time is used.
        write_alone: writes one put as LangGraph does; for those that cannot be joined.
    """

    def __init__(
        self,
        pool: AsyncConnectionPool[AsyncConnection[DictRow]],
        write_alone: Callable[[list[Statement]], Awaitable[None]],
    ) -> None:
        self._pool = pool
        self._write_alone = write_alone
        self._waiting: list[Put] = []
        self._writer: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def cursor(self) -> AsyncIterator[Put]:
        """Takes statements; what they write is committed when the context ends.

        Raises:
            psycopg.Error: it was not written.
        """
        put = Put()
        yield put
        if any(statement not in OF_COLUMNS for statement, _ in put.statements):
            await self._write_alone(put.statements)
        else:
            await self._commit(put)

    async def _commit(self, put: Put) -> None:
        self._waiting.append(put)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_all(), name="group commit")
        try:
            await asyncio.shield(put.written)
        except asyncio.CancelledError:  # After which nothing of it may be written any more.
            if put in self._waiting:
                self._waiting.remove(put)
            else:
                await asyncio.wait([put.written])
            raise

    async def _write_all(self) -> None:
        """Until nobody waits."""
        while self._waiting:
            puts, self._waiting = self._waiting, []
            try:
                await self._write(puts)
            finally:  # Cancelled, with the whole event loop.
                for put in puts:
                    put.written.cancel()

    async def _write(self, puts: list[Put]) -> None:
        try:
            await self._write_together(puts)
        except OperationalError as error:  # The server is away, or its disk is full.
            for put in puts:
                put.written.set_exception(error)
        except Exception:  # Something is wrong with one of them: the others do not suffer for it.
            for put in puts:
                await self._write_one(put)
        else:
            for put in puts:
                put.written.set_result(None)

    async def _write_together(self, puts: list[Put]) -> None:
        rows: dict[str, list[Row]] = {statement: [] for statement in OF_COLUMNS}
        for put in puts:
            for statement, its_rows in put.statements:
                rows[statement].extend(its_rows)
        # In a pipeline, all up to its end is one transaction, and one round trip.
        async with (
            self._pool.connection() as connection,
            connection.pipeline(),
            connection.cursor(binary=True) as cursor,
        ):
            for statement, of_columns in OF_COLUMNS.items():
                if found := rows[statement]:
                    columns = [list(column) for column in zip(*found, strict=True)]
                    await cursor.execute(of_columns.encode(), columns)

    async def _write_one(self, put: Put) -> None:
        try:
            await self._write_alone(put.statements)
        except Exception as error:
            put.written.set_exception(error)
        else:
            put.written.set_result(None)
