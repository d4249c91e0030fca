"""Many threads at once on one Postgres: our saver against LangGraph's, whose lock holds all.

    .venv/bin/python benchmarks/threads_at_once.py [--threads 100] [--steps 10] [--pool 8 32 64]

The same small graph and the same pool for both, one after the other, in turns. Printed are steps a
second of each, the 95th percentile of a thread's seconds, and the ratio, which should be 8.
"""

import argparse
import asyncio
import json
import os
import statistics
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

from typing_extensions import TypedDict

WANTED = 8.0


class Counted(TypedDict):
    """How many steps, and something that needs a blob."""

    count: int
    said: list[str]


async def step(state: Counted) -> dict[str, Any]:
    """One more."""
    return {"count": state["count"] + 1, "said": [*state["said"], "x" * 200][-5:]}


def graph_of(saver: Any, steps: int) -> Any:
    """A node that follows itself so many times."""
    from langgraph.graph import END, START, StateGraph

    graph = StateGraph(Counted)
    graph.add_node("step", step)
    graph.add_edge(START, "step")
    graph.add_conditional_edges(
        "step", lambda state: "step" if state["count"] < steps else END, ["step", END]
    )
    return graph.compile(checkpointer=saver)


async def measured(saver: Any, threads: int, steps: int) -> tuple[float, float]:
    """Steps a second, and the 95th percentile of a thread's seconds."""
    graph = graph_of(saver, steps)

    async def run() -> float:
        began = time.monotonic()
        config = {"configurable": {"thread_id": str(uuid.uuid4())}}
        ended = await graph.ainvoke({"count": 0, "said": []}, config, durability="sync")
        assert ended["count"] == steps
        return time.monotonic() - began

    await run()  # what a connection prepares once
    began = time.monotonic()
    each = await asyncio.gather(*(run() for _ in range(threads)))
    wall = time.monotonic() - began
    return threads * steps / wall, statistics.quantiles(each, n=20)[-1]


async def compare(threads: int, steps: int, size: int, turns: int) -> dict[str, float]:
    """Both savers over one pool of that size, by turns; medians."""
    from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
    from psycopg import AsyncConnection
    from psycopg.rows import DictRow
    from psycopg_pool import AsyncConnectionPool

    from replan.storage.database import open_database
    from replan.storage.persistence import CONNECTION, open_persistence
    from replan.storage.saver import Saver

    database = await open_database()
    async with open_persistence(database):
        pass  # makes the tables
    found: dict[str, list[tuple[float, float]]] = {"one lock": [], "ours": []}
    async with AsyncConnectionPool[AsyncConnection[DictRow]](
        database.url, min_size=size, max_size=size, kwargs=CONNECTION, timeout=120, open=False
    ) as pool:
        await pool.wait(60)
        for _ in range(turns):
            for name, kind in (("one lock", AsyncPostgresSaver), ("ours", Saver)):
                found[name].append(await measured(kind(pool), threads, steps))
    told = {"pool": float(size)}
    for name, values in found.items():
        told[f"{name}: steps a second"] = round(statistics.median(v[0] for v in values), 1)
        told[f"{name}: p95 seconds"] = round(statistics.median(v[1] for v in values), 2)
    ratios = [ours[0] / one[0] for one, ours in zip(found["one lock"], found["ours"], strict=True)]
    return {**told, "ratio": round(statistics.median(ratios), 2)}


async def measure(asked: argparse.Namespace) -> list[dict[str, float]]:
    """For each size of the pool."""
    return [await compare(asked.threads, asked.steps, size, asked.turns) for size in asked.pool]


def main() -> int:
    """Print the figures. Returns the exit code: 0 where one pool reaches the ratio."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--threads", type=int, default=100)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--pool", type=int, nargs="*", default=[8, 32, 64])
    parser.add_argument("--turns", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="replan-bench-") as name:
        Path(name).chmod(0o711)
        os.environ["REPLAN_HOME"] = name
        found = asyncio.run(measure(asked))
        from replan.storage.embedded import release_embedded

        release_embedded()
    print(json.dumps(found, indent=1))
    return int(max(one["ratio"] for one in found) < WANTED)


if __name__ == "__main__":
    raise SystemExit(main())
