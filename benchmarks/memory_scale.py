"""Recall and speed of long-term memory when there is much of it.

    .venv/bin/python benchmarks/memory_scale.py [--count 1000000] [--questions 100] [--home FOLDER]

Memories are made from a seed: texts of Zipf-distributed words, vectors of 384 numbers that lie in
clusters around a common direction, as those of real models do. They are written by COPY into the
tables of the store, in random order, for owners of whom one has half of all, others fewer, and most
a hundred. Then, for owners of each size, questions near to one of their memories are asked:

- `exact`: every vector of the owner compared; what the ten nearest really are.
- `meaning`: the query of `recall`, by the vector alone: the share of those ten that it finds.
- `recall`: the whole of `recall`, by words and vector, without the embedding model.

And, in a database with 10,000 memories, `recall` with the embedded model and vectors as long as
that one's, its time included, each question new. Times are milliseconds as a caller sees them, and
as `cpu_` what the processors worked for them, here and in the server: that tells on a busy machine
(Linux). With `--home` the database stays in that folder, and another run with it and the same count
only asks.
"""

import argparse
import asyncio
import json
import os
import statistics
import struct
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from psycopg.types.json import Jsonb
from seeded_memories import (
    DIMS,
    MODEL,
    SHARES,
    SMALL,
    Cloud,
    Seeded,
    Texts,
    owners_of,
    prefix_of,
)

from replan.memory.owner import Owner
from replan.memory.postgres import PostgresMemories
from replan.memory.record import value_of
from replan.models.embeddings import EmbeddedEmbedder
from replan.state.memory import Memory
from replan.state.settings import settings
from replan.storage.database import Database, open_database
from replan.storage.embedded import release_embedded
from replan.storage.memory_index import INDEX_NAME, Vectors
from replan.storage.memory_search import EF_SEARCH, search
from replan.storage.memory_store import HNSW, NAMESPACE_INDEX
from replan.storage.persistence import Persistence, open_persistence
from replan.storage.rank_fusion import vector_text

WORDS_INDEX = "replan_memory_words"
BATCH = 20_000

Took = tuple[float, float]  # milliseconds, and those of processors
RECALLED = 10_000


def binary_rows(
    prefixes: Sequence[str], keys: Sequence[str], vectors: np.ndarray
) -> Iterator[bytes]:
    """Rows of the table of vectors, as a binary COPY takes them."""
    halves = vectors.astype(">f2")
    for prefix, key, half in zip(prefixes, keys, halves, strict=True):
        data = struct.pack(">hh", len(half), 0) + half.tobytes()
        fields = (prefix.encode(), key.encode(), b"text", data)
        yield struct.pack(">h", 4) + b"".join(
            struct.pack(">i", len(field)) + field for field in fields
        )


async def fill(kept: Persistence, prefixes: Sequence[str], dims: int) -> dict[str, float]:
    """Write the memories and their vectors; seconds of each."""
    cloud, texts, seconds = Cloud(dims=dims), Texts(), {"texts": 0.0, "vectors": 0.0}
    async with kept.pool.connection() as connection:
        for start in range(0, len(prefixes), BATCH):
            part = prefixes[start : start + BATCH]
            keys = [f"{number:032x}" for number in range(start, start + len(part))]
            told = [Memory(kind="fact", text=texts.text()) for _ in part]
            began = time.monotonic()
            async with (
                connection.cursor() as cursor,
                cursor.copy("COPY store (prefix, key, value) FROM STDIN") as copy,
            ):
                for prefix, key, memory in zip(part, keys, told, strict=True):
                    await copy.write_row((prefix, key, Jsonb(value_of(memory))))
            seconds["texts"] += time.monotonic() - began
            vectors, began = cloud.vectors(len(part)), time.monotonic()
            async with (
                connection.cursor() as cursor,
                cursor.copy(
                    "COPY store_vectors (prefix, key, field_name, embedding) "
                    "FROM STDIN WITH (FORMAT binary)"
                ) as copy,
            ):
                await copy.write(b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0))
                await copy.write(b"".join(binary_rows(part, keys, vectors)))
                await copy.write(struct.pack(">h", -1))
            seconds["vectors"] += time.monotonic() - began
            tell(f"{start + len(part):,} memories")
        await connection.execute("TRUNCATE replan_memory_waiting")
        await connection.execute("UPDATE replan_memory_index SET whole = true")
    return seconds


