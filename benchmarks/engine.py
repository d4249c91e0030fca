"""The engine's figures in one run, as JSON and in results/engine.json.

    .venv/bin/python benchmarks/engine.py [--only framework bytes threads memory start] [--quick]

- `framework`: the agent against LangGraph alone. The agent runs with a scripted model server and
  short scripts as its tool; counted is what it takes without the seconds of the model and the
  tools: its nodes, journal, revisions and checkpoints. Then LangGraph alone plays the writes of
  that very run, see `bare_graph`: the same nodes, edges, channels, values and super-steps, through
  the same saver with the same durability; counted is all of it. By turns, in pairs; medians.
  `ratio` should be at most 1.15. `processor` is the same for the seconds that the processor worked
  in this process, which a busy machine changes less; those of the model are not counted.
- `bytes`: what a step of a long run writes, see `long_run`.
- `threads`: many threads at once, see `threads_at_once`.
- `memory`: recall as the memories grow, see `memory_scale`, without the embedded model.
- `start`: seconds to start, see `start_and_step`.

The result says on what machine and with which versions. Exits with 1 where a line is not reached.
"""

import argparse
import asyncio
import json
import os
import platform
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any
from unittest.mock import patch

import bare_graph
import long_run
import start_and_step
import threads_at_once

RESULTS = Path(__file__).parent / "results" / "engine.json"
PACKAGES = ("langgraph", "langgraph-checkpoint-postgres", "psycopg", "pydantic", "langchain-openai")
MOST_RATIO = 1.15
MOST_GROWTH = 1.2


@dataclass(frozen=True)
class Sizes:
    """How much of everything."""

    steps: int = 20
    turns: int = 7
    long_steps: int = 200
    threads: int = 100
    thread_steps: int = 10
    thread_turns: int = 3
    pools: tuple[int, ...] = (8, 32)
    memories: tuple[int, ...] = (1_000, 10_000, 50_000)
    questions: int = 50
    starts: int = 5


QUICK = Sizes(
    steps=3, turns=1, long_steps=30, threads=4, thread_steps=2, thread_turns=1, pools=(2,),
    memories=(1_000,), questions=3, starts=1,
)  # fmt: skip


@dataclass(frozen=True)
class Pair:
    """A run of the agent and the same of LangGraph alone: milliseconds a step of each, and those
    that the processor worked.
    """

    agent: float
    bare: float
    agent_processor: float
    bare_processor: float


async def framework(home: Path, sizes: Sizes) -> dict[str, Any]:
    """The agent's own time against LangGraph's."""
    from replan.graphs.build import build_agent
    from replan.storage.database import open_database
    from replan.storage.persistence import open_persistence

    folder = home / "framework"
    folder.mkdir()
    async with open_persistence(await open_database()) as kept:
        agent = build_agent(checkpointer=kept.saver, store=kept.store)
        await _pair(agent, sizes.steps, folder)  # imports and builds what a process needs once
        pairs = [await _pair(agent, sizes.steps, folder) for _ in range(sizes.turns)]
    return {
        "steps": sizes.steps,
        **_told([(one.agent, one.bare) for one in pairs]),
        "processor": _told([(one.agent_processor, one.bare_processor) for one in pairs]),
        "turns": [[round(one.agent, 1), round(one.bare, 1)] for one in pairs],
    }


def _told(pairs: list[tuple[float, float]]) -> dict[str, float]:
    return {
        "agent_ms_a_step": round(statistics.median(one for one, _ in pairs), 1),
        "langgraph_ms_a_step": round(statistics.median(other for _, other in pairs), 1),
        "ratio": round(statistics.median(one / other for one, other in pairs), 2),
    }


async def _pair(agent: Any, steps: int, folder: Path) -> Pair:
    with processor_of_model() as spent:
        own, ended, processor = await _agent_run(agent, steps, folder, thread := str(uuid.uuid4()))
    found = await bare_graph.recorded(agent, thread)
    bare = bare_graph.bare_graph(found, agent.checkpointer)
    config = {"configurable": {"thread_id": str(uuid.uuid4())}, "recursion_limit": 10_000}
    worked, began = time.process_time(), time.monotonic()
    played = await bare.ainvoke({"goal": "Make files"}, config, durability="sync")
    wall, bare_processor = time.monotonic() - began, time.process_time() - worked
    assert played == ended, "LangGraph alone did not do the same"
    each = (own, wall, processor - sum(spent), bare_processor)
    return Pair(*(1000 * seconds / steps for seconds in each))


async def _agent_run(
    agent: Any, steps: int, folder: Path, thread: str
) -> tuple[float, dict[str, Any], float]:
    """Seconds of a run without its model and tools, what it ended with, processor seconds."""
    from openai_server import openai_server

    from replan.state.settings import settings

    async with openai_server(
        long_run.scripted(steps + 2, judged=False), key=long_run.KEY
    ) as server:
        os.environ.update(OPENAI_API_KEY=long_run.KEY, OPENAI_BASE_URL=server.url)
        settings.cache_clear()
        worked = time.process_time()
        own, ended = await long_run.run(agent, steps, folder, thread, False)
        return own, ended, time.process_time() - worked


