"""How much disk a process tree has taken, looked at often without walking its folders often."""

import contextlib
import errno
import os
import stat
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

from replan.tools.trees import Descent

_ENTRY_BYTES = 4096
# A walk may take this share of the time.
_SHARE = 10
# How much may be put down to other programs that write there: times the limit, or bytes.
_OTHERS, _OTHERS_BYTES = 4, 4 * 1024**3
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# It was removed, or is something else by now.
_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
# Deleted files of these are memory, which is limited elsewhere.
_OF_MEMORY = ("/dev/zero", "/dev/shm/", "/memfd:", "/SYSV")


@dataclass
class _Walk:
    """Bytes that folders hold, and how much in them could not be looked at."""

    held: int = 0
    closed: int = 0

    def folder(self, name: Path) -> None:
        """Add a folder. By descriptors: no path is too long, none leads elsewhere meanwhile."""
        try:
            top = os.open(name, _FOLDER)
        except OSError as error:
            self.closed += error.errno not in _GONE
            return
        try:
            with Descent(top) as place:
                self._below(place)
        except OSError:
            return  # Moved meanwhile: the next walk will tell.
        finally:
            os.close(top)

    def _below(self, place: Descent) -> None:
        waiting = [self._entries(place.here)]
        while waiting:
            if not waiting[-1]:
                waiting.pop()
                if waiting:
                    place.leave()
                continue
            try:
                place.enter(waiting[-1].pop())
            except OSError as error:
                self.closed += error.errno not in _GONE
                continue
            waiting.append(self._entries(place.here))

    def _entries(self, handle: int) -> list[str]:
        """Add what lies in the folder; the names of the folders in it."""
        folders = []
        try:
            with os.scandir(handle) as entries:
                for entry in entries:
                    held = entry.stat(follow_symlinks=False).st_blocks * 512
                    self.held += max(held, _ENTRY_BYTES)
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.name)
        except OSError as error:
            self.closed += error.errno not in _GONE
        return folders


class DiskUse:
    """Growth of folders since it was made, in bytes.

    Free space of the file system is cheap to read, so it says when to walk. Others write there
    too, hence the walk; and they remove files, hence one now and then without any sign. What the
    code has hidden from the walk counts as too much, and what others may have taken is bounded.
    """

    def __init__(self, folders: Iterable[Path], limit: int) -> None:
        self._folders = list(folders)
        self._limit = limit
        began = time.monotonic()
        self._before = self._walk()
        self._next = time.monotonic() + _SHARE * (time.monotonic() - began)
        self._free = self._free_bytes()
        self._others = 0

    def resume(self) -> None:
        """What was taken while the tree stood still was taken by others."""
        self._free = self._free_bytes()

    def exceeded(self, members: Iterable[psutil.Process]) -> bool:
        """Whether the folders have grown by more than the limit."""
        began = time.monotonic()
        fallen = self._free - self._free_bytes()
        taken = fallen > self._limit
        if began < self._next and not taken:
            return False
        now = self._walk()
        if now.closed > self._before.closed:
            return True
        grown = now.held - self._before.held
        if grown <= self._limit:
            # Free space alone does not tell of these: it lags behind, and others free some.
            members = list(members)
            grown += sum(_deleted_but_open(process) for process in members)
            if taken and any(_maps_deleted(process) for process in members):
                return True
        spent = time.monotonic() - began
        self._next = began + max(0.5, _SHARE * spent)
        if taken and grown <= self._limit:
            # Somebody else took the space: measure from here.
            self._others += fallen
            self._free = self._free_bytes()
        most = max(_OTHERS * self._limit, _OTHERS_BYTES)
        return grown > self._limit or self._others > most

    def _free_bytes(self) -> int:
        free = 0
        for folder in self._folders:
            with contextlib.suppress(OSError):
                room = os.statvfs(folder)
                free += room.f_bavail * room.f_frsize
        return free

    def _walk(self) -> _Walk:
        walked = _Walk()
        for folder in self._folders:
            walked.folder(folder)
        return walked


def _maps_deleted(process: psutil.Process) -> bool:
    """Whether it maps a deleted file, which then takes disk though nobody has it open."""
    maps_of = Path(f"/proc/{process.pid}/maps")
    with contextlib.suppress(OSError), maps_of.open(errors="replace") as maps:
        for line in maps:
            path = line[line.find("/") :].rstrip()
            if path.endswith(" (deleted)") and not path.startswith(_OF_MEMORY):
                return True
    return False


def _deleted_but_open(process: psutil.Process) -> int:
    total = 0
    with contextlib.suppress(OSError):
        for handle in Path(f"/proc/{process.pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                held = handle.stat()
                if stat.S_ISREG(held.st_mode) and held.st_nlink == 0:
                    total += held.st_blocks * 512
    return total
