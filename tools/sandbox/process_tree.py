"""A child process and everything that descends from it: how much it uses, and how it ends."""

import contextlib
import os
import select
import signal
from dataclasses import dataclass
from pathlib import Path

import psutil

_ROUNDS = 20
_THREADS_A_PROCESS = 16


@dataclass(frozen=True)
class Usage:
    """Of a whole tree: resident memory in bytes, processes, CPU seconds.

    `processes` counts threads too, at sixteen for one process.
    """

    memory: int
    processes: int
    cpu: float


class ProcessTree:
    """Finds the descendants of a process, so that none outlives the call.

    In a pid namespace all die with its first process (`init`). Otherwise they are found by three
    signs: they are its children, the members of its process group, or carry `mark` in their
    environment (a daemon that left both its parent and its group, which only an unconfined one
    can).
    """

    def __init__(self, pid: int, mark: str = "") -> None:
        self._pid = pid
        self._mark = mark
        self._init: psutil.Process | None = None
        self._gone = 0.0
        self._seen: dict[int, psutil.Process] = {}
        with contextlib.suppress(psutil.Error):
            self._seen[pid] = psutil.Process(pid)

    def contained_by(self, init: int) -> None:
        """The first process of the pid namespace that the tree lives in."""
        with contextlib.suppress(psutil.Error):
            self._init = psutil.Process(init)
            self._seen[init] = self._init

    @property
    def innermost(self) -> psutil.Process | None:
        """The process that runs the command itself."""
        if self._init is None:
            return self._seen.get(self._pid)
        children = _children(self._init.pid)
        return psutil.Process(children[0]) if children else None

    def members(self) -> list[psutil.Process]:
        """All that are known to be there, zombies left out."""
        waiting, reached = list(self._seen), set[int]()
        while waiting:
            pid = waiting.pop()
            if pid in reached:
                continue
            reached.add(pid)
            for child in _children(pid):
                waiting.append(child)
                if child not in self._seen:
                    with contextlib.suppress(psutil.Error):
                        self._seen[child] = psutil.Process(child)
        for pid, process in list(self._seen.items()):
            try:
                if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
                    del self._seen[pid]
            except psutil.Error:
                del self._seen[pid]
        return list(self._seen.values())

    def usage(self, memory_limit: int = 0) -> Usage:
        """What the tree uses now.

        Args:
            memory_limit: where resident memory is above it, what processes share counts once.
        """
        memory, count, threads, cpu = 0, 0, 0, 0.0
        members = self.members()
        for process in members:
            with contextlib.suppress(psutil.Error):
                memory += process.memory_info().rss
                threads += process.num_threads()
                times = process.cpu_times()
                cpu += sum(times[:2]) + sum(times[2:4])
                count += 1
        if memory_limit and memory > memory_limit:
            memory = sum(_proportional(process) for process in members)
        return Usage(memory, max(count, threads // _THREADS_A_PROCESS), cpu)

    def kill(self) -> None:
        """End all of it. Repeated, because a process can fork while it is being looked for."""
        self.members()
        if self._init is not None:
            # The kernel ends the whole namespace with it, before its parent hears of it.
            with contextlib.suppress(psutil.Error, OSError):
                _kill_and_wait(self._init, 5)
        for _ in range(_ROUNDS):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._pid, signal.SIGKILL)
            left = [*self.members(), *self._marked()]
            self._seen.clear()
            if not sum(_kill(process) for process in left):
                return

    def kill_others(self, kept: psutil.Process) -> bool:
        """End what a call left behind beside the process `kept`; False when it cannot be done."""
        spared = {self._pid, kept.pid, self._init.pid if self._init else 0}
        for _ in range(_ROUNDS):
            others = [process for process in self.members() if process.pid not in spared]
            if not sum(_kill(process) for process in others):
                return True
        return False

    def _marked(self) -> list[psutil.Process]:
        if not self._mark:
            return []
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.environ().get("REPLAN_CALL") == self._mark:
                    found.append(process)
        return found


def _children(pid: int) -> list[int]:
    """Cheaper than psutil, which reads the state of every process of the machine."""
    try:
        found = [
            int(child)
            for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()
        ]
    except FileNotFoundError:
        if Path("/proc/self/task").exists():
            return []
    except (OSError, ValueError):
        return []
    else:
        return found
    with contextlib.suppress(psutil.Error):
        return [child.pid for child in psutil.Process(pid).children()]
    return []


def _proportional(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except (psutil.Error, AttributeError):
        with contextlib.suppress(psutil.Error):
            return int(process.memory_info().rss)
    return 0


def _kill_and_wait(process: psutil.Process, seconds: float) -> None:
    """Kill a process that is not our child, and wait until it has ended.

    psutil's own wait lasts until somebody has reaped it: with some first processes of a
    container that takes seconds.
    """
    handle = os.pidfd_open(process.pid)
    try:
        process.kill()
        ended = select.poll()
        ended.register(handle, select.POLLIN)
        ended.poll(seconds * 1000)
    finally:
        os.close(handle)


def _kill(process: psutil.Process) -> bool:
    """Whether there was something to kill. psutil compares start times: no reused pid is hit."""
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        process.kill()
    except psutil.Error:
        return False
    return True
