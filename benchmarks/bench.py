"""Runs the task suite with strategies and peers on one warm model server: `make bench`.

Every run is appended to results/runs.jsonl at once; what is there for the same agent, strategy,
model, task, repeat and revision is not run again. What sums it up is made from that file.
"""

import argparse
import asyncio
import fnmatch
import os
import platform
import sys
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from agents import Agent, peer_agents, peers_python, replan_agent
from bench_runs import RunsFile, key_of, run_task
from bench_table import table, write_results
from counting_proxy import CountingProxy
from task_files import TASKS, Task, load_tasks

RESULTS = Path(__file__).parent / "results"
FIRST_RUNS = 3
INTERRUPTED = 130
EXAMPLES = """examples:
  bench.py                                     the default strategy on the dev tasks, once
  bench.py --peers --times 3                   the peers as well, in turn on the same tasks
  bench.py --strategies default,react,best_of  strategies against each other
  bench.py --tasks 'data/*' --option=--set --option=max_replans=0
  bench.py --split holdout --peers             the tasks that are set aside
  bench.py --model NAME                        a model of OPENAI_BASE_URL
  bench.py --table                             sum up what there is, run nothing

What was interrupted goes on where it was: give the same command again."""
PACKAGES = ("langgraph", "langgraph-checkpoint-postgres", "langchain-openai", "xllamacpp")


