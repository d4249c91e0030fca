"""Recall and speed of long-term memory when there is much of it.

    .venv/bin/python benchmarks/memory_scale.py [--count 1000000] [--questions 100]

Memories are made from a seed: texts of Zipf-distributed words, vectors of 384 numbers that lie in
clusters around a common direction, as those of real models do. They are written by COPY into the
tables of the store, in random order, for owners of whom one has half of all, others fewer, and most
a hundred. Then, for owners of each size, questions near to one of their memories are asked:

- `exact`: every vector of the owner compared; what the ten nearest really are.
- `meaning`: the query of `recall`, by the vector alone: the share of those ten that it finds.
- `recall`: the whole of `recall`, by words and vector, without the embedding model.

And, in a database with 10,000 memories, `recall` with the embedded model, its time included, each
question new. Times are milliseconds as a caller sees them.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import struct
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from psycopg.types.json import Jsonb

from replan.memory.owner import Owner
from replan.memory.postgres import PostgresMemories
from replan.memory.record import value_of
from replan.models.embeddings import EmbeddedEmbedder
from replan.state.memory import Memory
from replan.storage.database import Database, open_database
from replan.storage.memory_index import INDEX_NAME, Vectors
from replan.storage.memory_search import EF_SEARCH, search
from replan.storage.memory_store import HNSW
from replan.storage.persistence import Persistence, open_persistence
from replan.storage.rank_fusion import vector_text

DIMS = 384
SHARES = (
    0.5,
    0.2,
    0.1,
    0.05,
    0.02,
    0.01,
    0.005,
    0.001,
)  # of the largest owners; the rest: 100 each
SMALL = 100
MODEL = "made from a seed"
BATCH = 20_000
RECALLED = 10_000


class Seeded:
    """Stands in for the model that made the vectors."""

    name = MODEL

    async def embed(self, texts: Sequence[str], kind: str) -> list[list[float]]:
        """Any vector: it is asked for its length alone."""
        return [[1.0, *[0.0] * (DIMS - 1)] for _ in texts]


class Cloud:
    """Vectors in clusters of clusters, with a direction common to all: two at random have a cosine
    of about 0.7, two of a cluster about 0.9.
    """

    def __init__(self, seed: int = 7) -> None:
        self.random = np.random.default_rng(seed)
        self.common = self._directions(1)[0]
        self.topics = self._directions(200)
        self.themes = self._directions(5_000)
        # Noise has few strong directions and many weak ones.
        self.spectrum = np.sqrt(1 / np.arange(1, DIMS + 1) ** 0.7)
        self.spectrum *= np.sqrt(DIMS) / np.linalg.norm(self.spectrum)

    def _directions(self, count: int) -> np.ndarray:
        rows = self.random.standard_normal((count, DIMS))
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def vectors(self, count: int) -> np.ndarray:
        """That many, of length 1."""
        theme = self.random.integers(0, len(self.themes), count)
        noise = self.random.standard_normal((count, DIMS)) * self.spectrum / np.sqrt(DIMS)
        rows = self.common + 0.4 * self.topics[theme % len(self.topics)]
        rows = rows + 0.35 * self.themes[theme] + 0.35 * noise
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)

    def near(self, vector: np.ndarray) -> np.ndarray:
        """A question about what a vector stands for."""
        row = vector + 0.2 * self.random.standard_normal(DIMS) * self.spectrum / np.sqrt(DIMS)
        return row / np.linalg.norm(row)


class Texts:
    """Sentences of a vocabulary whose words are as unequally common as those of a language."""

    def __init__(self, seed: int = 7) -> None:
        self.random = random.Random(seed)
        letters = "bcdfglmnprstvz"
        self.words = [
            "".join(self.random.choice(letters) + self.random.choice("aeiou") for _ in range(3))
            for _ in range(20_000)
        ]
        self.weights = [1 / (rank + 2) for rank in range(len(self.words))]
        self.sums = list(np.cumsum(self.weights))

    def text(self, words: int = 14) -> str:
        """One of them."""
        return " ".join(self.random.choices(self.words, cum_weights=self.sums, k=words))

    def question(self, text: str) -> str:
        """Some words of a text among others."""
        return " ".join([*self.random.sample(text.split(), 4), *self.text(5).split()])


def owners_of(count: int) -> list[str]:
    """The namespace of each memory, in random order."""
    prefixes = []
    for share in SHARES:
        prefixes += [prefix_of(int(count * share))] * int(count * share)
    for number in range((count - len(prefixes)) // SMALL + 1):
        owner = Owner(f"small {number}")
        prefixes += owner.prefixes(["fact"]) * min(SMALL, count - len(prefixes))
    random.Random(7).shuffle(prefixes)
    return prefixes


def prefix_of(size: int) -> str:
    """The namespace of the owner of so many memories."""
    return Owner(f"has {size}").prefixes(["fact"])[0]


def binary_rows(
    prefixes: Sequence[str], keys: Sequence[str], vectors: np.ndarray
) -> Iterator[bytes]:
    """Rows of the table of vectors, as a binary COPY takes them."""
    halves = vectors.astype(">f2")
    for prefix, key, half in zip(prefixes, keys, halves, strict=True):
        data = struct.pack(">hh", DIMS, 0) + half.tobytes()
        fields = (prefix.encode(), key.encode(), b"text", data)
        yield struct.pack(">h", 4) + b"".join(
            struct.pack(">i", len(field)) + field for field in fields
        )


async def fill(kept: Persistence, prefixes: Sequence[str]) -> dict[str, float]:
    """Write the memories and their vectors; seconds of each."""
    cloud, texts, seconds = Cloud(), Texts(), {"texts": 0.0, "vectors": 0.0}
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


async def build_index(kept: Persistence) -> float:
    """Seconds."""
    options = ", ".join(f"{name} = {value}" for name, value in HNSW.items())
    async with kept.pool.connection() as connection:
        for statement in (
            "SET maintenance_work_mem = '2GB'",
            "SET max_parallel_maintenance_workers = 1",
            "VACUUM ANALYZE store",
            "VACUUM ANALYZE store_vectors",
        ):
            await connection.execute(statement.encode())
        began = time.monotonic()
        await connection.execute(
            f"CREATE INDEX {INDEX_NAME} ON store_vectors USING hnsw "
            f"(embedding halfvec_cosine_ops) WITH ({options})".encode()
        )
        return time.monotonic() - began


async def sizes(kept: Persistence, count: int) -> dict[str, Any]:
    """Bytes a memory, by what takes them."""
    parts = {
        "store": "pg_table_size('store')",
        "keys": "pg_indexes_size('store') - pg_relation_size('replan_memory_words')",
        "words_index": "pg_relation_size('replan_memory_words')",
        "vectors": "pg_table_size('store_vectors')",
        "vector_keys": f"pg_indexes_size('store_vectors') - pg_relation_size('{INDEX_NAME}')",
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
    times: dict[str, list[float]] = {"exact": [], "meaning": [], "recall": []}
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
            near = await timed(times["exact"], lambda v=vector: exact(connection, prefix, v))
            found = await timed(
                times["meaning"], lambda q=question: search(connection, [prefix], "", q, 10, -1)
            )
            shares.append(len(near & {one.key for one in found or []}) / len(near))
            words = texts.question(row["text"])
            await timed(
                times["recall"],
                lambda q=question, w=words: search(connection, [prefix], w, q, 10, -1),
            )
    recalled = {"recall_at_10": round(statistics.fmean(shares), 4), "worst": min(shares)}
    return {"memories": size, **recalled, **{name: spread(ms) for name, ms in times.items()}}


async def exact(
    connection: psycopg.AsyncConnection[Any], prefix: str, vector: Sequence[float]
) -> set[str]:
    """The ten nearest, every one compared."""
    cursor = await connection.execute(
        "WITH compared AS MATERIALIZED (SELECT key, embedding <=> %s AS distance "
        "FROM store_vectors WHERE prefix = %s) "
        "SELECT key FROM compared ORDER BY distance LIMIT 10",
        (vector_text(vector), prefix),
    )
    return {row["key"] for row in await cursor.fetchall()}


async def timed(into: list[float], do: Callable[[], Awaitable[Any]]) -> Any:
    """Do it, and note the milliseconds."""
    began = time.monotonic()
    done = await do()
    into.append(1000 * (time.monotonic() - began))
    return done


def spread(milliseconds: Sequence[float]) -> dict[str, float]:
    """The median and the 95th percentile."""
    ordered = sorted(milliseconds)
    return {
        "p50": round(statistics.median(ordered), 1),
        "p95": round(ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))], 1),
    }


async def at_scale(database: Database, count: int, questions: int) -> dict[str, Any]:
    """All of it at that number of memories."""
    async with open_persistence(database, Seeded) as kept:
        await kept.store.vectors.catch_up()
        async with kept.pool.connection() as connection:
            await connection.execute(f"DROP INDEX {INDEX_NAME}".encode())
        seconds = await fill(kept, owners_of(count))
        tell("building the index")
        seconds["index"] = await build_index(kept)
        measured = []
        for share in SHARES:
            size = int(count * share)
            tell(f"asking among {size:,}")
            await measure(kept, size, prefix_of(size), 10)  # what is read first is on disk
            measured.append(await measure(kept, size, prefix_of(size), questions))
        small = Owner("small 0").prefixes(["fact"])[0]
        measured.append(await measure(kept, SMALL, small, min(questions, SMALL)))
        return {
            "count": count,
            **HNSW,
            "ef_search": EF_SEARCH,
            "seconds": {name: round(value, 1) for name, value in seconds.items()},
            "bytes_a_memory": await sizes(kept, count),
            "by_owner": measured,
        }


async def with_the_model(database: Database, questions: int) -> dict[str, Any]:
    """`recall` among 10,000 memories, the embedded model's time included."""
    owner, texts = Owner("ten thousand"), Texts(seed=5)
    async with open_persistence(database, EmbeddedEmbedder) as kept:
        memories = PostgresMemories(kept.store, owner)
        await memories.catch_up()
        await fill(kept, owner.prefixes(["fact"]) * RECALLED)
        async with kept.pool.connection() as connection:
            await connection.execute("ANALYZE store, store_vectors")
        known = await memories.browse(most=questions)
        await memories.recall("loads the model")
        times: list[float] = []
        alone: list[float] = []
        for memory in known:
            question = texts.question(memory.text)
            recalled = await timed(times, lambda q=question: memories.recall(q))
            assert len(recalled.found) == 5, recalled.note
            await timed(alone, lambda q=question: memories.recall(q))
        return {"memories": RECALLED, "recall": spread(times), "question_known": spread(alone)}


@asynccontextmanager
async def own_database(database: Database, name: str) -> AsyncIterator[Database]:
    """A database for the length of a measurement."""
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
        url = database.url.replace("@/postgres", f"@/{name}")
        yield Database(url, "url", database.server_version, database.vector_version)
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


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
    async with own_database(database, "scale") as own:
        result["at_scale"] = await at_scale(own, asked.count, asked.questions)
    return result


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--questions", type=int, default=100)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="replan-bench-") as name:
        home = Path(name)
        home.chmod(0o711)  # else root keeps the database elsewhere
        os.environ["REPLAN_HOME"] = str(home)
        os.environ.pop("DATABASE_URL", None)
        print(json.dumps(asyncio.run(run(asked)), indent=1))
        from replan.storage.embedded import release_embedded

        release_embedded()


if __name__ == "__main__":
    main()
