"""Many threads at once on one Postgres: our saver against LangGraph's, whose lock holds all.

    .venv/bin/python benchmarks/threads_at_once.py [--threads 100] [--steps 10] [--pool 8 32 64]

The same small graph for all, by turns in one process: LangGraph's saver over one connection, as its
`from_conn_string` opens it; LangGraph's over the pool; ours over the same pool; and one that keeps
the checkpoints in memory, which tells what LangGraph itself takes. Printed are steps a second of
each, the 95th percentile of a thread's seconds, milliseconds of this process's processor a step,
and the ratios of ours to LangGraph's, which should be 8. A thread that fails ends the measurement.
"""

import argparse
import asyncio
import json
import os
import statistics
import tempfile
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typing_extensions import TypedDict

WANTED = 8.0
ONE_CONNECTION, ONE_LOCK, OURS = "one_connection", "one_lock", "ours"


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


@dataclass(frozen=True)
class Measured:
    """Steps a second, the 95th percentile of a thread's seconds, and the milliseconds that the
    processor worked in this process for a step.
    """

    rate: float
    p95: float
    cpu: float


async def measured(saver: Any, threads: int, steps: int) -> Measured:
    """So many threads at once, each of so many steps."""
    graph = graph_of(saver, steps)

    async def run() -> float:
        began = time.monotonic()
        config = {"configurable": {"thread_id": str(uuid.uuid4())}}
        ended = await graph.ainvoke({"count": 0, "said": []}, config, durability="sync")
        assert ended["count"] == steps
        return time.monotonic() - began

    await run()  # what a connection prepares once
    worked, began = time.process_time(), time.monotonic()
    each = await asyncio.gather(*(run() for _ in range(threads)))
    wall, cpu = time.monotonic() - began, time.process_time() - worked
    p95 = statistics.quantiles(each, n=20)[-1] if threads > 1 else each[0]
    return Measured(threads * steps / wall, p95, 1000 * cpu / (threads * steps))


async def compare(threads: int, steps: int, size: int, turns: int) -> dict[str, Any]:
    """The savers over a pool of that size, by turns; medians."""
    from langgraph.checkpoint.memory import InMemorySaver
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
    found: dict[str, list[Measured]] = {}
    async with (
        AsyncPostgresSaver.from_conn_string(database.url) as alone,
        AsyncConnectionPool[AsyncConnection[DictRow]](
            database.url, min_size=size, max_size=size, kwargs=CONNECTION, timeout=120, open=False
        ) as pool,
    ):
        await pool.wait(60)
        savers = {
            ONE_CONNECTION: alone,
            ONE_LOCK: AsyncPostgresSaver(pool),
            OURS: Saver(pool),
            "in_memory": InMemorySaver(),
        }
        for _ in range(turns):
            for name, saver in savers.items():
                found.setdefault(name, []).append(await measured(saver, threads, steps))
    return {"pool": size, **{name: _told(values) for name, values in found.items()}} | {
        f"ratio_to_{name}": _ratio(found[name], found[OURS]) for name in (ONE_CONNECTION, ONE_LOCK)
    }


def _told(values: list[Measured]) -> dict[str, float]:
    return {
        "steps_a_second": round(statistics.median(one.rate for one in values), 1),
        "p95_seconds": round(statistics.median(one.p95 for one in values), 2),
        "processor_ms_a_step": round(statistics.median(one.cpu for one in values), 2),
    }


def _ratio(theirs: list[Measured], ours: list[Measured]) -> float:
    """The median of the turns' ratios."""
    pairs = zip(theirs, ours, strict=True)
    return round(statistics.median(our.rate / their.rate for their, our in pairs), 2)


async def measure(asked: argparse.Namespace) -> list[dict[str, Any]]:
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
    return int(max(one[f"ratio_to_{ONE_LOCK}"] for one in found) < WANTED)


if __name__ == "__main__":
    raise SystemExit(main())
