"""`replan threads`: what is in the database."""

import asyncio
from dataclasses import asdict

from rich.console import Console
from rich.table import Table
from rich.text import Text

from replan.cli.printable import json_line, visible
from replan.cli.settle import at_the_edge
from replan.storage.database import open_database
from replan.storage.persistence import ThreadRow, list_threads

_PIPED_WIDTH = 200
_GOAL_CHARS = 120


def show_threads(limit: int, as_json: bool) -> int:
    """Print the newest threads. Returns the exit code."""

    def command() -> int:
        rows = asyncio.run(_rows(limit))
        if as_json:
            print(json_line([asdict(row) for row in rows]))
        else:
            _print(rows)
        return 0

    return at_the_edge(command)


async def _rows(limit: int) -> list[ThreadRow]:
    return await list_threads(await open_database(), limit)


def _print(rows: list[ThreadRow]) -> None:
    console = Console()
    if not console.is_terminal:
        console.width = _PIPED_WIDTH  # Whoever reads a pipe wants the whole line.
    table = Table(box=None, pad_edge=False)
    for name in ("thread", "status", "updated"):
        table.add_column(name, no_wrap=True, min_width=36 if name == "thread" else None)
    table.add_column("goal", no_wrap=True, overflow="ellipsis")
    for row in rows:
        goal = Text(visible(" ".join((row.goal or "").split())[:_GOAL_CHARS]))
        table.add_row(row.thread_id, row.status or "open", str(row.updated or "")[:16], goal)
    console.print(table if rows else "No threads yet.")
