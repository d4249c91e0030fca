"""How long a revision and a restore of 10,000 files take: `python benchmarks/revisions.py`.

Prints one JSON object. Exits with 1 when the median revision after one change takes more than
60 ms, or the slowest restore more than 3 s. Runs on the database that replan uses.

Beside the restores it writes the same files plainly: some file systems (ext4 seen) take from 0.1
to 0.5 ms to make a file, whoever makes it. TMPDIR names another disk for the files.
"""

import argparse
import asyncio
import json
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

from replan.storage.database import open_database
from replan.storage.persistence import open_persistence
from replan.storage.restore import restore
from replan.storage.revisions import Revisions

FILES = 10_000
FOLDERS = 100
CHANGES = 20
RESTORES = 3
MOST_REVISION_MS = 60.0
MOST_RESTORE_SECONDS = 3.0


def fill(folder: Path, files: int) -> None:
    """Write so many files of about 600 bytes, side by side in folders."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(files):
        file = folder / f"folder-{number % FOLDERS}" / f"file-{number}.txt"
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"line of file {number}\n" * 30)


def spread(seconds: list[float]) -> dict[str, float]:
    """The least and the most, to the millisecond."""
    return {"min": round(min(seconds), 3), "max": round(max(seconds), 3)}


async def measure(
    revisions: Revisions,
    folder: Path,
    files: int = FILES,
    changes: int = CHANGES,
    restores: int = RESTORES,
) -> dict[str, Any]:
    """First revision, revisions after a change of one file, restores of all files."""
    thread = str(uuid4())
    await asyncio.to_thread(fill, folder, files)
    await asyncio.sleep(0.3)  # Past the grain of time stamps, as after any step of a model.
    began = time.perf_counter()
    first = (await revisions.take(folder, thread)).revision
    first_seconds = time.perf_counter() - began
    await asyncio.sleep(0.3)
    after_change, busy = [], []
    for number in range(changes):
        (folder / "folder-7" / "file-7.txt").write_text(f"changed {number}\n")
        began, busy_before = time.perf_counter(), time.process_time()
        taken = await revisions.take(folder, thread)
        after_change.append((time.perf_counter() - began) * 1000)
        busy.append((time.process_time() - busy_before) * 1000)
        assert taken.changed == 1
    restored_in, plainly = [], []
    for _ in range(restores):
        await asyncio.to_thread(shutil.rmtree, folder)
        began = time.perf_counter()
        await asyncio.to_thread(fill, folder, files)
        plainly.append(time.perf_counter() - began)
        await asyncio.to_thread(shutil.rmtree, folder)
        began = time.perf_counter()
        restored = await restore(revisions, first, folder)
        restored_in.append(time.perf_counter() - began)
        assert len(restored.written) == files + FOLDERS
    return {
        "files": files,
        "first_revision_s": round(first_seconds, 3),
        "revision_after_one_change_ms": {
            "median": round(statistics.median(after_change), 1),
            "min": round(min(after_change), 1),
            "max": round(max(after_change), 1),
            "median_of_own_cpu_time": round(statistics.median(busy), 1),
        },
        "restore_s": spread(restored_in),
        "same_files_written_plainly_s": spread(plainly),
    }


async def run(files: int) -> dict[str, Any]:
    """Measure in a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="replan-benchmark-") as made:
        async with open_persistence(await open_database()) as kept:
            return await measure(Revisions(kept.pool), Path(made) / "workspace", files)


def main() -> int:
    """Print the figures. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=FILES)
    found = asyncio.run(run(parser.parse_args().files))
    print(json.dumps(found))
    slow = found["revision_after_one_change_ms"]["median"] > MOST_REVISION_MS
    return int(slow or found["restore_s"]["max"] > MOST_RESTORE_SECONDS)


if __name__ == "__main__":
    raise SystemExit(main())
