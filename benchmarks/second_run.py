"""Does a run go better for what an earlier one learned? With the embedded model.

    .venv/bin/python benchmarks/second_run.py [--pairs totals join] [--json FILE]

Each goal is run with an empty memory, then all of them again with what was learned, then their
sisters (other files, other names) with it; and the sisters without any memory. All share one
memory. Printed are, for each run, whether the judge passed it, its steps, model calls, tokens and
seconds, and at the end the medians of what the second run, and the sister's, saved.
"""

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT / "tests" / "e2e"))
sys.path.insert(0, str(Path(__file__).parent))

from goals import Goal  # noqa: E402
from run_goals import run_goal  # noqa: E402
from second_run_goals import PAIRS, Pair  # noqa: E402

WITHOUT = ["--set", "recall=none", "--set", "remember=none"]
RUNS = ("first", "second", "sister", "sister without")


def measured(goal: Goal, home: Path, options: list[str], keep: Path | None) -> dict[str, Any]:
    """One run, and what it cost."""
    row = run_goal(goal, home, keep, options)
    tokens = int(str(row["tokens_in"])) + int(str(row["tokens_out"]))
    return {**row, "tokens": tokens}


def table(rows: dict[str, dict[str, dict[str, Any]]]) -> list[str]:
    """A line a goal: of each run whether it passed, steps, model calls, tokens and seconds."""
    lines = [
        "| goal | " + " | ".join(RUNS) + " |",
        "| --- |" + " --- |" * len(RUNS),
    ]
    for name, of in rows.items():
        cells = [
            f"{'pass' if one['passed'] else 'FAIL'} {one['steps']} st, {one['calls']} calls, "
            f"{one['tokens']} tok, {one['run_seconds']:.0f} s"
            for one in (of[run] for run in RUNS)
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def saved(rows: dict[str, dict[str, dict[str, Any]]], run: str, against: str) -> dict[str, Any]:
    """Passes of both, and the median share of steps, model calls, tokens and seconds saved."""
    both = [(of[run], of[against]) for of in rows.values()]
    shares = {
        what: round(
            statistics.median(1 - one[what] / other[what] for one, other in both if other[what]), 3
        )
        for what in ("steps", "calls", "tokens", "run_seconds")
    }
    return {
        "passed": sum(bool(one["passed"]) for one, _ in both),
        "passed_against": sum(bool(other["passed"]) for _, other in both),
        "of": len(both),
        "saved_at_the_median": shares,
    }


def run_all(pairs: list[Pair], home: Path, keep: Path | None) -> dict[str, Any]:
    """All runs, round by round."""
    rows: dict[str, dict[str, dict[str, Any]]] = {pair.name: {} for pair in pairs}
    for run in RUNS:
        for pair in pairs:
            goal = pair.goal if run in ("first", "second") else pair.sister
            options = WITHOUT if run == "sister without" else []
            row = rows[pair.name][run] = measured(goal, home, options, keep)
            print(
                f"{run:14} {pair.name:10} {'pass' if row['passed'] else 'FAIL'} {row['status']:8} "
                f"{row['steps']:3} steps {row['calls']:3} calls {row['tokens']:6} tokens "
                f"{row['run_seconds']:6.1f} s {row['fault']}",
                flush=True,
            )
    return {
        "rows": rows,
        "second against first": saved(rows, "second", "first"),
        "sister with memory against without": saved(rows, "sister", "sister without"),
    }


def main() -> int:
    """Print the table. Returns the exit code: 0 when success is not lower and a fifth is saved."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pairs", nargs="*", help="which; default: all")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    parser.add_argument("--keep", type=Path, help="keep the folders and logs here")
    asked = parser.parse_args()
    pairs = [pair for pair in PAIRS if not asked.pairs or pair.name in asked.pairs]
    with tempfile.TemporaryDirectory(prefix="replan-bench-") as home:
        Path(home).chmod(0o711)
        found = run_all(pairs, Path(home), asked.keep)
    print("\n".join(table(found["rows"])))
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1))
    sums = [one for name, one in found.items() if name != "rows"]
    print(json.dumps({name: one for name, one in found.items() if name != "rows"}, indent=1))
    good = all(
        one["passed"] >= one["passed_against"]
        and max(one["saved_at_the_median"]["steps"], one["saved_at_the_median"]["tokens"]) >= 0.2
        for one in sums
    )
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
