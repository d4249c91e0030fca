import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from replan.state.task import Action
from replan.tools.sandbox.choose import BACK_ENDS
from replan.tools.sandbox.protocol import PYTHON, Confinement, Job, Limits, SandboxError
from replan.tools.sandbox.session import LocalSession
from replan.tools.sandbox.sessions import SESSIONS, Sessions
from replan.tools.toolbox import Toolbox
from replan.tools.workspace import Workspace, open_workspace


@pytest.fixture(params=list(BACK_ENDS))
async def session(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[LocalSession]:
    opened = BACK_ENDS[request.param].open(tmp_path, Limits(memory_bytes=300 * 1024**2))
    yield opened
    await opened.close()


def beneath(folder: Path) -> list[psutil.Process]:
    """The processes that work in a folder's session."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get("PYTHONPATH") == str(folder):
                found.append(process)
    return found


LONG = "import time\nopen('begun', 'w').write('x')\ntime.sleep(60)"


async def begun(folder: Path) -> None:
    """Wait until the long code runs."""
    for _ in range(300):
        if (folder / "begun").exists():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it did not begin")


async def test_variables_stay_and_errors_do_not_end_it(session: LocalSession) -> None:
    first = await session.execute("import math\nx = 41\nprint('é')", 10)
    assert (first.stdout, first.exit_code, first.fresh) == ("é\n", 0, True)
    failed = await session.execute("def f():\n    return x / 0\nf()", 10)
    assert (failed.exit_code, failed.fresh, failed.variables) == (1, False, "x is 41")
    assert failed.stderr.splitlines()[1].strip() == 'File "script.py", line 3, in <module>'
    assert failed.stderr.endswith("ZeroDivisionError: division by zero\n")
    assert (await session.execute("import sys\nsys.exit(3)", 10)).exit_code == 3
    assert "SyntaxError" in (await session.execute("x = (", 10)).stderr
    assert (await session.execute("print(x + 1, math.pi > 3)", 10)).stdout == "42 True\n"
    done = await session.execute("class C: pass\nimport pickle\nprint(len(pickle.dumps(C())))", 10)
    assert done.ok, done.stderr


async def test_time_out_keeps_the_variables_of_code_that_can_be_interrupted(
    session: LocalSession,
) -> None:
    await session.execute("x = 1", 10)
    late = await session.execute("print('a')\nimport time\ntime.sleep(60)", 0.5)
    assert late.stdout == "a\n"
    assert late.how() == "stopped by the time limit of 0.5 s"
    assert (await session.execute("print(x)", 10)).stdout == "1\n"
    deaf = "while True:\n    try:\n        time.sleep(9)\n    except BaseException:\n        pass"
    assert (await session.execute(deaf, 0.5)).limit == "the time limit of 0.5 s"
    after = await session.execute("print('x' in globals())", 10)
    assert (after.stdout, after.fresh) == ("False\n", True)


async def test_interrupt(session: LocalSession, tmp_path: Path) -> None:
    await session.interrupt()
    await session.execute("x = 1", 10)
    await session.interrupt()
    running = asyncio.create_task(session.execute(LONG, 30))
    await begun(tmp_path)
    await session.interrupt()
    done = await running
    assert "KeyboardInterrupt" in done.stderr
    assert (done.limit, done.seconds < 20) == ("", True)
    assert (await session.execute("print(x)", 10)).stdout == "1\n"


async def test_what_ends_the_python_is_survived(session: LocalSession, tmp_path: Path) -> None:
    done = await session.execute("import os\nos._exit(7)", 10)
    assert (done.ok, done.exit_code) == (False, 7)
    done = await session.execute("import os\nos.kill(os.getpid(), 11)", 10)
    assert done.how() == "killed by SIGSEGV"
    # It writes what is no answer where answers are expected.
    forge = (
        "import os\nfor fd in range(3, 40):\n    try: os.write(fd, b'\\xff' * 100)\n"
        "    except OSError: pass\nimport time; time.sleep(20)"
    )
    done = await session.execute(forge, 10)
    assert not done.ok
    assert done.seconds < 15
    done = await session.execute("x = b'x' * (400 * 1024**2)\nimport time; time.sleep(9)", 20)
    assert done.limit == "the memory limit of 300 MB"
    assert (await session.execute("print(1)", 10)).fresh


async def test_nothing_runs_between_the_calls(session: LocalSession, tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, threading, time\n"
        "def beat(name):\n"
        "    while True:\n"
        "        with open(name, 'a') as file: file.write('x')\n"
        "        time.sleep(0.01)\n"
        "threading.Thread(target=beat, args=['thread'], daemon=True).start()\n"
        "loop = \"import time\\nwhile True: open('process', 'a').write('x'); time.sleep(0.01)\"\n"
        "subprocess.Popen([sys.executable, '-c', loop], start_new_session=True)\n"
        "while True:\n"
        "    try:\n"
        "        if open('process').read(): break\n"
        "    except OSError: time.sleep(0.01)\n"
    )
    done = await session.execute(code, 10)
    assert done.ok, done.stderr
    sizes = [(tmp_path / name).stat().st_size for name in ("thread", "process")]
    await asyncio.sleep(0.3)
    assert [(tmp_path / name).stat().st_size for name in ("thread", "process")] == sizes
    await session.execute("time.sleep(0.2)", 10)
    now = [(tmp_path / name).stat().st_size for name in ("thread", "process")]
    assert now[0] > sizes[0]
    assert now[1] == sizes[1]


async def test_close_ends_all_of_it(session: LocalSession, tmp_path: Path) -> None:
    running = asyncio.create_task(session.execute(LONG, 50))
    await begun(tmp_path)
    assert beneath(tmp_path)
    await session.close()
    assert (await running).limit == "cancellation"
    assert beneath(tmp_path) == []
    with pytest.raises(SandboxError, match="closed"):
        await session.execute("1", 1)
    with pytest.raises(SandboxError, match="closed"):
        await session.command(Job((PYTHON, "-c", "1"), tmp_path), 1)


async def test_cancelling_a_call_ends_its_python(session: LocalSession, tmp_path: Path) -> None:
    running = asyncio.create_task(session.execute(LONG, 50))
    await begun(tmp_path)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert beneath(tmp_path) == []
    assert (await session.execute("print(1)", 10)).fresh


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return open_workspace(tmp_path / "work", create=True)


async def test_a_tool_call_keeps_variables_only_when_asked(workspace: Workspace) -> None:
    toolbox = Toolbox(workspace)

    async def python(code: str, session: str = "") -> str:
        seen = await toolbox.call(Action(tool="python", args={"code": code}), session=session)
        return seen.text + seen.error

    try:
        said = await python("x = 1\nprint(x)", "thread/t1")
        assert said == "(new Python session: there are no variables of earlier calls)\n1"
        assert await python("print(x)", "thread/t1") == "1"
        assert "NameError" in await python("print(x)", "thread/t2")
        assert "NameError" in await python("print(x)")
        await SESSIONS.close("thread/t1")
        assert "NameError" in await python("print(x)", "thread/t1")
        await python("y = 1", "thread/t2")
        await SESSIONS.close("thread")
        assert "new Python session" in await python("print(1)", "thread/t2")
    finally:
        await SESSIONS.close("thread")
    assert beneath(workspace.path) == []


async def test_idle_sessions_are_closed(tmp_path: Path) -> None:
    sessions = Sessions(idle_seconds=0.6)
    session = sessions.of("t", tmp_path, Confinement("landlock"))
    assert (await session.execute("x = 1", 10)).ok
    assert sessions.of("t", tmp_path, Confinement("landlock")) is session
    for _ in range(100):
        await asyncio.sleep(0.1)
        if not session.open:
            break
    assert not session.open
    assert beneath(tmp_path) == []
    assert sessions.of("t", tmp_path, Confinement("landlock")) is not session
    await sessions.close("t")


def there(place: str) -> bool:
    return Path(place).exists()


async def test_a_home_deeper_than_the_stack_is_removed(
    session: LocalSession, tmp_path: Path
) -> None:
    code = "import os\nos.chdir(os.environ['HOME'])\nfor _ in range(1100):\n"
    code += "    os.mkdir('deep'); os.chdir('deep')"
    done = await session.command(Job((PYTHON, "-c", code), tmp_path), 20)
    assert done.ok, done.stderr
    assert not there(done.scratch)
    kept = await session.execute(code, 20)
    assert kept.ok, kept.stderr
    assert there(kept.scratch)
    await session.close()
    assert not there(kept.scratch)


# Chains of processes that end as soon as they have forked: each look finds others. For 8 seconds.
CHAINS = """\
import os, time
for _ in range(12):
    if os.fork() == 0:
        end = time.monotonic() + 8
        while time.monotonic() < end:
            if os.fork():
                os._exit(0)
            open('alive', 'a').write('x')
        os._exit(0)
"""
# A process that answers in the worker's place, all the time, for 8 seconds.
ANSWERS = """\
import os, stat, time
for handle in range(3, 64):
    try:
        if stat.S_ISSOCK(os.fstat(handle).st_mode):
            break
    except OSError:
        pass
for _ in range(4):
    if os.fork() == 0:
        end = time.monotonic() + 8
        while time.monotonic() < end:
            if os.fork():
                os._exit(0)
            for _ in range(20):
                try:
                    os.write(handle, b'\\x01\\0\\0\\0\\0')
                except BlockingIOError:
                    break
        os._exit(0)
"""


@pytest.mark.parametrize("code", [CHAINS, ANSWERS], ids=["chains", "answers"])
async def test_nothing_goes_on_between_calls(
    session: LocalSession, tmp_path: Path, code: str
) -> None:
    if session._sandbox.name == "unsafe":
        pytest.skip("without a sandbox that is not held")
    await asyncio.wait_for(session.execute(code, 5), 8)
    alive = tmp_path / "alive"
    before = alive.stat().st_size if alive.exists() else 0
    await asyncio.sleep(0.5)
    assert (alive.stat().st_size if alive.exists() else 0) == before
    assert (await asyncio.wait_for(session.execute("print(1)", 5), 8)).stdout == "1\n"


FORGED = """\
import os, stat, time
for handle in range(3, 64):
    try:
        if stat.S_ISSOCK(os.fstat(handle).st_mode):
            break
    except OSError:
        pass
os.write(handle, b'\\x01\\0\\0\\0\\0')
time.sleep(0.3)
print('true')
"""


async def test_an_answer_made_up_in_the_middle_ends_no_call(session: LocalSession) -> None:
    done = await session.execute(FORGED, 10)
    assert (done.ok, done.stdout) == (True, "true\n")
    after = await session.execute("print(1)", 10)
    assert (after.stdout, after.fresh) == ("1\n", True)
