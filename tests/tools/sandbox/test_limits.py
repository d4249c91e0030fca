import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil
import pytest

from replan.tools.sandbox.choose import BACK_ENDS
from replan.tools.sandbox.local import LocalSandbox
from replan.tools.sandbox.protocol import PYTHON, SCRATCH, Finished, Job, Limits
from replan.tools.sandbox.session import run

Python = Callable[..., Awaitable[Finished]]


@pytest.fixture(params=list(BACK_ENDS))
def sandbox(request: pytest.FixtureRequest) -> LocalSandbox:
    return BACK_ENDS[request.param]


@pytest.fixture
def python(sandbox: LocalSandbox) -> Python:
    async def start(code: str, cwd: Path, limits: Limits | None = None) -> Finished:
        job = Job((PYTHON, f"{SCRATCH}/s.py"), cwd, files={"s.py": code}, environment=mark(cwd))
        return await run(job, limits or Limits(seconds=20), sandbox)

    return start


def mark(folder: Path) -> dict[str, str]:
    """A variable by which the processes of a test are found: inside, their pids are others."""
    return {"MARK": str(folder)}


def alive(folder: Path) -> list[str]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get("MARK") == str(folder):
                found.append(f"{process.pid} {process.cmdline()}")
    return found


def left_in(folder: str) -> list[Path]:
    return list(Path(folder).glob("*"))


def until(file: Path) -> None:
    """Wait for a file with content."""
    for _ in range(200):
        if file.exists() and file.read_text().strip():
            return
        time.sleep(0.05)
    raise AssertionError(f"{file} was not written")


async def test_output_and_exit_code(python: Python, tmp_path: Path) -> None:
    done = await python(
        "import sys\nprint('out é')\nprint('err', file=sys.stderr)\nsys.exit(3)", tmp_path
    )
    assert (done.stdout, done.stderr, done.exit_code) == ("out é\n", "err\n", 3)
    assert not done.ok
    assert done.how() == "exit code 3"
    assert not left_in(done.scratch)


async def test_wall_time_keeps_what_was_printed(python: Python, tmp_path: Path) -> None:
    began = time.monotonic()
    done = await python("import time\nprint('a')\ntime.sleep(60)", tmp_path, Limits(seconds=2))
    assert time.monotonic() - began < 15
    assert done.stdout == "a\n"
    assert done.how() == "stopped by the time limit of 2 s"


async def test_cpu_time(python: Python, tmp_path: Path) -> None:
    done = await python("while True: pass", tmp_path, Limits(seconds=30, cpu_seconds=1))
    assert done.limit == "the CPU time limit of 1 s"
    assert done.exit_code == -signal.SIGXCPU


async def test_memory_of_one_process(python: Python, tmp_path: Path) -> None:
    limits = Limits(seconds=30, memory_bytes=60 * 1024**2)
    code = "import time\nx = b'x' * (100 * 1024**2)\ntime.sleep(30)"
    done = await python(code, tmp_path, limits)
    assert done.limit == "the memory limit of 60 MB"
    assert done.seconds < 20


async def test_memory_of_the_tree(python: Python, tmp_path: Path) -> None:
    code = (
        "import os, time\n"
        "for _ in range(3):\n"
        "    if os.fork() == 0: break\n"
        "x = b'x' * (30 * 1024**2)\n"
        "time.sleep(30)\n"
    )
    done = await python(code, tmp_path, Limits(seconds=30, memory_bytes=90 * 1024**2))
    assert done.limit == "the memory limit of 90 MB"


async def test_one_huge_allocation(python: Python, tmp_path: Path) -> None:
    done = await python("x = bytearray(10**11)", tmp_path)
    assert done.limit == "the memory limit of 8,192 MB"
    assert "MemoryError" in done.stderr


async def test_size_of_a_file(python: Python, tmp_path: Path) -> None:
    code = "f = open('big', 'wb')\nf.write(b'x' * 3_000_000)\nf.flush()"
    done = await python(code, tmp_path, Limits(seconds=20, file_bytes=1024**2))
    assert done.limit == "the limit of 1 MB for a file"
    assert (tmp_path / "big").stat().st_size <= 1024**2


async def test_output_keeps_head_and_tail(python: Python, tmp_path: Path) -> None:
    code = "print('first')\nprint('x' * 300_000)\nprint('last')"
    done = await python(code, tmp_path, Limits(seconds=20, kept_bytes=2000))
    assert done.ok
    assert done.stdout.startswith("first\n")
    assert done.stdout.endswith("\nlast\n")
    assert "bytes left out" in done.stdout
    assert len(done.stdout) < 2200