async def build_indexes(kept: Persistence) -> dict[str, float]:
    """Seconds of each: as they are made when a dump of this size is restored."""
    options = ", ".join(f"{name} = {value}" for name, value in HNSW.items())
    statements = {
        "vacuum": "VACUUM ANALYZE store, store_vectors",
        "words_index": f"CREATE INDEX {WORDS_INDEX} ON store USING gin (memory_words) "
        "WITH (fastupdate = off)",
        "vectors_index": f"CREATE INDEX {INDEX_NAME} ON store_vectors USING hnsw "
        f"(embedding halfvec_cosine_ops) WITH ({options})",
        "namespace_index": f"CREATE INDEX {NAMESPACE_INDEX} ON store_vectors (prefix) "
        "INCLUDE (key, embedding)",
    }
    seconds = {}
    async with kept.pool.connection() as connection:
        await connection.execute("SET maintenance_work_mem = '2GB'")
        await connection.execute("SET max_parallel_maintenance_workers = 1")
        for name, statement in statements.items():
            tell(name)
            began = time.monotonic()
            await connection.execute(statement.encode())
            seconds[name] = time.monotonic() - began
        await connection.execute("RESET ALL")
    return seconds


async def sizes(kept: Persistence, count: int) -> dict[str, Any]:
    """Bytes a memory, by what takes them."""
    parts = {
        "store": "pg_table_size('store')",
        "keys": f"pg_indexes_size('store') - pg_relation_size('{WORDS_INDEX}')",
        "words_index": f"pg_relation_size('{WORDS_INDEX}')",
        "vectors": "pg_table_size('store_vectors')",
        "vector_keys": f"pg_indexes_size('store_vectors') - pg_relation_size('{INDEX_NAME}')"
        f" - pg_relation_size('{NAMESPACE_INDEX}')",
        "namespace_index": f"pg_relation_size('{NAMESPACE_INDEX}')",
        "vectors_index": f"pg_relation_size('{INDEX_NAME}')",
    }
    asked = ", ".join(f"{size} AS {name}" for name, size in parts.items())
    async with kept.pool.connection() as connection:
        row = await (await connection.execute(f"SELECT {asked}".encode())).fetchone() or {}
    each = {name: round(row[name] / count) for name in parts}
    return {**each, "all": sum(each.values())}


async def measure(kept: Persistence, size: int, prefix: str, questions: int) -> dict[str, Any]:
    """Exact search, the search by meaning, and the whole of it, for one owner."""
    cloud, texts = Cloud(seed=11), Texts(seed=11)
    times: dict[str, list[Took]] = {"exact": [], "meaning": [], "recall": []}
    shares = []
    async with kept.pool.connection() as connection:
        cursor = await connection.execute(
            "SELECT value ->> 'text' AS text, embedding::vector::text AS vector "
            "FROM store JOIN store_vectors USING (prefix, key) WHERE prefix = %s "
            "ORDER BY md5(key) LIMIT %s",
            (prefix, questions),
        )
        for row in await cursor.fetchall():
            vector = cloud.near(np.array(json.loads(row["vector"]))).tolist()
            question = Vectors([vector], made_by=MODEL)
            near = await timed(times["exact"], partial(exact, connection, prefix, vector))
            found = await timed(
                times["meaning"], partial(search, connection, [prefix], "", question, 10, -1)
            )
            shares.append(len(near & {one.key for one in found or []}) / len(near))
            words = texts.question(row["text"])
            await timed(
                times["recall"],
                partial(search, connection, [prefix], words, question, 10, -1),
            )
    recalled = {"recall_at_10": round(statistics.fmean(shares), 4), "worst": min(shares)}
    return {"memories": size, **recalled, **{name: spread(ms) for name, ms in times.items()}}


async def exact(
    connection: psycopg.AsyncConnection[Any], prefix: str, vector: Sequence[float]
) -> set[str]:
    """The ten nearest, every one compared."""
    cursor = await connection.execute(
        "SELECT key, (embedding <=> %s) + 0 AS distance FROM store_vectors WHERE prefix = %s "
        "ORDER BY distance LIMIT 10",
        (vector_text(vector), prefix),
    )
    return {row["key"] for row in await cursor.fetchall()}


async def timed(into: list[Took], do: Callable[[], Awaitable[Any]]) -> Any:
    """Do it, and note what it took."""
    worked, began = processor_seconds(), time.monotonic()
    done = await do()
    wall, cpu = time.monotonic() - began, processor_seconds() - worked
    into.append((1000 * wall, 1000 * cpu))
    return done


def processor_seconds() -> float:
    """Of this process and of those of the server."""
    pid = (settings().replan_home / "postgres" / "data" / "postmaster.pid").read_text().split()[0]
    served = 0
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        with suppress(OSError):  # One that has just ended.
            served += int(Path(f"/proc/{child}/schedstat").read_text().split()[0])
    return time.process_time() + served / 1e9


