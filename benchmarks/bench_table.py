"""The runs of the task suite summed up: summary.json, summary.md, summary.svg, conditions.json."""

import json
import statistics
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bench_plot import draw
from bench_runs import RunsFile

Row = dict[str, Any]
SUMS = ("model_calls", "input_tokens", "output_tokens", "seconds", "replans")


def newest(rows: Iterable[Row]) -> list[Row]:
    """Of each agent, strategy and model the runs of its newest revision in that split, by the
    file's order: a few dev tasks run later are no reason to leave the holdout out.
    """
    kept = list(rows)
    last = {(_who(row), row["split"]): row["revision"] for row in kept}
    tasks = {(_who(row), row["task"]): row["task_revision"] for row in kept}
    return [
        row
        for row in kept
        if row["revision"] == last[_who(row), row["split"]]
        and row["task_revision"] == tasks[_who(row), row["task"]]
    ]


def summary(rows: Iterable[Row]) -> list[Row]:
    """A row for each agent, strategy, model, split and category, and `all` of them.

    `passed` of `total` counts every repeat; `lowest` and `highest` are the shares passed of the
    repeats, each by itself.
    """
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in newest(rows):
        for category in (row["category"], "all"):
            groups.setdefault((*_who(row), row["split"], category), []).append(row)
    names = ("agent", "strategy", "model", "split", "category")
    return [
        {**dict(zip(names, key, strict=True)), **_sums(of)} for key, of in sorted(groups.items())
    ]


def _sums(rows: list[Row]) -> Row:
    repeats: dict[int, list[bool]] = {}
    for row in rows:
        repeats.setdefault(row["repeat"], []).append(bool(row["passed"]))
    shares = [statistics.mean(one) for one in repeats.values()]
    return {
        "passed": sum(bool(row["passed"]) for row in rows),
        "total": len(rows),
        **{name: round(sum(row[name] for row in rows), 1) for name in SUMS},
        "repeats": len(repeats),
        "lowest": round(min(shares), 3),
        "highest": round(max(shares), 3),
    }


def table(rows: Iterable[Row]) -> list[str]:
    """The summary as a table in markdown."""
    heads = ("agent", "strategy", "split", "category", "passed", "spread", "calls", "tokens in",
             "tokens out", "seconds", "replans")  # fmt: skip
    lines = [f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}"]
    for row in rows:
        spread = f"{row['lowest']:.0%} to {row['highest']:.0%}" if row["repeats"] > 1 else ""
        cells = [row["agent"], row["strategy"], row["split"], row["category"],
                 f"{row['passed']} of {row['total']}", spread,
                 *(f"{row[name]:.0f}" for name in SUMS)]  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def conditions_of(rows: Iterable[Row], sessions: Iterable[Row]) -> list[Row]:
    """For each agent of the summary the conditions of the newest session that ran it as it is."""
    kept = list(sessions)
    found = []
    for who, revision in sorted({(_who(row), row["revision"]) for row in newest(rows)}):
        agent, strategy, model = who
        newest_first = (
            one
            for one in reversed(kept)
            if one["model"] == model and one["agents"].get(f"{agent} {strategy}") == revision
        )
        session = next(newest_first, {})
        told = {key: value for key, value in session.items() if key not in ("agents", "model")}
        found.append(
            {"agent": agent, "strategy": strategy, "model": model, "revision": revision, **told}
        )
    return found


def write_results(runs: RunsFile) -> list[Row]:
    """Write what sums the runs up beside them. Returns the rows of the summary."""
    rows, folder = runs.rows(), runs.path.parent
    folder.mkdir(parents=True, exist_ok=True)
    found = summary(rows)
    _write_json(folder / "summary.json", found)
    _write_json(folder / "conditions.json", conditions_of(rows, runs.sessions()))
    (folder / "summary.md").write_text("\n".join(table(found)) + "\n", encoding="utf-8")
    draw(found, folder / "summary.svg")
    return found


def _write_json(path: Path, value: list[Row]) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _who(row: Row) -> tuple[str, str, str]:
    return row["agent"], row["strategy"], row["model"]
