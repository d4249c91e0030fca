"""Memories that were exported elsewhere, taken in: all of them, or none."""

import re
from collections.abc import AsyncIterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from replan.memory import rows
from replan.memory.likeness import memory_id
from replan.memory.owner import Owner
from replan.memory.record import require_size
from replan.state.errors import UsageError
from replan.state.memory import Memory, Source

if TYPE_CHECKING:
    from psycopg import AsyncConnection
    from psycopg.rows import DictRow
    from psycopg_pool import AsyncConnectionPool

    Connection = AsyncConnection[DictRow]

_ID = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True)
class Taken:
    """How many memories were not there before, and how many were."""

    new: int = 0
    known: int = 0


async def take_in_all(
    pool: "AsyncConnectionPool[Connection]",
    owner: Owner,
    batches: AsyncIterable[Sequence[Memory]],
) -> Taken:
    """Keep exported memories with their ids, times and dates, in one transaction.

    One that is known is not counted again: the greater count and importance hold, so that the same
    file taken in twice changes nothing. Vectors are made later (`Catalogue.catch_up`).

    Args:
        pool: connections of `open_persistence`.
        owner: who has them from then on; other writers of theirs wait meanwhile.
        batches: of some hundred; whatever it raises leaves nothing behind.

    Raises:
        UsageError: one is too long, or its id is none.
    """
    taken = Taken()
    async with pool.connection() as connection, connection.transaction():
        await rows.lock(connection, owner)
        async for batch in batches:
            done = await _batch(connection, owner, batch)
            taken = Taken(taken.new + done.new, taken.known + done.known)
    return taken


async def _batch(connection: "Connection", owner: Owner, batch: Sequence[Memory]) -> Taken:
    known = await _known(connection, owner, batch)
    new = 0
    async with connection.pipeline():  # one way to the server for all of them
        for given in batch:
            require_size(given)
            if given.id and not _ID.fullmatch(given.id):
                raise UsageError(f"{given.id[:60]!r} is no id of a memory.", "Leave it out.")
            key = given.id or memory_id(given.kind, given.text)
            memory = given.model_copy(update={"id": key, "source": _source(given)})
            [prefix] = owner.prefixes([memory.kind])
            before = known.get((prefix, key))
            known[prefix, key] = now = _joined(before, memory)
            if before is None:
                new += 1
                await rows.add(connection, prefix, now)
            elif now != before:
                await rows.replace(connection, prefix, now)
    return Taken(new, len(batch) - new)


async def _known(
    connection: "Connection", owner: Owner, batch: Sequence[Memory]
) -> dict[tuple[str, str], Memory]:
    """Those of a batch that the owner has, by namespace and id; locked."""
    keys = [memory.id or memory_id(memory.kind, memory.text) for memory in batch]
    cursor = await connection.execute(
        f"SELECT {rows.COLUMNS} FROM store WHERE prefix = ANY(%s) AND key = ANY(%s) "
        f"AND {rows.LIVING} FOR UPDATE".encode(),
        (owner.prefixes(), keys),
    )
    return {(row["prefix"], row["key"]): rows.of_row(row) for row in await cursor.fetchall()}


def _source(given: Memory) -> Source:
    """Skills are followed without asking a model: not those that came in a file."""
    told_by = given.source.told_by or ("an import" if given.kind == "skill" else "")
    return given.source.model_copy(update={"told_by": told_by})


def _joined(known: Memory | None, given: Memory) -> Memory:
    if known is None:
        return given
    times = max(known.times, given.times)
    return known.model_copy(
        update={"times": times, "importance": max(known.importance, given.importance)}
    )
