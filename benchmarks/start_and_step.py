"""How long `replan` takes to start, and what the framework itself takes for a step.

    .venv/bin/python benchmarks/start_and_step.py [--runs 5] [--steps 20]

Measured with a scripted model server on loopback and a database that is initialised: seconds of
`replan --help`; seconds from the start of `replan run` to the arrival of its first question to the
model; and milliseconds a step (select_tool, execute, reflect, review with their checkpoints) of all
but the model and the tools.
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT / "tests"))

from openai_server import openai_server, openai_server_in_thread  # noqa: E402
from scripted_agent import Move, ScriptedAgent  # noqa: E402

KEY = "sk-scripted"
REPLAN = [sys.executable, "-m", "replan.cli.main"]


class Watched:
    """A scripted model that notes when it was asked first."""

    def __init__(self) -> None:
        self.first = 0.0
        self.agent = ScriptedAgent([Move("write_file", "hello", path="hello.txt")])

    def __call__(self, body: dict[str, Any]) -> Any:
        """The agent's next answer."""
        self.first = self.first or time.monotonic()
        return self.agent(body)


def seconds_of_help() -> float:
    """Of one `replan --help`."""
    began = time.monotonic()
    subprocess.run([*REPLAN, "--help"], check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


def seconds_to_first_question(folder: Path) -> float:
    """From the start of the process to the first request of an answer."""
    model = Watched()
    with openai_server_in_thread(model, key=KEY) as server:
        began = time.monotonic()
        subprocess.run(
            [*REPLAN, "run", "Write a greeting to hello.txt", "--json"],
            cwd=folder,
            env={**os.environ, "OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": server.url},
            check=True,
            capture_output=True,
        )
    return model.first - began


async def milliseconds_a_step(steps: int, folder: Path) -> float:
    """A run of that many one-line scripts, none of which is ever enough; each makes a file, or the
    run would be stopped for making no progress.

    A short run goes before it, which imports and builds what a process needs once.
    """
    from replan.graphs.build import build_agent
    from replan.storage.database import open_database
    from replan.storage.persistence import open_persistence

    scripts = [
        Move("python", f"open('{number}.txt', 'w').write('x')") for number in range(2 + steps)
    ]
    agent = ScriptedAgent(scripts, judged=False)
    async with openai_server(agent, key=KEY) as server:
        os.environ.update(OPENAI_API_KEY=KEY, OPENAI_BASE_URL=server.url)
        async with open_persistence(await open_database()) as kept:
            graph = build_agent(checkpointer=kept.saver, store=kept.store)
            await _own_seconds(graph, 2, folder)
            return 1000 * await _own_seconds(graph, steps, folder) / steps


async def _own_seconds(graph: Any, steps: int, folder: Path) -> float:
    """Of a run: all but the model and the tools."""
    from replan.state.agent_state import AgentInput
    from replan.state.context import Context

    began = time.monotonic()
    ended = await graph.ainvoke(
        AgentInput(goal="Make files"),
        {"configurable": {"thread_id": str(uuid.uuid4())}, "recursion_limit": 10_000},
        context=Context(workspace=str(folder), max_steps=steps, max_attempts=steps + 1),
        durability="sync",
    )
    wall, usage = time.monotonic() - began, ended["usage"]
    assert usage["steps"] == steps, usage
    return float(wall - usage["model_seconds"] - usage["tool_seconds"])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--steps", type=int, default=20)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="replan-bench-") as name:
        home = Path(name)
        home.chmod(0o711)  # else root keeps the database elsewhere
        os.environ["REPLAN_HOME"] = str(home)
        helps = [seconds_of_help() for _ in range(asked.runs)]
        seconds_to_first_question(home)  # initialises the database
        firsts = [seconds_to_first_question(home) for _ in range(asked.runs)]
        workspace = home / "workspace"
        workspace.mkdir()
        step = asyncio.run(milliseconds_a_step(asked.steps, workspace))
        from replan.storage.embedded import release_embedded

        release_embedded()
    print(f"replan --help            {_told(helps)} s (at most 0.5)")
    print(f"to the first model call  {_told(firsts)} s (at most 3)")
    print(f"framework a step         {step:.1f} ms (at most 50)")


def _told(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


if __name__ == "__main__":
    main()
