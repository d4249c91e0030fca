"""A child process and everything that descends from it: how much it uses, and how it ends."""

import contextlib
import os
import signal

import psutil

_ROUNDS = 20


class ProcessTree:
    """Finds the descendants of a process by three signs, so that none outlives the call.

    They are its children, the members of its process group, and any process that carries
    `mark` in its environment (a daemon that left both its parent and its group).
    """

    def __init__(self, pid: int, mark: str) -> None:
        self._pid = pid
        self._mark = mark
        self._seen: dict[int, psutil.Process] = {}
        with contextlib.suppress(psutil.Error):
            self._seen[pid] = psutil.Process(pid)

    def usage(self) -> tuple[int, int]:
        """Resident memory in bytes, and number of processes, of the tree as it is now."""
        for known in list(self._seen.values()):
            with contextlib.suppress(psutil.Error):
                for child in known.children(recursive=True):
                    self._seen.setdefault(child.pid, child)
        memory, count = 0, 0
        for pid, process in list(self._seen.items()):
            try:
                memory += process.memory_info().rss
                count += 1
            except psutil.Error:
                del self._seen[pid]
        return memory, count

    def kill(self) -> None:
        """End all of it. Repeated, because a process can fork while it is being looked for."""
        for _ in range(_ROUNDS):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._pid, signal.SIGKILL)
            self.usage()
            left = [*self._seen.values(), *self._marked()]
            self._seen.clear()
            if not sum(_kill(process) for process in left):
                return

    def _marked(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.environ().get("REPLAN_CALL") == self._mark:
                    found.append(process)
        return found


def _kill(process: psutil.Process) -> bool:
    """Whether there was something to kill. psutil compares start times: no reused pid is hit."""
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        process.kill()
    except psutil.Error:
        return False
    return True