def conditions(model: str, agents: list[Agent]) -> dict[str, Any]:
    """Machine, versions and agents of a session."""
    installed = {}
    for name in PACKAGES:
        try:
            installed[name] = version(name)
        except ModuleNotFoundError:
            continue
    return {
        "conditions": {
            "machine": platform.machine(),
            "system": platform.platform(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "model": model,
            "weights": weights(model),
            "versions": installed,
            "agents": {f"{one.name} {one.strategy}": one.revision for one in agents},
        }
    }


def weights(model: str) -> dict[str, str] | None:
    """File and hash of the embedded model's weights; None for another model."""
    if model != "embedded":
        return None
    from replan.models.weights import FILE
    from replan.state.settings import settings

    given = settings().replan_model_path
    name = Path(given).name if given else FILE
    return {"file": name, "sha256": settings().replan_model_sha256.lower()}


class SetUpFault(RuntimeError):
    """The runs of an agent measure nothing."""


class FirstRuns:
    """Holds back an agent's first runs until one of them has asked the model.

    Runs that never reached it say nothing of the agent. Once written they would not be made again.
    """

    def __init__(self, runs: RunsFile) -> None:
        self._runs = runs
        self._held: dict[str, list[dict[str, Any]]] = {}
        self._reached: set[str] = set()

    def append(self, row: dict[str, Any]) -> None:
        """Take a run.

        Raises:
            SetUpFault: it is the third of its agent, and none has made a model call.
        """
        who = f"{row['agent']} {row['strategy']}"
        held = self._held.setdefault(who, [])
        held.append(row)
        if row["model_calls"]:
            self._reached.add(who)
        if who in self._reached:
            self.flush(who)
        elif len(held) == FIRST_RUNS:
            said = " ".join((row["said"] or row["fault"]).split())
            raise SetUpFault(
                f"set-up fault: {who} made no model call in its first {FIRST_RUNS} runs, the model "
                f"server was never reached; none of them is kept. The last one said: {said}"
            )

    def flush(self, who: str) -> None:
        """Write what is held of an agent."""
        for row in self._held.pop(who, []):
            self._runs.append(row)

    def close(self) -> None:
        """Write what is held of all, at the regular end of a session."""
        for who in list(self._held):
            self.flush(who)


async def run_all(
    agents: list[Agent],
    tasks: list[Task],
    times: int,
    proxy: CountingProxy,
    runs: RunsFile,
    keep: Path | None = None,
) -> None:
    """Each task by every agent in turn, so that a cut-off session compares the same tasks.

    Raises:
        SetUpFault: an agent does not reach the model server.
    """
    made = runs.made()
    planned = [
        (agent, task, repeat)
        for repeat in range(1, times + 1)
        for task in tasks
        for agent in agents
        if tuple(key_of(agent, task, proxy.model, repeat).values()) not in made
    ]
    if planned:
        runs.append(conditions(proxy.model, agents))
    first = FirstRuns(runs)
    for agent, task, repeat in planned:
        row = await run_task(agent, task, proxy, repeat, keep)
        _tell(row)
        first.append(row)
    first.close()


def _tell(row: dict[str, Any]) -> None:
    print(
        f"{row['agent']:10} {row['strategy']:10} {row['task']:32} "
        f"{'pass' if row['passed'] else 'FAIL'} {row['model_calls']:3} calls "
        f"{row['input_tokens']:6} in {row['output_tokens']:5} out "
        f"{row['seconds']:6.1f} s {row['fault']}",
        flush=True,
    )


def upstream(model: str) -> tuple[str, str]:
    """Address and key of the model server; the embedded model is loaded here."""
    if model != "embedded":
        return os.environ["OPENAI_BASE_URL"], os.environ.get("OPENAI_API_KEY", "not-needed")
    from replan.models.local_server import start_local_server

    server = start_local_server()
    return server.url, server.key


async def bench(asked: argparse.Namespace) -> None:
    """The whole session."""
    from replan.state.settings import settings

    tasks = [
        task
        for task in load_tasks(asked.suite)
        if asked.split in ("all", task.split)
        and any(fnmatch.fnmatch(task.id, glob) for glob in asked.tasks.split(","))
    ]
    tasks = in_turn(tasks)
    agents = [replan_agent(name, asked.option) for name in asked.strategies.split(",") if name]
    if asked.peers:
        agents += peer_agents(peers_python(settings().replan_cache))
    url, key = await asyncio.to_thread(upstream, asked.model)
    async with CountingProxy(url, key, asked.model).serving() as proxy:
        await run_all(
            agents, tasks, asked.times, proxy, RunsFile(asked.results / "runs.jsonl"), asked.keep
        )


def in_turn(tasks: list[Task]) -> list[Task]:
    """The first of each category, then the second of each: a cut-off session has seen all kinds."""
    seen: Counter[str] = Counter()
    places = []
    for task in tasks:
        places.append((seen[task.category], task.category, task))
        seen[task.category] += 1
    return [task for _, _, task in sorted(places, key=lambda place: place[:2])]


def arguments() -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").splitlines()[0],
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--strategies", default="default", help="of replan, with commas")
    parser.add_argument("--option", action="append", default=[], help="handed on to replan run")
    parser.add_argument("--peers", action="store_true", help="the peers as well")
    parser.add_argument("--tasks", default="*", metavar="GLOB", help="category/name, with commas")
    parser.add_argument(
        "--split",
        default="dev",
        choices=("dev", "holdout", "all"),
        help="which tasks; dev if not given",
    )
    parser.add_argument("--times", type=int, default=1, help="runs of each task")
    parser.add_argument("--model", default="embedded", help="or a model of OPENAI_BASE_URL")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder")
    parser.add_argument("--keep", type=Path, help="keep the folders of runs that fail here")
    parser.add_argument("--suite", type=Path, default=TASKS, help="folder of tasks")
    parser.add_argument("--table", action="store_true", help="sum up what there is, run nothing")
    return parser.parse_args()


def main() -> int:
    """Run what is missing, then sum up. 1 where the set-up is at fault, 130 where interrupted."""
    asked = arguments()
    try:
        if not asked.table:
            asyncio.run(bench(asked))
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from here", file=sys.stderr)
        return INTERRUPTED
    except SetUpFault as fault:
        print(fault, file=sys.stderr)
        return 1
    print("\n".join(table(write_results(RunsFile(asked.results / "runs.jsonl")))))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
