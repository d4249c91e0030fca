"""What the back ends share that start processes on this machine."""

import marshal
import os
import secrets
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from replan.tools.own_code import OwnCode, own_code_in
from replan.tools.sandbox.environment import PythonEnvironment, python_environment
from replan.tools.sandbox.probe import canaries
from replan.tools.sandbox.protocol import (
    PYTHON,
    SCRATCH,
    Finished,
    Job,
    Limits,
    SandboxError,
    Session,
)
from replan.tools.sandbox.supervision import Child, Launch, Stop, limit_behind
from replan.tools.trees import discard

_LAUNCHER = Path(__file__).with_name("launcher.py")
_VARIABLES = "variables"
_SPARE_TASKS = 32
_PASSED_ON = ("TZ", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
APART = (
    "Name another workspace, or install replan outside of this one and start it by its own command."
)
# Who watches the code must get the processor, whatever the code does.
NICENESS = 10
# Public parts of the system that programs need.
SYSTEM = ("/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin")
SYSTEM_FILES = (
    "/etc/alternatives",
    "/etc/fonts",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/mime.types",
    "/sys/devices/system/cpu",
)


@dataclass(frozen=True)
class Place:
    """The folders of one process tree.

    Attributes:
        workspace: readable and writable.
        scratch: readable and writable, removed at the end.
        read: files and folders that can be read, beyond the system's.
        own: what in the workspace must not be written: replan runs from it.
    """

    workspace: Path
    scratch: Path
    read: Sequence[str]
    own: OwnCode = field(default_factory=OwnCode)


@dataclass(frozen=True)
class Plan:
    """How a back end confines a command.

    Attributes:
        command: the command, or the program that confines it with its arguments.
        seccomp: filter; installed by the launcher with `landlock`, otherwise handed on.
        landlock: paths by right (`read`, `write`, `devices`).
        contained: the program tells the first process of its namespace on the file descriptor
            that stands in the command as "{info}".
    """

    command: Sequence[str]
    seccomp: bytes = b""
    landlock: Mapping[str, Sequence[str]] = field(default_factory=dict)
    contained: bool = False


class LocalSandbox:
    """Base of a back end: says how to confine, and shares all the rest."""

    name = ""
    # Processes that left both parent and group have to be looked for all over the machine.
    escapes = False

    def missing(self) -> str:
        """What is not there that it needs; "" when it may work."""
        raise NotImplementedError

    def confine(self, command: Sequence[str], place: Place) -> Plan:
        """How to run the command."""
        raise NotImplementedError

    def probe(self) -> str:
        """Try the canaries in it, blocking; "" when it holds, otherwise why it does not."""
        if why := self.missing():
            return why
        try:
            return canaries(self.run)
        except (SandboxError, OSError) as error:
            return str(error)

    def open(self, workspace: Path, limits: Limits) -> Session:
        """A session in a workspace; nothing is started before its first call."""
        from replan.tools.sandbox.session import LocalSession

        return LocalSession(self, workspace, limits)

    def run(self, job: Job, limits: Limits, stop: Stop) -> Finished:
        """Run a job in a process tree of its own to its end, blocking."""
        began = time.monotonic()
        with _scratch_folder() as scratch:
            for name, text in job.files.items():
                (scratch / name).write_bytes(text.encode("utf-8", "replace"))
            child = self.start(job, scratch, limits, job.handles)
            try:
                limit = child.watch(limits, began + limits.seconds, stop, lambda: False)
            finally:
                code = self.exit_code(child.end())
            out, err = child.streams.out.text(), child.streams.err.text()
            collected = _collect(scratch / job.collect) if job.collect else ""
            variables = _collect(scratch / _VARIABLES, 2000)
        limit = limit or limit_behind(code, err, limits, child.cpu)
        seconds = time.monotonic() - began
        return Finished(
            code, out, err, seconds, limit, collected, str(scratch), one_line(variables)
        )

    def start(self, job: Job, scratch: Path, limits: Limits, handles: Sequence[int] = ()) -> Child:
        """Start a job; the caller watches and ends it.

        Args:
            job: what to run.
            scratch: its scratch folder.
            limits: what it may use.
            handles: file descriptors it inherits.
        """
        environment = python_environment()
        _make_home(scratch / "home", environment)
        fill = {SCRATCH: str(scratch), PYTHON: str(environment.python)}
        command = [_filled(part, fill) for part in job.command]
        read = (str(environment.folder), *_worker())
        own = OwnCode() if self.escapes else _own_code(job.cwd)
        plan = self.confine(command, Place(job.cwd, scratch, read, own))
        mark = secrets.token_hex(16) if self.escapes else ""
        told = {name: _filled(value, fill) for name, value in job.environment.items()}
        variables = {
            **clean_environment(scratch, environment),
            **told,
            "REPLAN_VARIABLES": str(scratch / _VARIABLES),
            **({"REPLAN_CALL": mark} if mark else {}),
        }
        info, into = os.pipe() if plan.contained else (None, None)
        try:
            launch = Launch(
                command=_launch(plan, limits, into),
                cwd=job.cwd,
                environment=variables,
                grows=(job.cwd, scratch),
                pass_fds=(*handles, *([into] if into is not None else [])),
                mark=mark,
            )
            child = Child(launch, limits)
            if into is not None and info is not None:
                os.close(into)
                into = None
                child.contained(_said(info))
        finally:
            for handle in (info, into):
                if handle is not None:
                    os.close(handle)
        return child

    def exit_code(self, code: int) -> int:
        """The command's own exit code, from that of what was started."""
        return code


@contextmanager
def _scratch_folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="replan-")).resolve()
    try:
        yield made
    finally:
        discard(made)


