"""`replan threads`: what is in the database."""

import asyncio
import json
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from replan.cli.settle import at_the_edge
from replan.storage.database import open_database
from replan.storage.persistence import ThreadRow, list_threads


def show_threads(limit: int, as_json: bool) -> int:
    """Print the newest threads. Returns the exit code."""

    def command() -> int:
        rows = asyncio.run(_rows(limit))
        if as_json:
            print(json.dumps([asdict(row) for row in rows], ensure_ascii=False, default=str))
        else:
            _print(rows)
        return 0

    return at_the_edge(command)


async def _rows(limit: int) -> list[ThreadRow]:
    return await list_threads(await open_database(), limit)


def _print(rows: list[ThreadRow]) -> None:
    table = Table("thread", "status", "step", "updated", "goal", box=None)
    for row in rows:
        goal = " ".join((row.goal or "").split())
        updated = str(row.updated or "")[:19]
        table.add_row(row.thread_id, row.status or "open", str(row.step), updated, goal[:60])
    Console().print(table if rows else "No threads yet.")
