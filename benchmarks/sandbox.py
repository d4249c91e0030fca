"""`python benchmarks/sandbox.py`: what the sandbox costs, all in one run.

Prints, for each back end that holds here: a call through an open session and the start of one in
milliseconds (medians), and pandas' import in a session against the same interpreter outside, as a
ratio of the fastest of alternating rounds. Exit code 1 when a bound is missed.
"""

import asyncio
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from replan.tools.sandbox.choose import BACK_ENDS, verdict
from replan.tools.sandbox.environment import python_environment
from replan.tools.sandbox.local import LocalSandbox
from replan.tools.sandbox.protocol import Limits

_CALL_MS, _START_MS, _RATIO = 5.0, 150.0, 1.3
_ROUNDS = 9
_IMPORT = (
    "import time\nbegan = time.perf_counter()\nimport pandas\nprint(time.perf_counter() - began)"
)


async def _starts(sandbox: LocalSandbox, workspace: Path) -> float:
    taken = []
    for _ in range(_ROUNDS):
        session = sandbox.open(workspace, Limits())
        began = time.perf_counter()
        await session.execute("print(1)", 30)
        taken.append(time.perf_counter() - began)
        await session.close()
    return 1000 * statistics.median(taken)


async def _calls(sandbox: LocalSandbox, workspace: Path) -> float:
    session = sandbox.open(workspace, Limits())
    await session.execute("print(1)", 30)
    taken = []
    for _ in range(100):
        began = time.perf_counter()
        await session.execute("print(1)", 30)
        taken.append(time.perf_counter() - began)
    await session.close()
    return 1000 * statistics.median(taken)


async def _import_ratio(sandbox: LocalSandbox, workspace: Path) -> float:
    inside, outside = [], []
    python = str(python_environment().python)
    for _ in range(_ROUNDS):
        session = sandbox.open(workspace, Limits())
        inside.append(float((await session.execute(_IMPORT, 60)).stdout))
        await session.close()
        done = await asyncio.to_thread(
            subprocess.run, [python, "-c", _IMPORT], capture_output=True, text=True, cwd=workspace
        )
        outside.append(float(done.stdout))
    return min(inside) / min(outside)


async def main() -> int:
    """Measure and print; the exit code."""
    missed = 0
    print(f"{'sandbox':12} {'call ms':>8} {'start ms':>9} {'pandas import':>14}")
    for name, sandbox in BACK_ENDS.items():
        if why := verdict(name):
            print(f"{name:12} not here: {why}")
            continue
        with tempfile.TemporaryDirectory() as made:
            workspace = Path(made)
            call = await _calls(sandbox, workspace)
            start = await _starts(sandbox, workspace)
            ratio = await _import_ratio(sandbox, workspace)
        print(f"{name:12} {call:8.1f} {start:9.0f} {ratio:13.2f}x")
        missed += call > _CALL_MS or start > _START_MS or ratio > _RATIO
    print(f"{'bounds':12} {_CALL_MS:8.1f} {_START_MS:9.0f} {_RATIO:13.2f}x")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main()))
