"""Folders with all they hold, however deep: walked and removed by file descriptors.

Nothing here recurses and no path grows: code can make a folder so deep that neither Python's stack
nor a path of the system (4,096 bytes) reaches its end. No symbolic link is followed. Everything
blocks.
"""

import errno
import os
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

_TO_LIST = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_TO_PASS = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OWNER_MAY = 0o700
# Descriptors held at a time; folders further up are opened again on the way back.
_MOST_HELD = 32


class Descent:
    """A place in a tree, moved down and up. A context manager, which closes what is open."""

    def __init__(self, top: int) -> None:
        """Begins at the folder with the descriptor `top`, which stays the caller's."""
        self._top = top
        self._held: deque[int] = deque()
        self._known: list[tuple[int, int]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        while self._held:
            os.close(self._held.pop())

    @property
    def here(self) -> int:
        """The descriptor of the folder that it is in."""
        return self._held[-1] if self._held else self._top

    def enter(self, name: str) -> None:
        """Go down into a folder. Raises OSError, and stays, where it is none or is closed to us."""
        below = os.open(name, _TO_LIST, dir_fd=self.here)
        seen = os.fstat(below)
        self._held.append(below)
        self._known.append((seen.st_dev, seen.st_ino))
        if len(self._held) > _MOST_HELD:
            os.close(self._held.popleft())

    def leave(self) -> None:
        """Go up. Raises OSError when the folder was moved meanwhile: above it is another."""
        self._known.pop()
        if self._known and len(self._held) == 1:
            above = os.open("..", _TO_LIST, dir_fd=self._held[0])
            self._held.appendleft(above)
            seen = os.fstat(above)
            if (seen.st_dev, seen.st_ino) != self._known[-1]:
                raise OSError(errno.EBUSY, "the folder was moved")
        os.close(self._held.pop())


def everything(top: int) -> Iterator[tuple[str, bool]]:
    """All that a folder holds: its path from there, and whether it is a folder.

    Raises:
        OSError: a folder in it cannot be read.
    """
    with Descent(top) as place:
        waiting = [_listed(top)]
        names: list[str] = []
        while waiting:
            if not waiting[-1]:
                waiting.pop()
                if waiting:
                    place.leave()
                    names.pop()
                continue
            entry = waiting[-1].pop()
            path = "/".join((*names, entry.name))
            is_folder = entry.is_dir(follow_symlinks=False)
            yield path, is_folder
            if is_folder:
                place.enter(entry.name)
                names.append(entry.name)
                waiting.append(_listed(place.here))


def remove_tree(parent: int, name: str, *, by_force: bool = False) -> None:
    """Remove a folder with all it holds.

    Args:
        parent: descriptor of the folder that it lies in.
        name: its name there.
        by_force: give ourselves the right to list and change it first, and go on with the rest
            where something cannot be removed.

    Raises:
        OSError: not all of it could be removed.
    """
    failed: list[OSError] = []
    with Descent(parent) as place:
        waiting = [[name]]
        while waiting:
            if not waiting[-1]:
                waiting.pop()
                if waiting:
                    place.leave()
                    gone = waiting[-1].pop()
                    with _passed_over(by_force, failed):
                        os.rmdir(gone, dir_fd=place.here)
                continue
            if by_force:
                with suppress(OSError):
                    open_up(place.here, waiting[-1][-1])
            try:
                place.enter(waiting[-1][-1])
            except OSError as error:
                if not by_force:
                    raise
                failed.append(error)
                waiting[-1].pop()
            else:
                waiting.append(_empty(place.here, by_force, failed))
    if failed:
        raise failed[0]


def discard(folder: Path) -> None:
    """Remove a folder of our own, whatever code left in it; what cannot be removed stays."""
    with suppress(OSError):
        parent = os.open(folder.parent, _TO_PASS)
        try:
            remove_tree(parent, folder.name, by_force=True)
        finally:
            os.close(parent)


def open_up(parent: int, name: str) -> None:
    """Let the owner list and change a folder. Raises OSError where it is none, or not ours."""
    held = os.open(name, _TO_PASS, dir_fd=parent)
    try:
        mode = os.fstat(held).st_mode & 0o7777
        if mode & _OWNER_MAY != _OWNER_MAY:
            # A descriptor that only passes through cannot be changed but by this name.
            os.chmod(f"/proc/self/fd/{held}", mode | _OWNER_MAY)  # noqa: PTH101
    finally:
        os.close(held)


def _listed(folder: int) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return list(entries)


def _empty(folder: int, by_force: bool, failed: list[OSError]) -> list[str]:
    """Remove all but the folders in a folder; their names."""
    folders = []
    for entry in _listed(folder):
        if entry.is_dir(follow_symlinks=False):
            folders.append(entry.name)
        else:
            with _passed_over(by_force, failed):
                os.unlink(entry.name, dir_fd=folder)
    return folders


@contextmanager
def _passed_over(really: bool, failed: list[OSError]) -> Iterator[None]:
    """Keep an error for later, where it is to be passed over."""
    try:
        yield
    except OSError as error:
        if not really:
            raise
        failed.append(error)
