"""The summary of the task suite as a plot: the share of tasks passed against their cost."""

from collections.abc import Iterable
from itertools import cycle
from pathlib import Path
from typing import Any

from matplotlib import colormaps, rc_context
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

_COLOURS = [to_hex(colormaps["tab20"](number)) for number in range(20)]
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
        figure = Figure(figsize=(9, 5), layout="constrained")
        axes = figure.add_subplot()
        if points:
            figure.legend(handles=_draw_points(axes, points), loc="outside right upper")
        axes.set_xlabel("tokens in and out a solved task")
        axes.set_ylabel("tasks passed")
        axes.set_ylim(-0.03, 1.03)
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        axes.grid(alpha=0.3)
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})


def _draw_points(axes: Axes, points: list[dict[str, Any]]) -> list[Line2D]:
    """Draw them. Returns what the legend is to say: a colour for who, a mark for the split."""
    costs = [_tokens(row) / row["passed"] for row in points if row["passed"]]
    most = max(costs, default=1)
    colours = dict(zip(sorted({_who(row) for row in points}), cycle(_COLOURS), strict=False))
    for row in points:
        share = row["passed"] / row["total"]
        axes.errorbar(
            _tokens(row) / row["passed"] if row["passed"] else most,
            share,
            yerr=[[max(share - row["lowest"], 0)], [max(row["highest"] - share, 0)]],
            fmt=_MARKS[row["split"]],
            color=colours[_who(row)],
            capsize=3,
        )
    axes.set_xlim(0, 1.1 * most)
    splits = [split for split in _MARKS if any(row["split"] == split for row in points)]
    return [
        *(Line2D([], [], color=colour, linewidth=4, label=who) for who, colour in colours.items()),
        *(Line2D([], [], color="0.3", ls="", marker=_MARKS[one], label=one) for one in splits),
    ]


def _tokens(row: dict[str, Any]) -> float:
    return float(row["input_tokens"] + row["output_tokens"])


def _who(row: dict[str, Any]) -> str:
    return " ".join((row["agent"], row["strategy"], row["model"]))
