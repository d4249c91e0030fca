"""Locks between processes that the kernel frees however a process ends."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class FileLock:
    """An advisory lock on a file, held by this open file, not by a thread or a recorded pid."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def share(self, seconds: float) -> None:
        """Hold it together with others that share it.

        Raises:
            TimeoutError: someone holds it alone for longer than `seconds`.
        """
        self._wait(fcntl.LOCK_SH, seconds)

    def take(self, seconds: float) -> None:
        """Hold it alone; a shared hold becomes this one.

        Raises:
            TimeoutError: someone else holds it for longer than `seconds`.
        """
        self._wait(fcntl.LOCK_EX, seconds)

    def close(self) -> None:
        """Let go of it."""
        os.close(self._file)

    def _wait(self, kind: int, seconds: float) -> None:
        end = time.monotonic() + seconds
        while True:
            try:
                return fcntl.flock(self._file, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= end:
                    raise TimeoutError from None
            time.sleep(0.02)


@contextmanager
def held_alone(path: Path, seconds: float) -> Iterator[None]:
    """Hold the lock of a file alone for the length of a `with` block.

    Raises:
        TimeoutError: someone else holds it for longer than `seconds`.
    """
    lock = FileLock(path)
    try:
        lock.take(seconds)
        yield
    finally:
        lock.close()
