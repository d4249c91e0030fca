"""What a step of a long run writes, and what journal and revisions cost.

    .venv/bin/python benchmarks/long_run.py [--steps 200] [--only bytes|overhead] [--turns 7]

Three runs of many steps with a scripted model: one task that never succeeds; as many tasks as
steps; and the same with a long result of each. Printed is what step 20 and the last one wrote to
the checkpointer's tables (medians over ten steps), and their ratio, which should be at most 1.2.
Then the same short run with journal and revisions and without, by turns, and the framework's time
a step: medians of both, of the difference, which should be at most 15 ms, and of the ratio.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT / "tests"))

from openai_server import openai_server  # noqa: E402
from scripted_agent import Move, ScriptedAgent  # noqa: E402

KEY = "sk-scripted"
EARLY = 20
# Name, whether it is of many tasks, and what each of their calls prints.
RUNS = (
    ("bytes_of_one_long_task", False, ""),
    ("bytes_of_many_tasks", True, ""),
    ("bytes_of_many_tasks_that_say_much", True, "The file was made, and so on. " * 20),
)


class ManyTasks:
    """As many tasks as steps, one after the other."""

    def __init__(self, count: int) -> None:
        self.count = count

    async def __call__(self, request: Any, use: Any) -> Any:
        """The tasks."""
        from replan.nodes.contract import DecomposeResult
        from replan.state.task import Task

        return DecomposeResult(
            tasks=[Task(id=f"t{n}", title=f"Make the file {n}") for n in range(self.count)]
        )


def scripted(steps: int, judged: bool, said: str = "") -> ScriptedAgent:
    """Makes another file each time, or the run would be stopped for making no progress.

    Args:
        steps: how many.
        judged: whether the model holds a file to be enough for its task.
        said: what each prints.
    """
    told = f"\nprint({said!r})" if said else ""
    scripts = [f"open('{n}.txt', 'w').write('x'){told}" for n in range(steps)]
    return ScriptedAgent([Move("python", script) for script in scripts], judged=judged)


async def run(
    graph: Any, steps: int, folder: Path, thread: str, tasks: bool
) -> tuple[float, dict[str, Any]]:
    """Seconds of the framework itself, and the values it ended with."""
    from replan.state.agent_state import AgentInput
    from replan.state.context import Context

    own = folder / thread
    own.mkdir()
    context = Context(
        workspace=str(own),
        max_steps=steps,
        max_attempts=1 if tasks else steps + 1,
        max_seconds=7200,
        recall="none",
        remember="none",
    )
    config = {"configurable": {"thread_id": thread}, "recursion_limit": 10_000}
    began = time.monotonic()
    ended = await graph.ainvoke(
        AgentInput(goal="Make files"), config, context=context, durability="sync"
    )
    wall, usage = time.monotonic() - began, ended["usage"]
    assert usage["steps"] == steps, (usage, ended["reason"])
    return wall - usage["model_seconds"] - usage["tool_seconds"], ended


async def bytes_by_step(pool: Any, thread: str) -> list[int]:
    """What each round of select_tool, execute, reflect and review wrote, in bytes."""
    async with pool.connection() as connection:
        rows = await _all(
            connection,
            "SELECT checkpoint_id, checkpoint->'channel_versions' AS versions, "
            "octet_length(checkpoint::text) + octet_length(metadata::text) AS size, "
            "(SELECT coalesce(sum(octet_length(w.blob)), 0) FROM checkpoint_writes w "
            " WHERE w.thread_id = c.thread_id AND w.checkpoint_id = c.checkpoint_id) AS writes "
            "FROM checkpoints c WHERE thread_id = %s ORDER BY checkpoint_id",
            thread,
        )
        blobs = {
            (row["channel"], row["version"]): row["size"] or 0
            for row in await _all(
                connection,
                "SELECT channel, version, octet_length(blob) AS size FROM checkpoint_blobs "
                "WHERE thread_id = %s",
                thread,
            )
        }
    sizes, known = [], set[tuple[str, str]]()
    for row in rows:
        new = set(row["versions"].items()) - known
        known |= new
        sizes.append(int(row["size"] + row["writes"] + sum(blobs.get(one, 0) for one in new)))
    rounds = sizes[4:-2]  # without recall, decompose, plan before, and report, remember behind
    return [sum(rounds[at : at + 4]) for at in range(0, len(rounds) - 3, 4)]


async def _all(connection: Any, query: str, thread: str) -> list[Any]:
    return list(await (await connection.execute(query, (thread,))).fetchall())


async def measure_bytes(
    kept: Any, steps: int, folder: Path, tasks: bool, said: str = ""
) -> dict[str, Any]:
    """Bytes of an early step and of the last ones."""
    from replan.graphs.build import build_agent

    roles = {"decompose": ManyTasks(steps)} if tasks else None
    graph = build_agent(roles, checkpointer=kept.saver, store=kept.store)
    async with openai_server(scripted(steps, tasks, said), key=KEY) as server:
        os.environ.update(OPENAI_API_KEY=KEY, OPENAI_BASE_URL=server.url)
        _forget_settings()
        thread = str(uuid.uuid4())
        await run(graph, steps, folder, thread, tasks)
    sizes = await bytes_by_step(kept.pool, thread)
    early = statistics.median(sizes[EARLY - 5 : EARLY + 5])
    late = statistics.median(sizes[-10:])
    return {
        "tasks": steps if tasks else 1,
        f"step_{EARLY}": round(early),
        f"step_{steps}": round(late),
        "ratio": round(late / early, 3),
    }


async def measure_overhead(kept: Any, steps: int, folder: Path, turns: int) -> dict[str, float]:
    """Milliseconds a step with journal and revisions, and without; by turns in one process."""
    from langgraph.store.memory import InMemoryStore

    from replan.graphs.build import build_agent

    with_them = build_agent(checkpointer=kept.saver, store=kept.store)
    without = build_agent(checkpointer=kept.saver, store=InMemoryStore())
    spent: dict[str, list[float]] = {"with": [], "without": []}
    for turn in range(turns + 1):
        for name, graph in (("with", with_them), ("without", without)):
            async with openai_server(scripted(steps + 2, judged=False), key=KEY) as server:
                os.environ.update(OPENAI_API_KEY=KEY, OPENAI_BASE_URL=server.url)
                _forget_settings()
                own, _ = await run(graph, steps, folder, str(uuid.uuid4()), False)
            if turn:  # the first imports and builds what a process needs once
                spent[name].append(1000 * own / steps)
    found = {name: round(statistics.median(values), 1) for name, values in spent.items()}
    pairs = list(zip(spent["with"], spent["without"], strict=True))
    return {
        **found,
        "added": round(statistics.median(one - other for one, other in pairs), 1),
        "ratio": round(statistics.median(one / other for one, other in pairs), 2),
    }


def _forget_settings() -> None:
    from replan.state.settings import settings

    settings.cache_clear()


async def measure(steps: int, turns: int, only: str, home: Path) -> dict[str, Any]:
    """All of it, or one of the two parts."""
    from replan.storage.database import open_database
    from replan.storage.persistence import open_persistence

    folder = home / "workspaces of runs"
    folder.mkdir()
    found: dict[str, Any] = {}
    async with open_persistence(await open_database()) as kept:
        if only != "overhead":
            for name, tasks, said in RUNS:
                found[name] = await measure_bytes(kept, steps, folder, tasks, said)
        if only != "bytes":
            found["milliseconds_a_step"] = await measure_overhead(kept, 20, folder, turns)
    return found


def main() -> int:
    """Print the figures. Returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--only", choices=("bytes", "overhead"), default="")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="replan-bench-") as name:
        home = Path(name)
        home.chmod(0o711)
        os.environ["REPLAN_HOME"] = str(home)
        found = asyncio.run(measure(given.steps, given.turns, given.only, home))
        from replan.storage.embedded import release_embedded

        release_embedded()
    print(json.dumps(found, indent=1))
    small = all(found[name]["ratio"] <= 1.2 for name in found if name.startswith("bytes"))
    quick = found.get("milliseconds_a_step", {}).get("added", 0.0) <= 15
    return int(not small or not quick)


if __name__ == "__main__":
    raise SystemExit(main())