def clean_environment(scratch: Path, environment: PythonEnvironment) -> dict[str, str]:
    """The child's environment. It is made from nothing, so that no key is ever in it."""
    home = str(scratch / "home")
    made = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {
        **made,
        "PATH": os.pathsep.join([str(environment.python.parent), os.defpath]),
        "HOME": home,
        "TMPDIR": home,
        "USER": "sandbox",
        "LOGNAME": "sandbox",
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONUTF8": "1",
        "MPLBACKEND": "Agg",
    }


def one_line(text: str, most: int = 500) -> str:
    """Untrusted text as one line of bounded length."""
    return " ".join(text.split())[:most]


def _own_code(workspace: Path) -> OwnCode:
    """What replan runs from in the workspace.

    Raises:
        SandboxError: code could change it in any sandbox.
    """
    own = own_code_in(Path(os.path.realpath(workspace)))
    if own.refusal:
        raise SandboxError(f"code is not run here: {own.refusal}.", APART)
    return own


def _worker() -> tuple[str]:
    return (str(Path(__file__).with_name("worker.py")),)


def _launch(plan: Plan, limits: Limits, info: int | None) -> list[str]:
    spec = {
        # Bubblewrap asks for that itself.
        "parent": 0 if plan.contained else os.getpid(),
        "seccomp": plan.seccomp,
        "niceness": 0 if plan.contained else NICENESS,
        "landlock": {name: list(paths) for name, paths in plan.landlock.items()},
        "limits": {
            "cpu_seconds": limits.cpu,
            "file_bytes": limits.file_bytes,
            "address_bytes": limits.address_bytes,
            "tasks": _tasks(limits),
        },
    }
    command = [str(info) if part == "{info}" else part for part in plan.command]
    # -I -S: nothing of the workspace or of site-packages runs before the limits are set.
    return [sys.executable, "-I", "-S", str(_LAUNCHER), marshal.dumps(spec).hex(), *command]


def _tasks(limits: Limits) -> int:
    """What RLIMIT_NPROC has to be, which counts all threads of the user; 0 for root: no use."""
    if os.geteuid() == 0 or not sys.platform.startswith("linux"):
        return 0
    mine, own = 0, os.geteuid()
    for process in psutil.process_iter(["uids", "num_threads"]):
        uids = process.info["uids"]
        if uids and uids.real == own:
            mine += process.info["num_threads"] or 1
    return mine + limits.processes + _spare_tasks()


def _spare_tasks() -> int:
    """Threads of programs that start some for every processor."""
    return _SPARE_TASKS + 4 * (os.cpu_count() or 1)


def _make_home(home: Path, environment: PythonEnvironment) -> None:
    fonts = home / ".cache" / "matplotlib"
    fonts.mkdir(parents=True)
    for file in environment.fonts:
        (fonts / file.name).symlink_to(file)


def _filled(text: str, fill: Mapping[str, str]) -> str:
    for name, value in fill.items():
        text = text.replace(name, value)
    return text


def _said(handle: int) -> str:
    """All that comes until the end of the pipe, which is there as soon as the program runs."""
    parts = []
    while part := os.read(handle, 4096):
        parts.append(part)
    return b"".join(parts).decode("utf-8", "replace")


def _collect(file: Path, most: int = 20 * 1024**2) -> str:
    """A file that the child may have planted: no link, no pipe is followed."""
    if file.is_symlink() or not file.is_file():
        return ""
    with file.open("rb") as opened:
        return opened.read(most).decode("utf-8", "replace")
