"""Runs the ten goals with the embedded model and prints a table: `make e2e`.

Each goal gets an empty folder with its files, a fresh REPLAN_HOME, 12 steps and 240 seconds, and
runs as a user would run it: the `replan` command in a process of its own.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from goals import GOALS, Goal  # noqa: E402

STEPS, SECONDS = 12, 240


def run_goal(goal: Goal, home: Path, keep: Path | None, options: list[str]) -> dict[str, object]:
    """One goal: what the judge says, and what it cost."""
    folder = Path(tempfile.mkdtemp(prefix=f"{goal.name}-", dir=keep))
    goal.make(folder)
    command = [
        *(sys.executable, "-m", "replan.cli.main", "run", goal.text, "--json"),
        *("--workspace", str(folder), "--max-steps", str(STEPS), "--max-seconds", str(SECONDS)),
        *options,
    ]
    started = time.monotonic()
    log = folder.parent / f"{folder.name}.log"
    with log.open("w") as errors:
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            timeout=SECONDS + 120,
            check=False,
            env={**os.environ, "REPLAN_HOME": str(home)},
        )
    seconds = time.monotonic() - started
    try:
        result = json.loads(done.stdout)
    except ValueError:
        result = {"status": f"exit {done.returncode}", "usage": {}}
    usage = result["usage"]
    fault = goal.judge(folder)
    over = usage.get("seconds", 0) > SECONDS or usage.get("steps", 0) > STEPS
    return {
        "goal": goal.name,
        "passed": not fault and not over,
        "fault": fault or ("over the limit" if over else ""),
        "status": result["status"],
        "steps": usage.get("steps", 0),
        "calls": usage.get("model_calls", 0),
        "tokens_in": usage.get("input_tokens", 0),
        "tokens_out": usage.get("output_tokens", 0),
        "seconds": round(seconds, 1),
        "run_seconds": usage.get("seconds", 0),
        "log": str(log),
    }


def main() -> int:
    """Run the goals asked for, as often as asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="goals to run; default: all")
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="keep the folders and logs here")
    parser.add_argument("--least", type=int, default=8, help="passes a round needs for exit code 0")
    parser.add_argument("--json", type=Path, help="append each result to this file")
    parser.add_argument("--option", action="append", default=[], help="handed on to replan run")
    asked = parser.parse_args()
    goals = [goal for goal in GOALS if not asked.names or goal.name in asked.names]
    good = True
    for number in range(1, asked.times + 1):
        passed = 0
        print(f"round {number}\n{'goal':10} {'judge':6} {'status':8} steps calls   in  out seconds")
        with tempfile.TemporaryDirectory(prefix="replan-e2e-") as home:
            Path(home).chmod(0o711)  # else root keeps the database elsewhere
            for goal in goals:
                row = run_goal(goal, Path(home), asked.keep, asked.option)
                passed += bool(row["passed"])
                print(
                    f"{row['goal']:10} {'pass' if row['passed'] else 'FAIL':6} {row['status']:8} "
                    f"{row['steps']:5} {row['calls']:5} {row['tokens_in']:5} {row['tokens_out']:4} "
                    f"{row['seconds']:7} {row['fault']}",
                    flush=True,
                )
                if asked.json:
                    with asked.json.open("a") as file:
                        file.write(json.dumps({"round": number, **row}) + "\n")
        print(f"round {number}: {passed} of {len(goals)}", flush=True)
        good = good and passed >= min(asked.least, len(goals))
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
