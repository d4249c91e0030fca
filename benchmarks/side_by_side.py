"""How much sooner tasks side by side are done: `python benchmarks/side_by_side.py [--tasks 8]`.

Runs a goal of so many independent tasks, one task after the other and all side by side, and prints
one JSON object: medians of --rounds rounds, both ways in turn, after a first round that loads and
connects what stays so; what that one took is printed too. Each task makes one call that takes a
second and writes a file; the model is a scripted server, or, with --embedded, the embedded one,
which is asked for each call. With --files the workspace holds so many small files, which each
task's copy has too. With --python the second is spent by a script in the sandbox. Without
--embedded it exits with 1 when side by side takes more than a sixth of the time. Runs on a database
of its own.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT / "tests"))

from openai_server import openai_server_in_thread  # noqa: E402
from scripted_agent import Move, ScriptedAgent  # noqa: E402

KEY = "sk-scripted"
TASKS = 8
SECONDS = 1.0
LEAST_RATIO = 6.0


class Work:
    """A tool that takes its time and then writes a file."""

    name = "work"
    description = "Work on a name for a while; writes NAME.txt."
    subject = "name"
    content = None
    content_language = ""

    def __init__(self) -> None:
        name = {"type": "string", "minLength": 1, "maxLength": 20}
        self.parameters = {
            "type": "object",
            "properties": {"name": name},
            "required": ["name"],
            "additionalProperties": False,
        }

    def unavailable(self) -> str:
        """Nothing is missing."""
        return ""

    async def call(self, args: dict[str, Any], context: Any) -> Any:
        """Wait, and write."""
        from replan.state.task import Observation

        await asyncio.sleep(SECONDS)
        await context.workspace.write_text(f"{args['name']}.txt", args["name"])
        return Observation(ok=True, text=f"worked on {args['name']}")


class ToldApart(ScriptedAgent):
    """Asked by several at the same time, it tells them apart by the request alone."""

    def _text(self, body: dict[str, Any]) -> str:
        self._contents.clear()
        return super()._text(body)


def names(count: int) -> list[str]:
    """What the tasks work on."""
    return [f"part{number:02d}" for number in range(1, count + 1)]


class TasksAsTold:
    """Decomposes into the same tasks each time: what is measured is how they are worked on."""

    def __init__(self, count: int) -> None:
        self._count = count

    async def __call__(self, request: Any, use: Any) -> Any:
        """The tasks."""
        from replan.nodes.contract import DecomposeResult
        from replan.state.task import Check, Task

        tasks = [
            Task(
                id=f"t{number}",
                title=f"Work on {name}",
                writes=[f"{name}.txt"],
                checks=[Check(kind="file_exists", path=f"{name}.txt")],
            )
            for number, name in enumerate(names(self._count), start=1)
        ]
        return DecomposeResult(tasks=tasks)


class PlanAsTold:
    """None depends on another; their checks are the tasks' own."""

    async def __call__(self, request: Any, use: Any) -> Any:
        """The tasks as they are."""
        from replan.nodes.contract import PlanResult

        return PlanResult(tasks=list(request.tasks))


def move(in_sandbox: bool) -> Any:
    """The call of the task that the request is about."""

    def chosen(asked: str) -> Move:
        name = f"part{asked.rpartition('Work on part')[2][:2]}"
        if not in_sandbox:
            return Move("work", name=name)
        code = f"import time\ntime.sleep({SECONDS})\nopen('{name}.txt', 'w').write('{name}')"
        return Move("python", code)

    return chosen


@asynccontextmanager
async def model(options: argparse.Namespace) -> AsyncIterator[str]:
    """The name of the model that a run asks."""
    from replan.state.settings import settings

    if options.embedded:
        yield "embedded"
        return
    # In a process of its own, as a model server is: its time is not the agent's.
    command = [sys.executable, __file__, "--serve", *(["--python"] if options.python else [])]
    server = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert server.stdout is not None
    url = (await server.stdout.readline()).decode().strip()
    try:
        os.environ.update(OPENAI_API_KEY=KEY, OPENAI_BASE_URL=url)
        settings.cache_clear()  # They were read when the database was opened.
        yield "auto"
    finally:
        server.terminate()
        await server.wait()


