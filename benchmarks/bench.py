"""Runs the task suite with strategies and peers on one warm model server: `make bench`.

    .venv/bin/python benchmarks/bench.py --strategies default --split dev --times 1 [--peers]

Every run is appended to results/runs.jsonl at once; what is there for the same agent, strategy,
model, task, repeat and revision is not run again. The summary is made from the file.
"""

import argparse
import asyncio
import fnmatch
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from agents import Agent, peer_agents, peers_python, replan_agent
from bench_runs import RunsFile, key_of, run_task
from bench_table import table, write_summary
from counting_proxy import CountingProxy
from task_files import TASKS, Task, load_tasks

RESULTS = Path(__file__).parent / "results"
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
            "versions": installed,
            "agents": {f"{one.name} {one.strategy}": one.revision for one in agents},
        }
    }


async def run_all(
    agents: list[Agent], tasks: list[Task], times: int, proxy: CountingProxy, runs: RunsFile
) -> None:
    """Each task by every agent in turn, so that a cut-off session compares the same tasks."""
    begun = False
    for repeat in range(1, times + 1):
        for task in tasks:
            for agent in agents:
                if runs.has(key_of(agent, task, proxy.model, repeat)):
                    continue
                if not begun:
                    runs.append(conditions(proxy.model, agents))
                    begun = True
                row = await run_task(agent, task, proxy, repeat)
                runs.append(row)
                print(
                    f"{agent.name:10} {agent.strategy:10} {task.id:32} "
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
        if asked.split in ("all", task.split) and fnmatch.fnmatch(task.id, asked.tasks)
    ]
    agents = [replan_agent(name, asked.option) for name in asked.strategies.split(",") if name]
    if asked.peers:
        agents += peer_agents(peers_python(settings().replan_cache))
    url, key = await asyncio.to_thread(upstream, asked.model)
    async with CountingProxy(url, key, asked.model).serving() as proxy:
        await run_all(agents, tasks, asked.times, proxy, RunsFile(asked.results / "runs.jsonl"))


def main() -> int:
    """Run what is missing, then sum up."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--strategies", default="default", help="of replan, with commas")
    parser.add_argument("--option", action="append", default=[], help="handed on to replan run")
    parser.add_argument("--peers", action="store_true", help="the peers as well")
    parser.add_argument("--tasks", default="*", metavar="GLOB", help="category/name")
    parser.add_argument("--split", default="dev", choices=("dev", "holdout", "all"))
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--model", default="embedded", help="or a model of OPENAI_BASE_URL")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--suite", type=Path, default=TASKS)
    parser.add_argument("--table", action="store_true", help="sum up what there is, run nothing")
    asked = parser.parse_args()
    if not asked.table:
        asyncio.run(bench(asked))
    rows = RunsFile(asked.results / "runs.jsonl").rows()
    print("\n".join(table(write_summary(rows, asked.results / "summary.json"))))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
