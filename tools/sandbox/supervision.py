"""Starts a confined child process, watches its limits, and leaves nothing of it behind.

The child gets a session of its own, a small environment without keys, an empty standard input
and a scratch folder that is its home. Memory is limited in two ways: the resident memory of the
whole process tree is looked at ten times a second, and the address space of each process has a
limit well above it, so that one huge allocation fails at once (as a limit of its own the address
space is too crude: numerical libraries reserve far more than they use).
"""

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from replan.tools.bounds import HeadAndTail
from replan.tools.sandbox.disk import DiskUse
from replan.tools.sandbox.process_tree import ProcessTree
from replan.tools.sandbox.protocol import Limits

_POLL_SECONDS = 0.05
_TREE_SECONDS = 0.1
_START_SECONDS = 10.0
_DRAIN_ROUNDS = 64


class Stop(Protocol):
    """Something that says when to give up: a threading.Event."""

    def is_set(self) -> bool:
        """Whether it is time."""
        ...


@dataclass(frozen=True)
class Launch:
    """How a child is started.

    Attributes:
        command: the launcher and all that follows.
        cwd: where it starts.
        environment: all of its environment.
        grows: the folders whose growth is limited.
        pass_fds: file descriptors it inherits.
        first_pid: a file descriptor on which the pid of its namespace's first process arrives.
        mark: value of REPLAN_CALL by which processes that got away are found.
    """

    command: Sequence[str]
    cwd: Path
    environment: Mapping[str, str]
    grows: Sequence[Path]
    pass_fds: Sequence[int] = field(default=())
    first_pid: int | None = None
    mark: str = ""