def serve(in_sandbox: bool) -> None:
    """The scripted model, until it is ended; its address is printed."""
    with openai_server_in_thread(ToldApart(move(in_sandbox)), key=KEY) as server:
        print(server.url, flush=True)
        threading.Event().wait()


async def run(kept: Any, folder: Path, options: argparse.Namespace, parallel: int) -> float:
    """Seconds that the goal takes with so many tasks side by side."""
    from replan.graphs.build import build_agent
    from replan.state.agent_state import AgentInput
    from replan.state.context import Context

    await asyncio.to_thread(prepare, folder, options.files)
    async with model(options) as name:
        graph = build_agent(
            {"decompose": TasksAsTold(options.tasks), "plan": PlanAsTold()},
            tools=[] if options.python else [Work()],
            checkpointer=kept.saver,
            store=kept.store,
        )
        context = Context(
            model=name, workspace=str(folder), recall="none", remember="none",
            report="template", reflect="checks", max_parallel=parallel,
        )  # fmt: skip
        began = time.monotonic()
        ended = await graph.ainvoke(
            AgentInput(goal="Work on every part"),
            {"configurable": {"thread_id": str(uuid.uuid4())}, "recursion_limit": 1000},
            context=context,
            durability="sync",
        )
        taken = time.monotonic() - began
    made = set(await asyncio.to_thread(os.listdir, folder))
    if ended["status"] != "done" or not made >= {f"{name}.txt" for name in names(options.tasks)}:
        print(f"not done: {ended['status']} {ended['report']}", file=sys.stderr)
    return taken


def prepare(folder: Path, files: int) -> None:
    """Make the workspace, with so many small files in it."""
    folder.mkdir()
    for number in range(files):
        if number % 100 == 0:
            (folder / f"d{number // 100}").mkdir()
        (folder / f"d{number // 100}" / f"{number}.txt").write_text(f"file {number}\n" * 20)


async def measure(home: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Both ways in the same process, in turn."""
    from replan.storage.database import open_database
    from replan.storage.persistence import open_persistence

    async with open_persistence(await open_database()) as kept:
        await run(kept, home / "warm", argparse.Namespace(**{**vars(options), "tasks": 1}), 1)
        first = await run(kept, home / "first", options, options.tasks)
        ones, of_all = [], []
        for turn in range(options.rounds):
            ones.append(await run(kept, home / f"one{turn}", options, 1))
            of_all.append(await run(kept, home / f"all{turn}", options, options.tasks))
    one, all_ = statistics.median(ones), statistics.median(of_all)
    return {
        "tasks": options.tasks,
        "seconds_of_a_call": SECONDS,
        "files": options.files,
        "model": "embedded" if options.embedded else "scripted",
        "tool": "python" if options.python else "own",
        "one_after_the_other_s": round(one, 2),
        "side_by_side_s": round(all_, 2),
        "first_side_by_side_s": round(first, 2),
        "rounds": options.rounds,
        "ratio": round(one / all_, 2),
    }


def main() -> int:
    """Print the figures. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, default=TASKS)
    parser.add_argument("--files", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--python", action="store_true")
    parser.add_argument("--embedded", action="store_true")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.python)
    with tempfile.TemporaryDirectory(prefix="replan-bench-") as name:
        home = Path(name)
        home.chmod(0o711)  # else root keeps the database elsewhere
        os.environ["REPLAN_HOME"] = str(home)
        found = asyncio.run(measure(home, options))
        from replan.storage.embedded import release_embedded

        release_embedded()
    print(json.dumps(found))
    return int(not options.embedded and found["ratio"] < LEAST_RATIO)


if __name__ == "__main__":
    raise SystemExit(main())
