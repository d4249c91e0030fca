"""`replan history`: the checkpoints of a thread and their branches."""

import asyncio
import json
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from replan.cli.printable import visible
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
            print(json.dumps(_as_json(history), ensure_ascii=False, default=str))
        else:
            _print(history)
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


def _print(history: "History") -> None:
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _PIPED_WIDTH  # Whoever reads a pipe wants the whole line.
    for branch in history.branches:
        console.print(Text(_title(history, branch)))
        table = Table(box=None, pad_edge=False)
        for name in _COLUMNS:
            long = name == "action"
            table.add_column(
                name,
                no_wrap=True,
                overflow="ellipsis",
                justify="right" if name in _RIGHT else "left",
                ratio=1 if long else None,
            )
        for checkpoint in branch.checkpoints:
            table.add_row(*map(Text, _cells(history, checkpoint)))
        console.print(table)


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
    return [visible(cell) for cell in cells]
