"""`replan history`: the checkpoints of a thread and their branches."""

import asyncio
import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len, set_cell_size
from rich.console import Console

from replan.cli.printable import put, visible
from replan.cli.run import check_thread_id
from replan.cli.settle import at_the_edge
from replan.cli.view import short_arguments
from replan.graphs.steps import Call, step_before

if TYPE_CHECKING:
    from replan.storage.checkpoints import Branch, Checkpoint, History

_PIPED_WIDTH = 200
_ACTION_CHARS = 200
_COLUMNS = ("checkpoint", "step", "source", "node", "task", "action", "verdict",
            "tokens", "seconds", "revision")  # fmt: skip
_RIGHT = ("step", "tokens", "seconds", "revision")


def show_history(thread_id: str, as_json: bool) -> int:
    """Print the checkpoints of a thread. Returns the exit code."""

    def command() -> int:
        check_thread_id(thread_id)
        history = asyncio.run(_history(thread_id))
        if as_json:
            put(json.dumps(_as_json(history), ensure_ascii=False, default=str))
        else:
            put("\n".join(_table(history)))
        return 0

    return at_the_edge(command)


def row(history: "History", checkpoint: "Checkpoint") -> dict[str, Any]:
    """A checkpoint and the step that made it, for JSON."""
    done = step_before(history, checkpoint)
    return {
        "checkpoint_id": checkpoint.checkpoint_id,
        "parent_id": checkpoint.parent_id,
        "namespace": checkpoint.namespace,
        "branch": history.branch(checkpoint),
        "head": checkpoint is history.head,
        "created": checkpoint.created,
        "step": checkpoint.step,
        "source": checkpoint.source,
        "nodes": done.nodes,
        "tasks": done.tasks,
        "actions": [
            {"task": call.task, "tool": call.tool, "args": call.args} for call in done.calls
        ],
        "verdicts": done.verdicts,
        "decision": done.decision,
        "usage": done.usage,
        "revision": done.revision,
        "next": [due.node for due in checkpoint.due],
        "waits": bool(checkpoint.interrupts),
    }


def short_call(call: Call) -> str:
    """A tool call in one short line, fit for a terminal."""
    return visible(f"{call.tool} {short_arguments(call.args)}".strip())[:_ACTION_CHARS]


async def _history(thread_id: str) -> "History":
    from replan.storage.checkpoints import read_history
    from replan.storage.database import open_database
    from replan.storage.persistence import open_persistence

    async with open_persistence(await open_database()) as opened:
        return await read_history(opened, thread_id)


def _as_json(history: "History") -> dict[str, Any]:
    return {
        "thread_id": history.thread_id,
        "head": history.head.checkpoint_id,
        "branches": [
            {
                "number": branch.number,
                "namespace": branch.namespace,
                "from": branch.start_id,
                "checkpoints": len(branch.checkpoints),
            }
            for branch in history.branches
        ],
        "checkpoints": [row(history, one) for one in history.checkpoints],
    }


def _table(history: "History") -> Iterator[str]:
    """By hand: rich's tables take some ten milliseconds a row."""
    terminal = Console().width if sys.stdout.isatty() else _PIPED_WIDTH
    for branch in history.branches:
        yield _title(history, branch)
        rows = [list(_COLUMNS), *(_cells(history, one) for one in branch.checkpoints)]
        widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
        action = _COLUMNS.index("action")
        room = terminal - sum(widths) + widths[action] - 2 * len(widths)
        widths[action] = min(widths[action], max(room, len("action")))
        for cells in rows:
            yield "  ".join(map(_fit, cells, widths, _COLUMNS)).rstrip()


def _fit(text: str, width: int, column: str) -> str:
    """The text in its column; Chinese characters take two cells."""
    if cell_len(text) > width:
        return f"{set_cell_size(text, width - 1)}…"
    space = " " * (width - cell_len(text))
    return space + text if column in _RIGHT else text + space


def _title(history: "History", branch: "Branch") -> str:
    where = f" of {visible(branch.namespace)}" if branch.namespace else ""
    start = f", from {history.short(branch.start_id)}" if branch.start_id else ""
    return f"branch {branch.number}{where}{start}"


def _cells(history: "History", checkpoint: "Checkpoint") -> list[str]:
    done = step_before(history, checkpoint)
    usage = done.usage
    tokens = usage.get("input_tokens", 0) + usage.get("output_tokens", 0)
    head = " head" if checkpoint is history.head else ""
    verdict = ", ".join(done.verdicts.values()) or done.decision
    cells = [
        history.short(checkpoint.checkpoint_id) + head,
        str(checkpoint.step),
        checkpoint.source,
        ", ".join(dict.fromkeys(done.nodes)),
        ", ".join(done.tasks),
        "; ".join(map(short_call, done.calls)),
        f"{verdict} (waits)".lstrip() if checkpoint.interrupts else verdict,
        f"{tokens:,}" if tokens else "",
        f"{usage['seconds']:.1f}" if "seconds" in usage else "",
        done.revision,
    ]
    return [" ".join(visible(cell).split()) for cell in cells]