async def test_endless_output_is_ended(python: Python, tmp_path: Path) -> None:
    limits = Limits(seconds=30, output_bytes=2 * 1024**2)
    done = await python("while True: print('x' * 10000)", tmp_path, limits)
    assert done.limit == "the limit of 2 MB of output"
    assert len(done.stdout) < 100_000


async def test_number_of_processes(python: Python, tmp_path: Path) -> None:
    code = "import os, time\nfor _ in range(12):\n    if os.fork() == 0: break\ntime.sleep(30)"
    done = await python(code, tmp_path, Limits(seconds=30, processes=8))
    assert done.limit == "the limit of 8 processes"


# Each process takes a ticket for every child, so that there are never more than 3,000.
BOMB = """\
import os, time
tickets, into = os.pipe()
os.write(into, b"x" * 3000)
os.set_blocking(tickets, False)
end = time.monotonic() + 15
while time.monotonic() < end:
    try:
        if os.read(tickets, 1):
            os.fork()
    except OSError:
        pass
"""


@pytest.mark.parametrize("alone", [False, True], ids=["in one group", "each in its own"])
async def test_a_tree_that_grows_faster_than_it_is_walked(
    sandbox: LocalSandbox, python: Python, tmp_path: Path, alone: bool
) -> None:
    if alone and sandbox.name == "unsafe":
        pytest.skip("without a sandbox that is not held")
    code = BOMB.replace("os.fork()", "os.fork() or os.setsid()") if alone else BOMB
    done = await python(code, tmp_path)
    # By itself it would go on for 15 s, and then end well.
    assert done.limit == "the limit of 64 processes"
    for _ in range(40):
        if not alive(tmp_path):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"still there: {alive(tmp_path)}")


async def test_memory_cannot_be_hidden_in_thousands_of_descriptors(
    python: Python, tmp_path: Path
) -> None:
    code = """\
import resource, socket
print(resource.getrlimit(resource.RLIMIT_NOFILE))
held = []
try:
    while True:
        held.append(socket.socketpair())
except OSError:
    print(len(held) < 520)
"""
    done = await python(code, tmp_path)
    assert done.stdout.splitlines()[-1] == "True", done


async def test_cpu_time_though_the_signal_is_ignored(python: Python, tmp_path: Path) -> None:
    code = "import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass"
    done = await python(code, tmp_path, Limits(seconds=30, cpu_seconds=1))
    assert done.limit == "the CPU time limit of 1 s"


async def test_an_exit_code_is_no_proof_of_a_limit(python: Python, tmp_path: Path) -> None:
    done = await python("import sys\nsys.exit(152)", tmp_path)
    assert (done.ok, done.limit) == (False, "")


# Each writes 60 MB where a walk by paths, or by open files, does not find them.
WRITE = "    open(name, 'wb').write(b'x' * 20 * 1024**2)\n"
HIDDEN = {
    "below a long path": (
        "import os, time\n"
        "for _ in range(25):\n    os.mkdir('d' * 200); os.chdir('d' * 200)\n"
        f"for name in 'abc':\n{WRITE}"
        "time.sleep(8)"
    ),
    "far down": (
        "import os, time\n"
        "for _ in range(200):\n    os.mkdir('d'); os.chdir('d')\n"
        f"for name in 'abc':\n{WRITE}"
        "time.sleep(8)"
    ),
    "deleted but mapped": (
        "import ctypes, os, time\n"
        "libc = ctypes.CDLL(None)\n"
        "size = ctypes.c_size_t(4096)\n"
        f"for name in 'abc':\n{WRITE}"
        "    file = os.open(name, os.O_RDWR)\n"
        "    os.fsync(file)\n"
        "    libc.mmap(None, size, 1, 1, file, ctypes.c_long(0))\n"
        "    os.unlink(name); os.close(file)\n"
        "time.sleep(8)"
    ),
}


@pytest.mark.parametrize("how", HIDDEN)
async def test_disk_use_that_hides(
    sandbox: LocalSandbox, python: Python, tmp_path: Path, how: str
) -> None:
    done = await python(HIDDEN[how], tmp_path, Limits(seconds=6, disk_bytes=30 * 1024**2))
    shutil.rmtree(tmp_path / "d", ignore_errors=True)
    assert done.limit == "the limit of 30 MB on disk"


