"""The summary of the task suite as a plot: the share of tasks passed against their cost."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

_MARKS = {"dev": "o", "holdout": "s"}


def draw(rows: Iterable[dict[str, Any]], path: Path) -> None:
    """Write an SVG of all agents: up is more solved, left is fewer tokens a solved task.

    Args:
        rows: of the summary; those of single categories are left out, and agents that solved none
            stand at the right, on the ground.
        path: of the file.
    """
    points = [row for row in rows if row["category"] == "all"]
    # The same rows give the same file: text stays text, ids hang on what they name, no date.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "summary"}):
        figure = Figure(figsize=(8, 5), layout="constrained")
        axes = figure.add_subplot()
        if points:
            _draw_points(axes, points)
        axes.set_xlabel("tokens in and out a solved task")
        axes.set_ylabel("tasks passed")
        axes.set_ylim(-0.03, 1.03)
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        axes.grid(alpha=0.3)
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})


def _draw_points(axes: Axes, points: list[dict[str, Any]]) -> None:
    spent = [row["input_tokens"] + row["output_tokens"] for row in points]
    costs = [all_ / row["passed"] for all_, row in zip(spent, points, strict=True) if row["passed"]]
    most = max(costs, default=1)
    agents = sorted({row["agent"] for row in points})
    drawn = set()
    for tokens, row in zip(spent, points, strict=True):
        split, share = row["split"], row["passed"] / row["total"]
        across = tokens / row["passed"] if row["passed"] else most
        axes.errorbar(
            across,
            share,
            yerr=[[max(share - row["lowest"], 0)], [max(row["highest"] - share, 0)]],
            fmt=_MARKS[split],
            color=f"C{agents.index(row['agent'])}",
            capsize=3,
            label=split if split not in drawn else None,
        )
        name = " ".join(dict.fromkeys((row["agent"], row["strategy"], row["model"])))
        axes.annotate(name, (across, share), xytext=(6, 6), textcoords="offset points")
        drawn.add(split)
    axes.set_xlim(0, 1.25 * most)
    axes.legend(loc="lower right")
