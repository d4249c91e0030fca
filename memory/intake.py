"""Memories that were exported elsewhere, taken in: all of them, or none."""

from collections.abc import AsyncIterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from replan.memory import rows
from replan.memory.likeness import memory_id
from replan.memory.owner import Owner
from replan.memory.record import require_size
from replan.state.memory import Kept, Memory, Source
from replan.storage.memory_tables import LIVING

if TYPE_CHECKING:
    from psycopg import AsyncConnection
    from psycopg.rows import DictRow
    from psycopg_pool import AsyncConnectionPool

    Connection = AsyncConnection[DictRow]


@dataclass(frozen=True)
class Taken:
    """How many memories were not there before, and how many were."""

    new: int = 0
    known: int = 0


async def take_in_batches(
    pool: "AsyncConnectionPool[Connection]",
    owner: Owner,
    batches: AsyncIterable[Sequence[Memory]],
) -> Taken:
    """Keep exported memories in one transaction; see `take_in_batch`.

    Args:
        pool: connections of `open_persistence`.
        owner: who has them from then on; other writers of theirs wait meanwhile.
        batches: of some hundred; whatever it raises leaves nothing behind.

    Raises:
        UsageError: one is too long.
    """
    taken = Taken()
    async with pool.connection() as connection, connection.transaction():
        await rows.lock(connection, owner)
        async for batch in batches:
            kept = await take_in_batch(connection, owner, batch)
            new = sum(one.how == "new" for one in kept)
            taken = Taken(taken.new + new, taken.known + len(kept) - new)
    return taken


async def take_in_batch(
    connection: "Connection", owner: Owner, batch: Sequence[Memory]
) -> list[Kept]:
    """Keep exported memories with their ids, times and dates.

    One that is known is not counted again: the greater count and importance hold, so that the same
    taken in twice changes nothing. Vectors are made later (`Catalogue.catch_up`).

    Args:
        connection: in a transaction that holds `rows.lock`.
        owner: who has them from then on.
        batch: some hundred.

    Raises:
        UsageError: one is too long.
    """
    known = await _known(connection, owner, batch)
    kept: list[Kept] = []
    async with connection.pipeline():  # one way to the server for all of them
        for given in batch:
            require_size(given)
            memory = given.model_copy(update={"id": _key(given), "source": _source(given)})
            [prefix] = owner.prefixes([memory.kind])
            before = known.get((prefix, memory.id))
            known[prefix, memory.id] = now = _joined(before, memory)
            if before is None:
                await rows.add(connection, prefix, now)
            elif now != before:
                await rows.replace(connection, prefix, now)
            kept.append(Kept(id=memory.id, how="known" if before else "new"))
    return kept


def _key(memory: Memory) -> str:
    return memory.id or memory_id(memory.kind, memory.text)


async def _known(
    connection: "Connection", owner: Owner, batch: Sequence[Memory]
) -> dict[tuple[str, str], Memory]:
    """Those of a batch that the owner has, by namespace and id; locked."""
    keys = [_key(memory) for memory in batch]
    cursor = await connection.execute(
        f"SELECT {rows.COLUMNS} FROM store WHERE prefix = ANY(%s) AND key = ANY(%s) "
        f"AND {LIVING} FOR UPDATE".encode(),
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