async def test_input_fails_at_once(python: Python, tmp_path: Path) -> None:
    done = await python("input()", tmp_path)
    assert "EOFError" in done.stderr
    assert done.seconds < 10


CHILD = "import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(60)"
DETACHED = (
    "import os, subprocess, sys\n"
    f"subprocess.Popen([sys.executable, '-c', {CHILD!r}], start_new_session=True)\n"
    "import time\n"
    "while not os.path.exists('pid') or not open('pid').read(): time.sleep(0.02)\n"
)
# No parent, no process group, no pipe in common with the script.
DAEMON = (
    "import os, time\n"
    "if os.fork() == 0:\n"
    "    os.setsid()\n"
    "    if os.fork(): os._exit(0)\n"
    "    os.closerange(0, 3)\n"
    "    f = open('pid', 'w'); f.write(str(os.getpid())); f.close()\n"
    "    time.sleep(60)\n"
    "while not os.path.exists('pid') or not open('pid').read(): time.sleep(0.02)\n"
)


@pytest.mark.parametrize("code", [DETACHED, DAEMON], ids=["detached", "daemon"])
async def test_nothing_outlives_a_normal_end(python: Python, tmp_path: Path, code: str) -> None:
    done = await python(code, tmp_path)
    assert done.ok, done.stderr
    assert done.seconds < 15
    assert (tmp_path / "pid").read_text()
    assert alive(tmp_path) == []


async def test_nothing_outlives_the_time_limit(python: Python, tmp_path: Path) -> None:
    done = await python(DAEMON + "time.sleep(60)", tmp_path, Limits(seconds=2))
    assert done.limit.startswith("the time limit")
    assert (tmp_path / "pid").read_text()
    assert alive(tmp_path) == []


async def test_nothing_outlives_cancellation(python: Python, tmp_path: Path) -> None:
    task = asyncio.create_task(python(DETACHED + "time.sleep(60)", tmp_path))
    await asyncio.to_thread(until, tmp_path / "pid")
    assert len(alive(tmp_path)) >= 2
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert alive(tmp_path) == []


PARENT = """\
import asyncio, sys
from pathlib import Path
from replan.tools.sandbox.choose import BACK_ENDS
from replan.tools.sandbox.protocol import PYTHON, Job, Limits
from replan.tools.sandbox.session import run
code = "import time; open('started', 'w').write('x'); time.sleep(60)"
job = Job((PYTHON, "-c", code), Path(sys.argv[1]), environment={"MARK": sys.argv[1]})
asyncio.run(run(job, Limits(), BACK_ENDS[sys.argv[2]]))
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_it_dies_with_its_parent(
    sandbox: LocalSandbox, tmp_path: Path, how: signal.Signals
) -> None:
    if how == signal.SIGKILL and not sys.platform.startswith("linux"):
        pytest.skip("only Linux ends children with their parent")
    command = [sys.executable, "-c", PARENT, str(tmp_path), sandbox.name]
    # Killed, it cannot remove its scratch folder.
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    parent = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    until(tmp_path / "started")
    assert alive(tmp_path)
    os.kill(parent.pid, how)
    parent.wait(10)
    for _ in range(40):
        if not alive(tmp_path):
            return
        time.sleep(0.05)
    raise AssertionError(f"still there: {alive(tmp_path)}")


async def test_the_environment_holds_no_keys(
    python: Python, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "TAVILY_API_KEY", "DATABASE_URL", "ANYTHING"):
        monkeypatch.setenv(name, "s3cret")
    monkeypatch.setenv("PYTHONSTARTUP", "/nowhere")
    done = await python("import os\nprint(dict(os.environ))", tmp_path)
    assert "s3cret" not in done.stdout
    assert "PYTHONSTARTUP" not in done.stdout
    assert f"'HOME': '{done.scratch}/home'" in done.stdout


async def test_nothing_of_the_workspace_runs_before_the_limits(
    sandbox: LocalSandbox, tmp_path: Path
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('shadowed')")
    job = Job(("echo", "hello"), tmp_path, environment={"PYTHONPATH": "."})
    done = await run(job, Limits(), sandbox)
    assert done.stdout == "hello\n"


async def test_a_program_that_is_not_there(sandbox: LocalSandbox, tmp_path: Path) -> None:
    done = await run(Job(("no-such-program",), tmp_path), Limits(), sandbox)
    assert done.exit_code != 0
    assert "no-such-program" in done.stderr or "FileNotFoundError" in done.stderr