def spread(took: Sequence[Took]) -> dict[str, float]:
    """The median and the 95th percentile of both."""
    said = {}
    for at, name in enumerate(("", "cpu_")):
        ordered = sorted(one[at] for one in took)
        said[f"{name}p50"] = round(statistics.median(ordered), 1)
        said[f"{name}p95"] = round(ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))], 1)
    return said


async def at_scale(database: Database, count: int, questions: int) -> dict[str, Any]:
    """All of it at that number of memories."""
    async with open_persistence(database, Seeded) as kept:
        seconds = await made(kept, count)
        measured = []
        asked = [(int(count * share), prefix_of(int(count * share))) for share in SHARES]
        for size, prefix in [*asked, (SMALL, Owner("small 0").prefixes(["fact"])[0])]:
            tell(f"asking among {size:,}")
            await measure(kept, size, prefix, 10)  # what is read first is on disk
            measured.append(await measure(kept, size, prefix, questions))
            tell(json.dumps(measured[-1]))
        return {
            "count": count,
            **HNSW,
            "ef_search": EF_SEARCH,
            "seconds": {name: round(value, 1) for name, value in seconds.items()},
            "bytes_a_memory": await sizes(kept, count),
            "by_owner": measured,
        }


async def made(kept: Persistence, count: int) -> dict[str, float]:
    """The memories, and the seconds that it took to make them; none where they are there."""
    async with kept.pool.connection() as connection:
        row = await (await connection.execute("SELECT count(*) AS n FROM store")).fetchone()
        if row and row["n"] == count:
            return {}
        assert row is not None
        assert row["n"] == 0, "the folder has another number of memories"
        await kept.store.vectors.catch_up()
        await connection.execute(
            f"DROP INDEX {INDEX_NAME}, {WORDS_INDEX}, {NAMESPACE_INDEX}".encode()
        )
    return {**await fill(kept, owners_of(count), DIMS), **await build_indexes(kept)}


async def with_the_model(database: Database, questions: int) -> dict[str, Any]:
    """`recall` among 10,000 memories, the embedded model's time included."""
    owner, texts = Owner("ten thousand"), Texts(seed=5)
    async with open_persistence(database, EmbeddedEmbedder) as kept:
        memories = PostgresMemories(kept.store, owner)
        await memories.catch_up()
        made = await kept.store.vectors.made()
        assert made is not None
        await fill(kept, owner.prefixes(["fact"]) * RECALLED, made.dims)
        async with kept.pool.connection() as connection:
            await connection.execute("VACUUM ANALYZE store, store_vectors")
        known = await memories.browse(most=questions)
        await memories.recall("loads the model")
        times: list[Took] = []
        alone: list[Took] = []
        for memory in known:
            question = texts.question(memory.text)
            recalled = await timed(times, partial(memories.recall, question))
            assert len(recalled.found) == 5, recalled.note
            await timed(alone, partial(memories.recall, question))
        return {"memories": RECALLED, "recall": spread(times), "question_known": spread(alone)}


@asynccontextmanager
async def own_database(database: Database, name: str) -> AsyncIterator[Database]:
    """A database for the length of a measurement."""
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
        yield named(database, name)
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def named(database: Database, name: str) -> Database:
    """Another database of the same server."""
    url = database.url.replace("@/postgres", f"@/{name}")
    return Database(url, "url", database.server_version, database.vector_version)


def tell(line: str) -> None:
    """Progress, beside the JSON."""
    print(line, file=sys.stderr, flush=True)


async def run(asked: argparse.Namespace) -> dict[str, Any]:
    """Measure."""
    database = await open_database()
    result: dict[str, Any] = {}
    async with own_database(database, "model") as own:
        result["with_the_model"] = await with_the_model(own, asked.questions)
    tell(json.dumps(result["with_the_model"]))
    result["at_scale"] = await at_scale(database, asked.count, asked.questions)
    return result


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--home", type=Path)
    asked = parser.parse_args()
    os.environ.pop("DATABASE_URL", None)
    with tempfile.TemporaryDirectory(prefix="replan-bench-") as name:
        home = asked.home or Path(name)
        home.mkdir(exist_ok=True)
        home.chmod(0o711)  # else root keeps the database elsewhere
        os.environ["REPLAN_HOME"] = str(home)
        try:
            print(json.dumps(asyncio.run(run(asked)), indent=1))
        finally:
            release_embedded()


if __name__ == "__main__":
    main()
