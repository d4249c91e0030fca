"""Ends a run when the bench is gone, however it went: nobody else could after `kill -9`.

    bench_guard.py FOLDER   reads the run's process group, then "done"

The bench holds the other end of standard input. If that closes before "done", the guard ends the
run's processes and its database, and removes the run's folder.
"""

import os
import shutil
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil

_TRIES, _PAUSE = 100, 0.1


def signal_group(group: int, number: signal.Signals) -> None:
    """Signal a process group, if there still is one."""
    with suppress(ProcessLookupError):
        os.killpg(group, number)


def stop_database(home: Path) -> None:
    """End the embedded Postgres of a home, and what is just making or starting it. Blocks.

    It runs in a session of its own, so that it outlives the process group of a run.
    """
    for _ in range(_TRIES):
        found = _naming(home)
        for process in found:
            with suppress(psutil.Error):
                process.send_signal(signal.SIGQUIT)  # to Postgres: at once
        if not found:
            return
        time.sleep(_PAUSE)
    for process in _naming(home):
        with suppress(psutil.Error):
            process.kill()


def _naming(home: Path) -> list[psutil.Process]:
    """The processes with a path of the home's database in their command line."""
    postgres = home / "postgres"
    names = {str(postgres), str(postgres.resolve())}
    return [
        process
        for process in psutil.process_iter(["cmdline", "status"])
        if process.info["status"] != psutil.STATUS_ZOMBIE
        and any(name in one for one in process.info["cmdline"] or () for name in names)
    ]


def main() -> None:
    """Wait for the bench, and tidy up in its place."""
    folder = Path(sys.argv[1])
    group = sys.stdin.readline().strip()
    if group == "done" or sys.stdin.readline().strip() == "done":
        return
    if group:
        signal_group(int(group), signal.SIGKILL)
    stop_database(folder / "home")
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
