"""How long the replay of a recorded run takes: `python benchmarks/replay.py [--steps 100]`.

Records a run of that many tool calls with a scripted model server, each call a script that
changes a file; then shuts the server down and replays the run. Prints one JSON object. Exits with 1
when the replay takes more than 5 s, is not equal, or makes a call. Runs on a database of its own.
"""

import argparse
import asyncio
import json
import os
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
STEPS = 100
MOST_SECONDS = 5.0
SCRIPT = "open('numbers.txt', 'a').write('{0}\\n')\nprint({0})"


async def record(kept: Any, thread: str, folder: Path, steps: int) -> dict[str, Any]:
    """A run of so many scripts, none of which is ever enough; what it used."""
    from replan.graphs.build import build_agent
    from replan.state.agent_state import AgentInput
    from replan.state.context import Context
    from replan.state.settings import settings

    moves = [Move("python", SCRIPT.format(number)) for number in range(steps)]
    async with openai_server(ScriptedAgent(moves, judged=False), key=KEY) as server:
        os.environ.update(OPENAI_API_KEY=KEY, OPENAI_BASE_URL=server.url)
        settings.cache_clear()  # They were read when the database was opened.
        graph = build_agent(checkpointer=kept.saver, store=kept.store)
        ended = await graph.ainvoke(
            AgentInput(goal="Write numbers"),
            {"configurable": {"thread_id": thread}, "recursion_limit": 10_000},
            context=Context(workspace=str(folder), max_steps=steps, max_attempts=steps + 1),
            durability="sync",
        )
    assert ended["usage"]["steps"] == steps, ended["usage"]
    return dict(ended["usage"])


async def measure(folder: Path, steps: int) -> dict[str, Any]:
    """Record, and replay with the tools taken away."""
    from replan.graphs.replay import replay
    from replan.storage.database import open_database
    from replan.storage.persistence import open_persistence
    from replan.tools import toolbox, watched_call

    thread, executed = str(uuid.uuid4()), []
    async with open_persistence(await open_database()) as kept:
        began = time.monotonic()
        usage = await record(kept, thread, folder, steps)
        recorded = time.monotonic() - began

        async def carried_out(*args: Any) -> None:
            executed.append(args)
            raise AssertionError("a replay executed a tool")

        for module in (toolbox, watched_call):
            vars(module)["carry_out"] = carried_out
        busy = time.process_time()
        done = (await replay(kept, thread)).as_json()
        busy = time.process_time() - busy
    return {
        "steps_of_the_run": usage["steps"],
        "super_steps": done["steps"],
        "recorded_in_s": round(recorded, 2),
        "replayed_in_s": round(done["seconds"], 2),
        "own_cpu_time_s": round(busy, 2),
        "model_calls": 0,  # The server is gone: one would have failed.
        "model_calls_replayed": done["model_calls_replayed"],
        "tool_executions": len(executed),
        "tool_calls_replayed": done["tool_calls_replayed"],
        "equal": done["equal"],
    }


def main() -> int:
    """Print the figures. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=STEPS)
    steps = parser.parse_args().steps
    with tempfile.TemporaryDirectory(prefix="replan-bench-") as name:
        home = Path(name)
        home.chmod(0o711)  # else root keeps the database elsewhere
        os.environ["REPLAN_HOME"] = str(home)
        workspace = home / "workspace"
        workspace.mkdir()
        found = asyncio.run(measure(workspace, steps))
        from replan.storage.embedded import release_embedded

        release_embedded()
    print(json.dumps(found))
    right = found["equal"] and not found["tool_executions"]
    return int(not right or found["replayed_in_s"] > MOST_SECONDS)


if __name__ == "__main__":
    raise SystemExit(main())