class Child:
    """A running child with all that descends from it."""

    def __init__(self, launch: Launch, limits: Limits) -> None:
        self._disk = DiskUse(launch.grows, limits.disk_bytes)
        self._kept = limits.kept_bytes
        self._popen = subprocess.Popen(
            launch.command,
            cwd=launch.cwd,
            env=dict(launch.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            pass_fds=launch.pass_fds,
        )
        self.tree = ProcessTree(self._popen.pid, launch.mark)
        self._namespace = launch.first_pid
        # CPU seconds as last seen.
        self.cpu = 0.0
        self.streams = Streams(self._popen, limits.kept_bytes)

    def contained(self, text: str) -> None:
        """Take what bubblewrap says of its first process."""
        found = "".join(
            part for part in text.partition("child-pid")[2].split(",")[0] if part.isdigit()
        )
        if found:
            self.tree.contained_by(int(found))

    @property
    def ended(self) -> bool:
        """Whether the child itself has ended."""
        return self._popen.poll() is not None

    def watch(self, limits: Limits, deadline: float, stop: Stop, done: Callable[[], bool]) -> str:
        """Wait for the end, or until `done`; the limit that was passed, in words, or ""."""
        # The first looks come soon: six processes can take a gigabyte in a tenth of a second.
        looked, started, began = 0.0, -1.0, time.monotonic()
        self._disk.resume()
        while not self.ended and not done():
            self.streams.read(_POLL_SECONDS)
            now = time.monotonic()
            if stop.is_set():
                return "cancellation"
            if now > deadline:
                return f"the time limit of {limits.seconds:g} s"
            if self.streams.total > limits.output_bytes:
                return f"the limit of {size(limits.output_bytes)} of output"
            if now - looked > (_TREE_SECONDS if now - began > 1 else _POLL_SECONDS / 2):
                usage = self.tree.usage(limits.memory_bytes, limits.processes)
                started = usage.cpu if started < 0 else started
                self.cpu = max(self.cpu, usage.cpu - started)
                looked = time.monotonic()
                if usage.processes > limits.processes:
                    return f"the limit of {limits.processes} processes"
                if usage.memory > limits.memory_bytes:
                    return f"the memory limit of {size(limits.memory_bytes)}"
                if usage.cpu - started > limits.cpu + 1:
                    return f"the CPU time limit of {limits.cpu} s"
                if self._disk.exceeded(self.tree.members(limits.processes)):
                    return f"the limit of {size(limits.disk_bytes)} on disk"
        return ""

    def settle(self, seconds: float) -> None:
        """Wait for the child to end by itself, so that its own exit code is told."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(seconds)

    def fresh_streams(self) -> None:
        """Forget what was printed so far."""
        self.streams.drain()
        self.streams.out, self.streams.err = HeadAndTail(self._kept), HeadAndTail(self._kept)

    def end(self) -> int:
        """Kill what is left of it; the exit code of the child."""
        self.tree.kill()
        try:
            code = self._popen.wait(_START_SECONDS)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            code = self._popen.wait()
        self.streams.close()
        return code


def limit_behind(exit_code: int, stderr: str, limits: Limits, cpu: float = 0.0) -> str:
    """The limit behind an end that the process met by itself: set by the launcher.

    Code can end itself with any of these signs. Of CPU time more than its word is asked for; the
    others are errors that Python would report in the same words, and end nothing.

    Args:
        exit_code: negative for the signal.
        stderr: what it said.
        limits: those it had.
        cpu: CPU seconds that it was seen to use.
    """
    if exit_code == -signal.SIGXCPU and cpu > limits.cpu / 2:
        return f"the CPU time limit of {limits.cpu} s"
    if exit_code == 0:
        return ""
    last = stderr.strip().rsplit("\n", 1)[-1]
    if exit_code == -signal.SIGXFSZ or "OSError: [Errno 27]" in last:
        return f"the limit of {size(limits.file_bytes)} for a file"
    if "BlockingIOError: [Errno 11] Resource temporarily" in last:
        return f"the limit of {limits.processes} processes"
    if last.startswith(("MemoryError", "numpy._core._exceptions._ArrayMemoryError")):
        return f"the memory limit of {size(limits.address_bytes)}"
    return ""


def size(count: int) -> str:
    """Bytes in words."""
    return f"{count / 1024**2:,.0f} MB"


class Streams:
    """Standard output and error of a child, read as they come; and what else is listened to."""

    def __init__(self, child: "subprocess.Popen[bytes]", kept: int) -> None:
        self.out, self.err = HeadAndTail(kept), HeadAndTail(kept)
        self._pipes = [pipe for pipe in (child.stdout, child.stderr) if pipe]
        self._selector = selectors.DefaultSelector()
        takers = (lambda data: self.out.add(data), lambda data: self.err.add(data))
        for pipe, taker in zip(self._pipes, takers, strict=True):
            self.listen(pipe.fileno(), taker)

    @property
    def total(self) -> int:
        """Bytes printed so far."""
        return self.out.total + self.err.total

    def listen(self, handle: int, taker: Callable[[bytes], None]) -> None:
        """Hand what comes from the file descriptor to `taker`; b"" at its end."""
        os.set_blocking(handle, False)
        self._selector.register(handle, selectors.EVENT_READ, taker)

    def read(self, seconds: float) -> bool:
        """Wait for something and take it; False when nothing came."""
        if not self._selector.get_map():
            # All closed, the process still there: nothing to wait for but the time.
            time.sleep(seconds / 5)
            return False
        came = False
        for key, _ in self._selector.select(seconds):
            try:
                data = os.read(key.fd, 65536)
            except OSError:
                data = b""
            came = True
            if not data:
                self._selector.unregister(key.fd)
            key.data(data)
        return came

    def drain(self) -> None:
        """Take what is there, but no more than a process that goes on printing can add."""
        rounds = 0
        while self._selector.get_map() and rounds < _DRAIN_ROUNDS and self.read(0):
            rounds += 1

    def close(self) -> None:
        """Take what is left in the pipes and close them."""
        self.drain()
        self._selector.close()
        for pipe in self._pipes:
            with contextlib.suppress(OSError):
                pipe.close()
