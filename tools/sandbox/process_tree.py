"""A child process and everything that descends from it: how much it uses, and how it ends."""

import contextlib
import os
import select
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

_ROUNDS = 20
_MOST = 4096
_MOVING_SECONDS = 0.02
_DYING_SECONDS = 0.01
_QUIET_LOOKS = 2
_SLOW_SECONDS = 0.1
_THREADS_A_PROCESS = 16
# An open descriptor may hold a socket's buffers full, which no process's memory shows. So many
# descriptors of a process are taken for files, the others for sockets.
_PLAIN_HANDLES = 64
_SOCKET_BYTES = 416 * 1024


@dataclass(frozen=True)
class Usage:
    """Of a whole tree: resident memory in bytes, processes, CPU seconds.

    `processes` counts threads too, at sixteen for one process. Where there are more than were
    asked for, counting stops: memory and CPU seconds are then of a part.
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
        # Processes of the last look that had ended before they could be looked at.
        self._fled = 0
        self._reaped = 0
        self._fewest_tasks = _tasks_of_the_machine()
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

    def members(self, most: int = _MOST) -> list[psutil.Process]:
        """All that are known to be there, zombies left out.

        Args:
            most: looking for further ones ends when so many are known: a tree that grows faster
                than it is walked would never be walked to its end.
        """
        waiting, reached, self._fled = list(self._seen), set[int](), 0
        while waiting and len(self._seen) <= most:
            pid = waiting.pop()
            if pid in reached:
                continue
            reached.add(pid)
            for child in _children(pid):
                waiting.append(child)
                if child not in self._seen and len(self._seen) <= most:
                    self._add(child)
        for pid, process in list(self._seen.items()):
            try:
                if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
                    del self._seen[pid]
            except psutil.Error:
                del self._seen[pid]
        return list(self._seen.values())

    def _add(self, pid: int) -> None:
        try:
            self._seen[pid] = psutil.Process(pid)
        except psutil.Error:
            self._fled += 1

    def usage(self, memory_limit: int = 0, most: int = _MOST) -> Usage:
        """What the tree uses now.

        Args:
            memory_limit: where resident memory is above it, what processes share counts once.
            most: how many processes there may be; more are not looked at closely.
        """
        memory, sockets, count, threads, cpu = 0, 0, 0, 0, 0.0
        if (crowd := self._crowd(most)) > most:
            return Usage(0, crowd, 0.0)
        counted = time.monotonic()
        members = self.members(2 * most)
        for process in members:
            # So slow a look is starved, maybe by a tree that grows meanwhile.
            if time.monotonic() - counted > _SLOW_SECONDS:
                if (crowd := self._crowd(most)) > most:
                    return Usage(0, crowd, 0.0)
                counted = time.monotonic()
            with contextlib.suppress(psutil.Error):
                memory += process.memory_info().rss
                threads += process.num_threads()
                times = process.cpu_times()
                cpu += sum(times[:2]) + sum(times[2:4])
                sockets += _SOCKET_BYTES * max(0, _handles(process.pid) - _PLAIN_HANDLES)
                count += 1
        if memory_limit and memory + sockets > memory_limit:
            memory = sum(_proportional(process) for process in members)
        return Usage(memory + sockets, max(count, threads // _THREADS_A_PROCESS), cpu)

    def _crowd(self, most: int) -> int:
        """Number of processes; counting stops beyond twice `most`, ended ones not reaped included.

        Quick, since a thousand busy processes leave little of the processor to who counts them.
        Where the machine has many new tasks, the group stands still meanwhile.
        """
        tasks = _tasks_of_the_machine()
        self._fewest_tasks = min(self._fewest_tasks, tasks)
        still = tasks - self._fewest_tasks > most
        if still:
            self._signal_group(signal.SIGSTOP)
        waiting, reached = [self._pid], {self._pid}
        while waiting and len(reached) <= 2 * most:
            for child in _children_of_first_thread(waiting.pop()):
                if child not in reached:
                    reached.add(child)
                    waiting.append(child)
        count = len(reached)
        if most < count <= 2 * most:
            count = sum(not _has_ended(pid) for pid in reached)
        if still and count <= most:
            self._signal_group(signal.SIGCONT)
        return count

    def kill(self) -> None:
        """End all of it. Repeated, because a process can fork while it is being looked for."""
        # Before anything is looked at: a tree that grows makes looking slow.
        self._signal_group(signal.SIGKILL)
        if self._init is not None:
            # The kernel ends the whole namespace with it, before its parent hears of it.
            with contextlib.suppress(psutil.Error, OSError):
                _kill_and_wait(self._init, 5)
        for _ in range(_ROUNDS):
            self._signal_group(signal.SIGKILL)
            left = [*self.members(), *self._marked()]
            self._seen.clear()
            if not sum(_kill(process) for process in left):
                return

    def kill_others(self, kept: psutil.Process) -> bool:
        """End what a call left behind beside the process `kept`; False when it cannot be done.

        What forks and ends all the time has gone when it is to be killed, and its child is not
        known yet. So only two looks that found nothing, not even something gone, are believed.
        """
        spared = {self._pid, kept.pid, self._init.pid if self._init else 0}
        if self._init is None:
            # Without a namespace nothing confined can leave the group: stopped, none can fork.
            self._signal_group(signal.SIGSTOP)
        quiet = 0
        for _ in range(_ROUNDS):
            looked = [*self.members(), *self._stopped_with_it()]
            others = [process for process in looked if process.pid not in spared]
            found = sum(_kill(process) for process in others) + self._fled
            quiet = 0 if found else quiet + 1
            if found:  # To die takes a moment, and more of them on a busy machine.
                time.sleep(_DYING_SECONDS)
            if quiet == _QUIET_LOOKS:
                if not self._moves():
                    return True
                quiet = 0
        return False

    def _stopped_with_it(self) -> list[psutil.Process]:
        """Members of the group that the walk has missed. They stand still, but one in the middle of
        a write would still end it.
        """
        found: list[psutil.Process] = []
        if self._init is None:
            for pid in psutil.pids():
                with contextlib.suppress(OSError, psutil.Error):
                    if pid not in self._seen and os.getpgid(pid) == self._pid:
                        found.append(psutil.Process(pid))
        return found

    def _moves(self) -> bool:
        """Whether orphans have ended since it was asked last, and go on doing so.

        Chains of processes that fork and end can be missed by every look, but the namespace's
        first process reaps each of them.
        """
        reaped = self._faults_of_reaped()
        if reaped == self._reaped:
            return False
        time.sleep(_MOVING_SECONDS)
        self._reaped = self._faults_of_reaped()
        return self._reaped != reaped

    def _faults_of_reaped(self) -> int:
        """Rises with each process that the namespace's first process has reaped."""
        if self._init is None:
            return 0
        try:
            fields = _stat(b"/proc/%d/stat" % self._init.pid)
            return int(fields[8]) + int(fields[10])  # minor and major
        except (OSError, IndexError, ValueError):
            return 0

    def _signal_group(self, which: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._pid, which)

    def _marked(self) -> list[psutil.Process]:
        if not self._mark:
            return []
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.environ().get("REPLAN_CALL") == self._mark:
                    found.append(process)
        return found


