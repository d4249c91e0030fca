"""What every sandbox looks like: limits, what to run, how it ended, sessions."""

import contextlib
import math
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from replan.state.context import Context
from replan.tools.protocol import ToolError

SCRATCH = "{scratch}"
PYTHON = "{python}"


class SandboxError(ToolError):
    """No sandbox can be used, or a session is closed; says what to install or set."""


@dataclass(frozen=True)
class Limits:
    """What a process tree may use; sizes in bytes.

    Attributes:
        seconds: wall-clock time.
        cpu_seconds: CPU time of the whole tree; None for all cores over the whole time.
        memory_bytes: resident memory of the whole tree.
        address_bytes: address space of each process.
        file_bytes: size of each file it writes.
        disk_bytes: by how much its folders may grow, deleted files still open included.
        output_bytes: what it may print; beyond, it is ended.
        kept_bytes: what is kept of standard output, and of standard error.
        processes: how many there may be at a time.
    """

    seconds: float = 60.0
    cpu_seconds: int | None = None
    memory_bytes: int = 2 * 1024**3
    address_bytes: int = 8 * 1024**3
    file_bytes: int = 256 * 1024**2
    disk_bytes: int = 1024**3
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
            lies outside the workspace and is removed afterwards, and "{python}" the sandbox's
            own Python.
        cwd: the workspace, the folder to run in; the only other one that can be written.
        files: text files to lay into the scratch folder first, by name.
        collect: name of a file of the scratch folder whose content is wanted afterwards.
        environment: variables beyond the usual ones.
        handles: file descriptors that it inherits.
    """

    command: tuple[str, ...]
    cwd: Path
    files: Mapping[str, str] = field(default_factory=dict)
    collect: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    handles: Sequence[int] = ()


@dataclass(frozen=True)
class Finished:
    """How it ended.

    Attributes:
        exit_code: of the command; negative for the signal that killed it.
        stdout: what was printed, with the middle left out when it was too long.
        stderr: the same of standard error.
        seconds: wall-clock time it took.
        limit: the limit that ended it, in words; "" when none did.
        collected: content of the file that the job asked for.
        scratch: where the scratch folder was.
        variables: of the line that failed, in words; untrusted, one line.
        fresh: the first code of its session: there are no variables of earlier calls.
    """

    exit_code: int
    stdout: str
    stderr: str
    seconds: float
    limit: str = ""
    collected: str = ""
    scratch: str = ""
    variables: str = ""
    fresh: bool = False

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


class Session(Protocol):
    """One workspace under one sandbox: keeps the state of Python between calls of a task."""

    async def execute(self, code: str, seconds: float) -> Finished:
        """Run code in the session's Python, which keeps its variables until `close`.

        On time-out the code is interrupted; when it does not end, its process is killed with all
        its descendants, and the next call finds no variables (`Finished.fresh`).

        Raises:
            SandboxError: the session is closed.
        """
        ...

    async def command(self, job: Job, seconds: float) -> Finished:
        """Run a command in a fresh process tree, in the same confinement; nothing of it stays."""
        ...

    async def interrupt(self) -> None:
        """Raise KeyboardInterrupt in the code that is running; nothing when none is."""
        ...

    async def close(self) -> None:
        """End everything of the session. Closing twice does nothing."""
        ...


class Sandbox(Protocol):
    """A back end."""

    @property
    def name(self) -> str:
        """How the user chooses it."""
        ...

    def probe(self) -> str:
        """Try the canaries in it, blocking; "" when it holds, otherwise why it does not."""
        ...

    def open(self, workspace: Path, limits: Limits) -> Session:
        """A session in a workspace; nothing is started before its first call."""
        ...


@dataclass(frozen=True)
class Confinement:
    """Which sandbox to use, by name, and within which limits."""

    sandbox: str = "auto"
    limits: Limits = Limits()

    @classmethod
    def of(cls, context: Context) -> "Confinement":
        """What a run's context asks for."""
        megabyte = 1024**2
        limits = Limits(
            seconds=context.max_call_seconds,
            cpu_seconds=context.max_cpu_seconds or None,
            memory_bytes=context.max_memory_mb * megabyte,
            address_bytes=max(8 * 1024**3, 4 * context.max_memory_mb * megabyte),
            file_bytes=min(context.max_disk_mb, 256) * megabyte,
            disk_bytes=context.max_disk_mb * megabyte,
            output_bytes=context.max_output_mb * megabyte,
            processes=context.max_processes,
        )
        return cls(context.sandbox, limits)
