"""Runs a child process within limits, and leaves nothing of it behind.

The child gets a session of its own, a small environment without keys, an empty standard input
and a scratch folder that is its home. Memory is limited in two ways: the resident memory of the
whole process tree is looked at ten times a second, and the address space of each process has a
limit well above it, so that one huge allocation fails at once (as a limit of its own the address
space is too crude: numerical libraries reserve far more than they use).

It is not a sandbox: the child has the rights of the user and can read what the user can read.
"""

import asyncio
import contextlib
import json
import math
import os
import secrets
import selectors
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from replan.tools.bounds import HeadAndTail
from replan.tools.process_tree import ProcessTree

SCRATCH = "{scratch}"

_LAUNCHER = Path(__file__).with_name("launcher.py")
_POLL_SECONDS = 0.05
_TREE_SECONDS = 0.1
_PASSED_ON = (
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "TZ",
    "OPENBLAS_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
)
# Threads of its own: calls may last a minute, and asyncio's default pool has few.
_THREADS = ThreadPoolExecutor(max_workers=64, thread_name_prefix="replan-process")


@dataclass(frozen=True)
class Limits:
    """What a process tree may use; sizes in bytes.

    Attributes:
        seconds: wall-clock time.
        cpu_seconds: CPU time of each process, all its threads together.
        memory_bytes: resident memory of the whole tree.
        address_bytes: address space of each process.
        file_bytes: size of each file it writes.
        output_bytes: what it may print; beyond, it is ended.
        kept_bytes: what is kept of standard output, and of standard error.
        processes: how many there may be at a time.
    """

    seconds: float = 60.0
    cpu_seconds: int | None = None
    memory_bytes: int = 2 * 1024**3
    address_bytes: int = 8 * 1024**3
    file_bytes: int = 256 * 1024**2
    output_bytes: int = 50 * 1024**2
    kept_bytes: int = 64 * 1024
    processes: int = 64

    @property
    def cpu(self) -> int:
        """The CPU time that holds: by default all cores for the whole time, and no more."""
        if self.cpu_seconds is not None:
            return self.cpu_seconds
        return math.ceil(self.seconds * max(2, os.cpu_count() or 1)) + 1


@dataclass(frozen=True)
class Job:
    """What to run.

    Attributes:
        command: the program and its arguments; "{scratch}" in them is the scratch folder, which
            lies outside the workspace and is removed afterwards.
        cwd: the folder to run in.
        files: text files to lay into the scratch folder first, by name.
        collect: name of a file of the scratch folder whose content is wanted afterwards.
        environment: variables beyond the usual ones; "{scratch}" as in the command.
    """

    command: tuple[str, ...]
    cwd: Path
    files: Mapping[str, str] = field(default_factory=dict)
    collect: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Finished:
    """How it ended. `limit` names the limit that ended it, in words; "" when none did."""

    exit_code: int
    stdout: str
    stderr: str
    seconds: float
    limit: str = ""
    collected: str = ""
    scratch: str = ""

    @property
    def ok(self) -> bool:
        """It ended by itself, with exit code 0."""
        return self.exit_code == 0 and not self.limit

    def how(self) -> str:
        """The end in words."""
        if self.limit:
            return f"stopped by {self.limit}"
        if self.exit_code < 0:
            with contextlib.suppress(ValueError):
                return f"killed by {signal.Signals(-self.exit_code).name}"
        return f"exit code {self.exit_code}"


async def run(job: Job, limits: Limits) -> Finished:
    """Run a job to its end.

    When cancelled, the process and its descendants are gone before CancelledError is raised.
    """
    stop = threading.Event()
    # A thread that lives on: the kernel ends a child when the thread that started it ends.
    future = asyncio.get_running_loop().run_in_executor(_THREADS, _supervise, job, limits, stop)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.wait([future])
        raise


def clean_environment(home: str) -> dict[str, str]:
    """The child's environment. It is made from nothing, so that no key is ever in it."""
    here = str(Path(sys.executable).parent)
    made = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {
        **made,
        "PATH": os.pathsep.join([here, os.environ.get("PATH", os.defpath)]),
        "HOME": home,
        "TMPDIR": home,
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONUTF8": "1",
        "MPLBACKEND": "Agg",
    }


