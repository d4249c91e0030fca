"""A session on this machine: a worker that keeps the variables, and commands beside it."""

import asyncio
import contextlib
import secrets
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import psutil

from replan.tools.sandbox.choose import choose
from replan.tools.sandbox.file_functions import VARIABLE as FILE_FUNCTIONS
from replan.tools.sandbox.local import LocalSandbox, one_line
from replan.tools.sandbox.process_tree import wait_until_stopped
from replan.tools.sandbox.protocol import PYTHON, Confinement, Finished, Job, Limits, SandboxError
from replan.tools.sandbox.supervision import Stop, limit_behind
from replan.tools.trees import discard

T = TypeVar("T")

_WORKER = Path(__file__).with_name("worker.py")
_START_SECONDS = 20.0
_STOP_SECONDS = 0.2
_MARK_BYTES = 8
_GRACE_SECONDS = 1.0
_MOST_ANSWER = 64 * 1024
SCRIPT = "script.py"
# Threads of its own: calls may last a minute, and asyncio's default pool has few. They live on:
# the kernel ends a child when the thread that started it ends.
_THREADS = ThreadPoolExecutor(max_workers=64, thread_name_prefix="replan-sandbox")


class LocalSession:
    """See `protocol.Session`. One call at a time; a further one waits."""

    def __init__(self, sandbox: LocalSandbox, workspace: Path, limits: Limits) -> None:
        self._sandbox = sandbox
        self._workspace = workspace
        self._limits = limits
        self._lock = threading.Lock()
        self._worker: _Worker | None = None
        self._closed = threading.Event()
        self.used = time.monotonic()

    @property
    def busy(self) -> bool:
        """Whether code is running in it."""
        return self._lock.locked()

    @property
    def open(self) -> bool:
        """Whether it has not been closed."""
        return not self._closed.is_set()

    async def execute(self, code: str, seconds: float) -> Finished:
        """Run code in the session's Python, which keeps its variables."""
        return await in_thread(lambda stop: self._execute(code, seconds, stop))

    async def command(self, job: Job, seconds: float) -> Finished:
        """Run a command in a fresh process tree."""
        if self._closed.is_set():
            raise SandboxError("the sandbox session is closed.")
        limits = replace(self._limits, seconds=seconds)
        return await in_thread(lambda stop: self._sandbox.run(job, limits, stop))

    async def interrupt(self) -> None:
        """Raise KeyboardInterrupt in the code that is running."""
        worker = self._worker
        if worker is not None and worker.busy:
            worker.signal(signal.SIGINT)

    async def close(self) -> None:
        """End everything of the session."""
        await asyncio.to_thread(self.end)

    def end(self) -> None:
        """The same, blocking. A call that runs is cancelled first."""
        self._closed.set()
        with self._lock:
            self._drop()

    def _execute(self, code: str, seconds: float, stop: threading.Event) -> Finished:
        with self._lock:
            if self._closed.is_set():
                raise SandboxError("the sandbox session is closed.")
            fresh = self._worker is None
            limits = replace(self._limits, seconds=seconds)
            either = _Either(stop, self._closed)
            if self._worker is None:
                self._worker = _Worker(self._sandbox, self._workspace, self._limits, either)
            try:
                finished = self._worker.call(code, limits, either)
            except BaseException:
                self._drop()
                raise
            if self._worker.lost:
                self._drop()
            self.used = time.monotonic()
            return replace(finished, fresh=fresh)

    def _drop(self) -> None:
        if self._worker is not None:
            self._worker.end()
            self._worker = None