@contextmanager
def processor_of_model() -> Iterator[list[float]]:
    """The seconds that the processor works while an answer of the model is waited for."""
    from replan.models.asking import Asker

    answer: Any = Asker._answer
    spent: list[float] = []

    async def watched(self: Asker, params: dict[str, Any]) -> Any:
        began = time.process_time()
        try:
            return await answer(self, params)
        finally:
            spent.append(time.process_time() - began)

    with patch.object(Asker, "_answer", watched):
        yield spent


async def bytes_a_step(home: Path, sizes: Sizes) -> dict[str, Any]:
    """What a step writes early and late in a long run."""
    return await long_run.measure(sizes.long_steps, 0, "bytes", home)


async def threads(home: Path, sizes: Sizes) -> dict[str, Any]:
    """Steps a second of many threads at once, by the size of the pool."""
    compared = [
        await threads_at_once.compare(sizes.threads, sizes.thread_steps, pool, sizes.thread_turns)
        for pool in sizes.pools
    ]
    return {"threads": sizes.threads, "by_pool": compared}


async def memory(home: Path, sizes: Sizes) -> dict[str, Any]:
    """Milliseconds of a recall by how many memories there are: of the owner of half of them."""
    import memory_scale

    from replan.storage.database import open_database

    database, found = await open_database(), []
    for count in sizes.memories:
        async with memory_scale.own_database(database, f"memories_{count}") as own:
            scaled = await memory_scale.at_scale(own, count, sizes.questions)
        largest = scaled["by_owner"][0]
        named = {"memories": count, "of_the_owner": largest["memories"]}
        found.append({**named, **{name: largest[name] for name in ("recall_at_10", "recall")}})
    return {"by_count": found}


async def start(home: Path, sizes: Sizes) -> dict[str, Any]:
    """Seconds of `replan --help`, and up to the first question to the model."""

    def measured() -> dict[str, list[float]]:
        start_and_step.seconds_to_first_question(home)  # initialises what a home needs once
        return {
            "help_seconds": [start_and_step.seconds_of_help() for _ in range(sizes.starts)],
            "first_question_seconds": [
                start_and_step.seconds_to_first_question(home) for _ in range(sizes.starts)
            ],
        }

    found = await asyncio.to_thread(measured)
    return {name: round(statistics.median(values), 2) for name, values in found.items()}


Part = Callable[[Path, Sizes], Awaitable[dict[str, Any]]]
PARTS: dict[str, Part] = {
    "framework": framework,
    "bytes": bytes_a_step,
    "threads": threads,
    "memory": memory,
    "start": start,
}


def missed(found: dict[str, Any]) -> list[str]:
    """The lines that are not reached by what was measured."""
    told = []
    if (ratio := found.get("framework", {}).get("ratio", 0.0)) > MOST_RATIO:
        told.append(f"framework time is {ratio} times LangGraph's, more than {MOST_RATIO}")
    for name, run in found.get("bytes", {}).items():
        if run["ratio"] > MOST_GROWTH:
            told.append(f"{name} grow by {run['ratio']}, more than {MOST_GROWTH}")
    if pools := found.get("threads", {}).get("by_pool"):
        best = max(pool["ratio_to_one_lock"] for pool in pools)
        if best < threads_at_once.WANTED:
            told.append(f"threads at once: {best} times one lock's, not {threads_at_once.WANTED}")
    return told


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors",
        "load_before": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
    }


async def measure(home: Path, parts: list[str], sizes: Sizes) -> dict[str, Any]:
    """Those parts, one after the other."""
    found = {}
    for name in parts:
        print(f"{name} ...", file=sys.stderr, flush=True)
        found[name] = await PARTS[name](home, sizes)
    return found


def keep(found: dict[str, Any], results: Path) -> None:
    """Write what was found; parts that were not measured this time stay as they are."""
    known = json.loads(results.read_text()) if results.exists() else {}
    results.parent.mkdir(exist_ok=True)
    results.write_text(json.dumps({**known, **found}, indent=1) + "\n")


def main() -> int:
    """Measure, print and keep. Returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--quick", action="store_true", help="small sizes; nothing is kept")
    parser.add_argument("--results", type=Path, default=RESULTS)
    asked = parser.parse_args()
    on = machine()
    os.environ.pop("DATABASE_URL", None)
    with tempfile.TemporaryDirectory(prefix="replan-bench-") as name:
        home = Path(name)
        home.chmod(0o711)  # else root keeps the database elsewhere
        os.environ["REPLAN_HOME"] = str(home)
        try:
            found = asyncio.run(measure(home, asked.only, QUICK if asked.quick else Sizes()))
        finally:
            from replan.storage.embedded import release_embedded

            release_embedded()
    told = {part: {**values, "on": on} for part, values in found.items()}
    print(json.dumps(told, indent=1))
    if not asked.quick:
        keep(told, asked.results)
    lines = missed(found)
    print("\n".join(lines), file=sys.stderr)
    return int(bool(lines))


if __name__ == "__main__":
    raise SystemExit(main())