def _supervise(job: Job, limits: Limits, stop: threading.Event) -> Finished:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="replan-", ignore_cleanup_errors=True) as made:
        scratch = os.path.realpath(made)
        for name, text in job.files.items():
            Path(scratch, name).write_bytes(text.encode("utf-8", "replace"))
        home = Path(scratch, "home")
        home.mkdir()
        mark = secrets.token_hex(16)
        more = {name: text.replace(SCRATCH, scratch) for name, text in job.environment.items()}
        environment = {**clean_environment(str(home)), **more, "REPLAN_CALL": mark}
        child = subprocess.Popen(
            _launch(job, limits, scratch),
            cwd=job.cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        tree = ProcessTree(child.pid, mark)
        streams = _Streams(child, limits.kept_bytes)
        try:
            limit = _watch(child, streams, tree, limits, began + limits.seconds, stop)
        finally:
            tree.kill()
            child.wait()
            streams.close()
        out, err = streams.out.text(), streams.err.text()
        collected = _collect(Path(scratch, job.collect)) if job.collect else ""
    limit = limit or _limit_of(child.returncode, err, limits)
    seconds = time.monotonic() - began
    return Finished(child.returncode, out, err, seconds, limit, collected, scratch)


def _launch(job: Job, limits: Limits, scratch: str) -> list[str]:
    told = {
        "parent": os.getpid(),
        "cpu_seconds": limits.cpu,
        "file_bytes": limits.file_bytes,
        "address_bytes": limits.address_bytes,
    }
    command = [part.replace(SCRATCH, scratch) for part in job.command]
    # -I -S: nothing of the workspace or of site-packages runs before the limits are set.
    return [sys.executable, "-I", "-S", str(_LAUNCHER), json.dumps(told), *command]


def _watch(
    child: "subprocess.Popen[bytes]",
    streams: "_Streams",
    tree: ProcessTree,
    limits: Limits,
    deadline: float,
    stop: threading.Event,
) -> str:
    """Wait for the end; the limit that was passed, or ""."""
    looked = 0.0
    while child.poll() is None:
        streams.read(_POLL_SECONDS)
        now = time.monotonic()
        if stop.is_set():
            return "cancellation"
        if now > deadline:
            return f"the time limit of {limits.seconds:g} s"
        if streams.total > limits.output_bytes:
            return f"the limit of {_size(limits.output_bytes)} of output"
        if now - looked > _TREE_SECONDS:
            looked = now
            memory, processes = tree.usage()
            if memory > limits.memory_bytes:
                return f"the memory limit of {_size(limits.memory_bytes)}"
            if processes > limits.processes:
                return f"the limit of {limits.processes} processes"
    return ""


def _limit_of(exit_code: int, stderr: str, limits: Limits) -> str:
    """The limit behind an end that the process met by itself: set by the launcher."""
    if exit_code == -signal.SIGXCPU:
        return f"the CPU time limit of {limits.cpu} s"
    if exit_code == 0:
        return ""
    last = stderr.strip().rsplit("\n", 1)[-1]
    if exit_code == -signal.SIGXFSZ or "OSError: [Errno 27]" in last:
        return f"the limit of {_size(limits.file_bytes)} for a file"
    if last.startswith(("MemoryError", "numpy._core._exceptions._ArrayMemoryError")):
        return f"the memory limit of {_size(limits.address_bytes)}"
    return ""


def _size(count: int) -> str:
    return f"{count / 1024**2:,.0f} MB"


def _collect(file: Path, most: int = 20 * 1024**2) -> str:
    if file.is_symlink() or not file.is_file():
        return ""
    with file.open("rb") as opened:
        return opened.read(most).decode("utf-8", "replace")


class _Streams:
    """Standard output and error of a child, read as they come."""

    def __init__(self, child: "subprocess.Popen[bytes]", kept: int) -> None:
        self.out, self.err = HeadAndTail(kept), HeadAndTail(kept)
        self._pipes = [pipe for pipe in (child.stdout, child.stderr) if pipe]
        self._selector = selectors.DefaultSelector()
        for pipe, into in zip(self._pipes, (self.out, self.err), strict=True):
            os.set_blocking(pipe.fileno(), False)
            self._selector.register(pipe.fileno(), selectors.EVENT_READ, into)

    @property
    def total(self) -> int:
        """Bytes printed so far."""
        return self.out.total + self.err.total

    def read(self, seconds: float) -> bool:
        """Wait for something and take it; False when nothing came."""
        if not self._selector.get_map():
            # Both closed, the process still there: nothing to wait for but the time.
            time.sleep(seconds / 5)
            return False
        came = False
        for key, _ in self._selector.select(seconds):
            data = os.read(key.fd, 65536)
            came = True
            if data:
                key.data.add(data)
            else:
                self._selector.unregister(key.fd)
        return came

    def close(self) -> None:
        """Take what is left in the pipes and close them."""
        while self._selector.get_map() and self.read(0):
            pass
        self._selector.close()
        for pipe in self._pipes:
            pipe.close()