class _Worker:
    """The process that keeps the variables. Between calls it and all of its threads stand still."""

    def __init__(self, sandbox: LocalSandbox, workspace: Path, limits: Limits, stop: Stop) -> None:
        self.lost, self.busy = False, False
        self._sandbox = sandbox
        self._answers: list[bytes] = []
        self._mark, self._foreign = bytes(_MARK_BYTES), False
        self._came = b""
        self._scratch = Path(tempfile.mkdtemp(prefix="replan-")).resolve()
        self._socket, other = socket.socketpair()
        job = Job(
            (PYTHON, str(_WORKER), str(other.fileno())),
            workspace,
            environment={"PYTHONPATH": str(workspace), FILE_FUNCTIONS: "1"},
        )
        # Not by rlimit: the worker lives longer than a call. What counts is the tree's CPU time.
        lasting = replace(limits, cpu_seconds=10**6)
        try:
            with other:
                self._child = sandbox.start(job, self._scratch, lasting, [other.fileno()])
        except BaseException:
            self._socket.close()
            discard(self._scratch)
            raise
        self._child.streams.listen(self._socket.fileno(), self._take)
        self._process: psutil.Process | None = None
        self._wait_for_start(limits, stop)

    def call(self, code: str, limits: Limits, stop: Stop) -> Finished:
        """Run code; afterwards `lost` tells whether the variables are gone."""
        began = time.monotonic()
        deadline = began + limits.seconds
        self._child.fresh_streams()
        self._answers.clear()
        # An answer to an earlier call, held up or made up, is none to this one.
        self._mark = secrets.token_bytes(_MARK_BYTES)
        self.busy = True
        self.signal(signal.SIGCONT)
        limit = ""
        try:
            self._send(code, deadline)
            limit = self._child.watch(limits, deadline, stop, self._answered)
            if limit.startswith("the time limit"):
                self.signal(signal.SIGINT)
                grace = time.monotonic() + _GRACE_SECONDS
                self.lost = bool(self._child.watch(limits, grace, stop, self._answered))
            elif limit:
                self.lost = True
        except OSError:
            self.lost = True
        finally:
            self.busy = False
        return self._finish(began, limit, limits)

    def signal(self, which: signal.Signals) -> None:
        """Send a signal to the process that runs the code."""
        if self._process is not None:
            with contextlib.suppress(psutil.Error):
                self._process.send_signal(which)

    def end(self) -> None:
        """End it with all that it started."""
        self._child.end()
        self._socket.close()
        discard(self._scratch)

    def _finish(self, began: float, limit: str, limits: Limits) -> Finished:
        answer = self._answers[0] if self._answers else b""
        # The worker answers once: more of them come from the code.
        self.lost = self.lost or self._not_one_answer() or self._child.ended
        if not self.lost and self._process is not None:
            self.lost = not self._child.tree.kill_others(self._process)
            self.signal(signal.SIGSTOP)
            wait_until_stopped(self._process.pid, _STOP_SECONDS)
        code = answer[0] if answer else 1
        if self.lost:
            if not answer and not limit:
                self._child.settle(_GRACE_SECONDS)
            ended = self._sandbox.exit_code(self._child.end())
            code = code if answer else ended
        else:
            self._child.streams.drain()
            self.lost = self._not_one_answer()
        out, err = self._child.streams.out.text(), self._child.streams.err.text()
        if limit and not code:
            code = 1
        limit = limit or limit_behind(code, err, limits, self._child.cpu)
        said = one_line(answer[1:].decode("utf-8", "replace"))
        seconds = time.monotonic() - began
        return Finished(code, out, err, seconds, limit, "", str(self._scratch), said)

    def _wait_for_start(self, limits: Limits, stop: Stop) -> None:
        limit = self._child.watch(limits, time.monotonic() + _START_SECONDS, stop, self._answered)
        self._process = self._child.tree.innermost
        if limit or not self._answers or self._process is None:
            said = self._child.streams.err.text().strip()[-300:]
            self.end()
            raise SandboxError(f"the sandbox's Python did not start: {limit or said}.")

    def _not_one_answer(self) -> bool:
        return self._foreign or len(self._answers) != 1

    def _answered(self) -> bool:
        return bool(self._answers) or self.lost

    def _send(self, code: str, deadline: float) -> None:
        data = code.encode("utf-8", "replace")
        self._socket.settimeout(max(0.1, deadline - time.monotonic()))
        try:
            self._socket.sendall(self._mark + len(data).to_bytes(4, "little") + data)
        finally:
            self._socket.setblocking(False)

    def _take(self, data: bytes) -> None:
        """What the worker says; whatever is not an answer means that it is broken."""
        if not data:
            self.lost = True
            return
        self._came += data
        while len(self._came) >= 4:
            length = int.from_bytes(self._came[:4], "little")
            if not 0 < length <= _MOST_ANSWER:
                self.lost = True
                return
            if len(self._came) < 4 + length:
                return
            body, self._came = self._came[4 : 4 + length], self._came[4 + length :]
            if body.startswith(self._mark) and len(body) > _MARK_BYTES:
                self._answers.append(body[_MARK_BYTES:])
            else:
                self._foreign = True


class _Either:
    """Set when one of two is."""

    def __init__(self, one: threading.Event, other: threading.Event) -> None:
        self._events = one, other

    def is_set(self) -> bool:
        """Whether one is set."""
        return any(event.is_set() for event in self._events)


async def in_thread(work: Callable[[threading.Event], T]) -> T:
    """Blocking work in a thread that lives on; it is told when its caller was cancelled.

    When cancelled, the work has ended before CancelledError is raised.
    """
    stop = threading.Event()
    future = asyncio.get_running_loop().run_in_executor(_THREADS, work, stop)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.wait([future])
        raise


async def run(job: Job, limits: Limits, sandbox: LocalSandbox) -> Finished:
    """Run a job to its end.

    When cancelled, the process and its descendants are gone before CancelledError is raised.
    """
    return await in_thread(lambda stop: sandbox.run(job, limits, stop))


async def run_confined(job: Job, confinement: Confinement | None, seconds: float) -> Finished:
    """Run a job in the sandbox that is chosen.

    Args:
        job: what to run.
        confinement: which sandbox, and its limits; None for `auto` and the usual ones.
        seconds: wall-clock time.

    Raises:
        SandboxError: no sandbox can be used.
    """
    wanted = confinement or Confinement()
    sandbox = await in_thread(lambda stop: choose(wanted.sandbox))
    return await run(job, replace(wanted.limits, seconds=seconds), sandbox)
