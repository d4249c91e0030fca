"""Which sandbox is taken; what of the agent is in it; that the probe sees what leaks."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from replan.state.context import Context
from replan.state.task import Action, Check
from replan.tools.checks import run_checks
from replan.tools.packages import importable
from replan.tools.sandbox import choose as choosing
from replan.tools.sandbox import environment as environments
from replan.tools.sandbox.bubblewrap import Bubblewrap
from replan.tools.sandbox.choose import BACK_ENDS, choose
from replan.tools.sandbox.landlock import Landlock
from replan.tools.sandbox.local import Place, Plan
from replan.tools.sandbox.probe import canaries
from replan.tools.sandbox.protocol import PYTHON, Confinement, Job, Limits, SandboxError
from replan.tools.sandbox.session import run
from replan.tools.toolbox import Toolbox
from replan.tools.workspace import open_workspace

CONFINED = ("bubblewrap", "landlock")


@pytest.fixture
def verdicts(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What the probes found, to be set by the test."""
    found: dict[str, str] = {}
    monkeypatch.setattr(choosing, "_VERDICTS", found)
    return found


@pytest.mark.parametrize("name", CONFINED)
def test_the_probe_passes_what_holds(name: str) -> None:
    assert BACK_ENDS[name].probe() == ""


def test_the_probe_sees_what_does_not_hold() -> None:
    said = canaries(BACK_ENDS["unsafe"].run)
    assert "read a file outside" in said
    assert "write a file outside" in said
    assert "connect to a port of this machine" in said
    assert "read another process's environment" in said


def test_the_probe_sees_a_sandbox_without_network_rules() -> None:
    class NoSeccomp(Landlock):
        def confine(self, command: list[str], place: Place) -> Plan:
            plan = super().confine(command, place)
            reads = (*plan.landlock["read"], "/etc")
            return replace(plan, landlock={**plan.landlock, "read": reads, "write": ("/",)})

    assert NoSeccomp().probe().startswith("code in it can read a file outside")


def test_the_probe_sees_a_sandbox_that_does_not_start() -> None:
    class Broken(Bubblewrap):
        def confine(self, command: list[str], place: Place) -> Plan:
            plan = super().confine(command, place)
            return replace(plan, command=[*plan.command[:1], "--no-such-option"])

    assert Broken().probe().startswith("a program does not run in it")


def test_a_launcher_that_cannot_confine_runs_nothing(tmp_path: Path) -> None:
    class Wrong(Landlock):
        def confine(self, command: list[str], place: Place) -> Plan:
            return replace(super().confine(command, place), seccomp=b"\0" * 8)

    job = Job((PYTHON, "-c", "open('ran', 'w')"), tmp_path)
    done = Wrong().run(job, Limits(seconds=10), threading.Event())
    assert not done.ok
    assert not (tmp_path / "ran").exists()


def test_auto_takes_the_first_that_holds_and_never_none(verdicts: dict[str, str]) -> None:
    verdicts.update(bubblewrap="", landlock="", unsafe="")
    assert choose("auto").name == "bubblewrap"
    verdicts.update(bubblewrap="no namespaces")
    assert choose("auto").name == "landlock"
    verdicts.update(landlock="no Landlock")
    with pytest.raises(SandboxError, match=r"no namespaces; landlock: no Landlock") as caught:
        choose("auto")
    assert "sandbox=unsafe" in caught.value.todo
    assert choose("unsafe").name == "unsafe"
    with pytest.raises(SandboxError, match="no Landlock"):
        choose("landlock")
    with pytest.raises(SandboxError, match="There are: auto, bubblewrap, landlock, unsafe"):
        choose("docker")


