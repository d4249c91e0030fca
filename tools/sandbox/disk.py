"""How much disk a process tree has taken, looked at often without walking its folders often."""

import contextlib
import os
import stat
import time
from collections.abc import Iterable
from pathlib import Path

import psutil

_ENTRY_BYTES = 4096
# A walk may take this share of the time.
_SHARE = 10


class DiskUse:
    """Growth of folders since it was made, in bytes.

    Free space of the file system is cheap to read, so it says when to walk. Others write there
    too, hence the walk; and they remove files, hence one now and then without any sign.
    """

    def __init__(self, folders: Iterable[Path], limit: int) -> None:
        self._folders = list(folders)
        self._limit = limit
        began = time.monotonic()
        self._before = self._walk()
        self._next = time.monotonic() + _SHARE * (time.monotonic() - began)
        self._free = self._free_bytes()

    def exceeded(self, members: Iterable[psutil.Process]) -> bool:
        """Whether the folders have grown by more than the limit."""
        began = time.monotonic()
        taken = self._free - self._free_bytes() > self._limit
        if began < self._next and not taken:
            return False
        grown = self._walk() - self._before
        if grown <= self._limit:
            # Free space alone does not tell of these: it lags behind, and others free some.
            grown += sum(_deleted_but_open(process) for process in members)
        spent = time.monotonic() - began
        self._next = began + max(0.5, _SHARE * spent)
        if taken and grown <= self._limit:
            # Somebody else took the space: measure from here.
            self._free = self._free_bytes()
        return grown > self._limit

    def _free_bytes(self) -> int:
        free = 0
        for folder in self._folders:
            with contextlib.suppress(OSError):
                room = os.statvfs(folder)
                free += room.f_bavail * room.f_frsize
        return free

    def _walk(self) -> int:
        total = 0
        waiting: list[str] = [str(folder) for folder in self._folders]
        while waiting:
            try:
                with os.scandir(waiting.pop()) as entries:
                    for entry in entries:
                        with contextlib.suppress(OSError):
                            held = entry.stat(follow_symlinks=False).st_blocks * 512
                            total += max(held, _ENTRY_BYTES)
                            if entry.is_dir(follow_symlinks=False):
                                waiting.append(entry.path)
            except OSError:
                continue
        return total


def _deleted_but_open(process: psutil.Process) -> int:
    total = 0
    with contextlib.suppress(OSError):
        for handle in Path(f"/proc/{process.pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                held = handle.stat()
                if stat.S_ISREG(held.st_mode) and held.st_nlink == 0:
                    total += held.st_blocks * 512
    return total
