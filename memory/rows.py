"""Single memories in the store's table. Each function works in the caller's transaction."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from psycopg.types.json import Jsonb

from replan.memory.owner import Owner
from replan.memory.record import memory_of, value_of
from replan.state.memory import Memory
from replan.storage.memory_tables import LIVING
from replan.storage.rank_fusion import vector_text

if TYPE_CHECKING:
    from psycopg import AsyncConnection
    from psycopg.rows import DictRow

    Connection = AsyncConnection[DictRow]

COLUMNS = "prefix, key, value, created_at"


async def lock(connection: "Connection", owner: Owner) -> None:
    """Hold an owner's memories for writing until the transaction ends.

    Two runs that keep the same, or nearly the same, at once then see each other's. How the nearest
    are looked for depends on how many there are: that is planned for each owner.
    """
    await connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended(%s, 2)), "
        "set_config('plan_cache_mode', 'force_custom_plan', true)",
        (owner.prefixes()[0],),
    )


async def by_key(connection: "Connection", prefix: str, key: str) -> Memory | None:
    """A memory that is kept, ended or not."""
    found = await by_id(connection, [prefix], key)
    return found[1] if found else None


async def by_id(
    connection: "Connection", prefixes: Sequence[str], key: str
) -> tuple[str, Memory] | None:
    """A memory of one of these namespaces, and which; locked."""
    cursor = await connection.execute(
        f"SELECT {COLUMNS} FROM store WHERE prefix = ANY(%s) AND key = %s AND {LIVING} "
        "FOR UPDATE".encode(),
        (list(prefixes), key),
    )
    row = await cursor.fetchone()
    return (row["prefix"], of_row(row)) if row else None


async def nearest(
    connection: "Connection", prefix: str, vector: Sequence[float], most: int
) -> list[tuple[Memory, float]]:
    """The nearest memories of a namespace with their cosines, the nearest first; locked."""
    given = {"vector": vector_text(vector), "prefix": prefix, "most": most}
    cursor = await connection.execute(
        f"SELECT {COLUMNS}, 1 - distance AS similarity FROM store JOIN ("
        "SELECT prefix, key, embedding <=> %(vector)s AS distance FROM store_vectors "
        "WHERE prefix = %(prefix)s ORDER BY embedding <=> %(vector)s LIMIT %(most)s) AS near "
        f"USING (prefix, key) WHERE {LIVING} ORDER BY distance, key FOR UPDATE OF store".encode(),
        given,
    )
    return [(of_row(row), float(row["similarity"])) for row in await cursor.fetchall()]


async def add(connection: "Connection", prefix: str, memory: Memory) -> None:
    """Write a memory that is not there, or has expired, as of when it was learned."""
    await connection.execute(
        "INSERT INTO store (prefix, key, value, created_at, updated_at) "
        "VALUES (%s, %s, %s, coalesce(%s, now()), coalesce(%s, now())) "
        "ON CONFLICT (prefix, key) DO UPDATE SET value = excluded.value, "
        "created_at = excluded.created_at, updated_at = excluded.updated_at, "
        "expires_at = NULL, ttl_minutes = NULL",
        (prefix, memory.id, Jsonb(value_of(memory)), memory.learned, memory.learned),
    )


async def replace(connection: "Connection", prefix: str, memory: Memory) -> None:
    """Write a memory in place of what is kept of it."""
    await connection.execute(
        "UPDATE store SET value = %s, updated_at = now() WHERE prefix = %s AND key = %s",
        (Jsonb(value_of(memory)), prefix, memory.id),
    )


def of_row(row: dict[str, Any]) -> Memory:
    """A memory from `COLUMNS`."""
    return memory_of(row["prefix"], row["key"], row["value"], row["created_at"])