def test_other_systems_are_refused_by_auto(
    verdicts: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(SandboxError, match="it needs Linux") as caught:
        choose("auto")
    assert caught.value.todo.startswith("Use Linux")


async def test_without_a_sandbox_nothing_runs(verdicts: dict[str, str], tmp_path: Path) -> None:
    verdicts.update(bubblewrap="no namespaces", landlock="no Landlock")
    workspace = open_workspace(tmp_path / "work", create=True)
    await workspace.write_text("s.py", "open('ran', 'w')")
    await workspace.write_text("test_s.py", "def test(): open('ran', 'w')")
    toolbox = Toolbox(workspace)
    for tool, args in (
        ("python", {"code": "open('ran', 'w')"}),
        ("run_script", {"path": "s.py"}),
        ("run_tests", {}),
    ):
        seen = await toolbox.call(Action(tool=tool, args=args))
        assert not seen.ok
        assert "no sandbox can be used here" in seen.error
        assert "sandbox=unsafe" in seen.error
    checked = await run_checks([Check(kind="tests_pass")], workspace, {})
    assert not checked[0].passed
    assert "no sandbox can be used" in checked[0].detail
    assert await workspace.files() == ["s.py", "test_s.py"]
    plain = Toolbox(workspace, confinement=Confinement("unsafe"))
    assert (await plain.call(Action(tool="run_script", args={"path": "s.py"}))).ok


def test_the_context_sets_the_limits() -> None:
    assert Confinement.of(Context()).limits.seconds == 30
    asked = Context(sandbox="landlock", max_memory_mb=100, max_disk_mb=20, max_processes=5)
    found = Confinement.of(asked)
    assert (found.sandbox, found.limits.processes) == ("landlock", 5)
    assert found.limits.memory_bytes == 100 * 1024**2
    assert found.limits.file_bytes == found.limits.disk_bytes == 20 * 1024**2


WORK = """\
import asyncio, json, os, shutil, sqlite3, subprocess, sys, tempfile, zipfile
import matplotlib.pyplot as plt
import numpy, pandas, tabulate
frame = pandas.DataFrame({'a': [1, 2]})
frame.plot(); plt.savefig('plot.png')
frame.to_csv('a.csv'); shutil.copy2('a.csv', 'b.csv')
with sqlite3.connect('a.db') as db: db.execute('create table t (x)')
with zipfile.ZipFile('a.zip', 'w') as z: z.write('a.csv')
with tempfile.NamedTemporaryFile('w') as f: f.write('x')
async def one(): return await asyncio.to_thread(lambda: 5)
assert asyncio.run(one()) == 5
out = subprocess.run([sys.executable, '-c', 'print(6)'], capture_output=True, text=True).stdout
assert out == '6\\n', out
wrong = []
for name in ('langgraph', 'psycopg', 'replan', 'openai', 'pip'):
    try: __import__(name); wrong.append(name)
    except ImportError: pass
try: open(numpy.__file__, 'a'); wrong.append('packages can be written')
except OSError: pass
print(json.dumps([wrong, sorted(os.listdir('.'))]))
"""


@pytest.mark.parametrize("name", CONFINED)
async def test_honest_work_and_nothing_of_the_agent(name: str, tmp_path: Path) -> None:
    done = await run(Job((PYTHON, "-c", WORK), tmp_path), Limits(seconds=60), BACK_ENDS[name])
    assert done.ok, done.stderr
    assert done.stderr == ""
    files = ["a.csv", "a.db", "a.zip", "b.csv", "plot.png"]
    assert json.loads(done.stdout) == [[], files]


def test_what_the_model_is_told_can_be_imported(tmp_path: Path) -> None:
    assert {"numpy", "pandas", "matplotlib", "tabulate", "pytest"} <= set(importable())
    code = f"import {', '.join(importable())}"
    python = environments.python_environment().python
    subprocess.run([str(python), "-c", code], check=True, cwd=tmp_path, env={"HOME": "/x"})


def test_the_environment_is_made_once_and_says_why_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, open_cache: Path
) -> None:
    made = list((open_cache / "sandbox").iterdir())
    assert len(made) == 1
    assert environments._environment(str(open_cache)).folder == made[0]
    assert list((open_cache / "sandbox").iterdir()) == made
    (tmp_path / "file").write_text("")
    with pytest.raises(SandboxError, match=r"cannot be made in .*set REPLAN_CACHE"):
        environments._environment(str(tmp_path / "file"))


def test_an_ordinary_user_chooses_the_same(
    run_as: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    code = "from replan.tools.sandbox.choose import verdict; print(*map(verdict, {CONFINED!r}))"
    done = run_as("ordinary", "-c", code.replace("{CONFINED!r}", repr(CONFINED)))
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr
