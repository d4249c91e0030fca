"""`replan prune`: removes what is old or not wanted any more."""

import asyncio
import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING

from replan.cli.run import check_thread_id
from replan.cli.settle import at_the_edge
from replan.state.errors import UsageError

if TYPE_CHECKING:
    from replan.storage.prune import Pruned, Wanted

_AGE = re.compile(r"(\d{1,6})\s*([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def prune_threads(
    older_than: str | None,
    threads: Sequence[str],
    keep_latest: int | None,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Prune, and print what was removed. Returns the exit code.

    Args:
        older_than: an age, such as 30d.
        threads: ids; none for all.
        keep_latest: how many checkpoints of each thread stay; None removes whole threads.
        dry_run: whether only to say what would go.
        as_json: whether to print one JSON object.
    """

    def command() -> int:
        from replan.storage.prune import Wanted

        if older_than is None and not threads and keep_latest is None:
            raise UsageError(
                "nothing says what is to be removed.",
                "Give --older-than 30d, --thread ID or --keep-latest N; --dry-run only looks.",
            )
        for thread_id in threads:
            check_thread_id(thread_id)
        age = None if older_than is None else _age(older_than)
        done = asyncio.run(_prune(Wanted(threads, age, keep_latest), dry_run))
        if as_json:
            print(json.dumps({**asdict(done), "dry_run": dry_run}, ensure_ascii=False))
        else:
            _print(done, dry_run)
        return 0

    return at_the_edge(command)


async def _prune(wanted: "Wanted", dry_run: bool) -> "Pruned":
    from replan.state.settings import settings
    from replan.storage.database import open_database
    from replan.storage.persistence import open_persistence
    from replan.storage.prune import prune

    database = await open_database()
    async with open_persistence(database) as opened:
        return await prune(database, opened, wanted, settings().workspaces, dry_run)


def _age(text: str) -> timedelta:
    found = _AGE.fullmatch(text.strip().lower())
    if found is None:
        raise UsageError(
            f"--older-than takes a number and a unit, not {text[:40]!r}.",
            "Units: m, h, d and w, as in 30d.",
        )
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _print(done: "Pruned", dry_run: bool) -> None:
    would = "would be " if dry_run else ""
    for thread_id in done.removed:
        print(f"{thread_id}: {would}removed")
    for thread_id in done.trimmed:
        print(f"{thread_id}: {would}trimmed")
    for thread_id in done.skipped:
        print(f"{thread_id}: skipped, it is running")
    for folder in done.folders:
        print(f"{folder}: {would}removed")
    print(
        f"{would}removed: {done.checkpoints} checkpoints, {done.calls} calls, "
        f"{done.revisions} revisions, {done.blobs} blobs of {done.bytes:,} bytes"
    )
    if done.held:
        print(done.held)