def wait_until_stopped(pid: int, seconds: float) -> None:
    """Wait until every thread of a process stands still after SIGSTOP."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            states = [
                _stat(b"/proc/%d/task/%s/stat" % (pid, task))[0]
                for task in os.listdir(b"/proc/%d/task" % pid)  # noqa: PTH208  (bytes, cheaply)
            ]
        except (OSError, IndexError):
            return
        if all(state in b"Tt" for state in states):
            return
        time.sleep(0.001)


def _tasks_of_the_machine() -> int:
    """Processes and threads that there are; 0 where the kernel does not tell."""
    try:
        return int(_content(b"/proc/loadavg").split()[3].partition(b"/")[2])
    except (OSError, IndexError, ValueError):
        return 0


def _children_of_first_thread(pid: int) -> list[int]:
    """Most children, at the least cost."""
    try:
        return [int(child) for child in _content(b"/proc/%d/task/%d/children" % (pid, pid)).split()]
    except (OSError, ValueError):
        return []


def _has_ended(pid: int) -> bool:
    try:
        return _stat(b"/proc/%d/stat" % pid)[0] in b"ZX"
    except (OSError, IndexError):
        return True


def _stat(path: bytes) -> list[bytes]:
    """The fields of a `stat` file behind the name, which may hold anything: state, parent, ..."""
    return _content(path).rpartition(b")")[2].split()


def _content(path: bytes, most: int = 65536) -> bytes:
    handle = os.open(path, os.O_RDONLY)
    try:
        return os.read(handle, most)
    finally:
        os.close(handle)


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


def _handles(pid: int) -> int:
    """Number of open descriptors; 0 where the kernel does not tell it cheaply."""
    try:
        return Path(f"/proc/{pid}/fd").stat().st_size
    except OSError:
        return 0


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
