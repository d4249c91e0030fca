import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from attacks import users
from run_own_code import ATTACKS, FILE_TOOLS

import replan.tools.own_code as own_code
from replan.tools.own_code import own_code_in
from replan.tools.sandbox.choose import BACK_ENDS
from replan.tools.sandbox.environment import python_environment
from replan.tools.sandbox.protocol import PYTHON, Job, Limits, SandboxError

Run = Callable[..., subprocess.CompletedProcess[str]]


def results(run_as: Run, user: str, sandbox: str) -> dict[str, dict[str, Any]]:
    done = run_as(user, "run_own_code.py", sandbox)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    assert set(found) == {"project", "above"}
    for seen in found.values():
        assert seen["ran"].endswith("place/project/src/replan/tools/sandbox/launcher.py")
    return found


def test_an_attack_works_without_a_sandbox(run_as: Run) -> None:
    for seen in results(run_as, "ordinary", "unsafe").values():
        assert seen["write the launcher"] == {"said": "done", "changed": True}


@pytest.mark.parametrize("user", users())
def test_bubblewrap_keeps_it_and_lets_the_rest_be_written(run_as: Run, user: str) -> None:
    for where, seen in results(run_as, user, "bubblewrap").items():
        assert seen["fine"] == {"said": "done", "changed": False}
        for name in ATTACKS:
            assert not seen[name]["changed"], (where, name)
            assert "Error" in seen[name]["said"], (where, name)


@pytest.mark.parametrize("user", users())
def test_landlock_cannot_and_says_what_to_do(run_as: Run, user: str) -> None:
    for seen in results(run_as, user, "landlock").values():
        for name in ("fine", *ATTACKS):
            assert not seen[name]["changed"]
            assert "the workspace holds" in seen[name]["said"]
            assert "install replan outside of this one" in seen[name]["said"]


def test_file_tools_leave_it_alone(run_as: Run) -> None:
    for seen in results(run_as, "ordinary", "landlock").values():
        assert set(seen["file tools"]) == set(FILE_TOOLS)
        for said in seen["file tools"].values():
            assert "must not be changed: replan itself runs from it" in said


def test_the_environment_shares_no_file_with_the_agent(open_cache: Path) -> None:
    shared = [
        path
        for path in python_environment().folder.rglob("*")
        if not path.is_symlink() and path.is_file() and path.stat().st_nlink > 1
    ]
    assert shared == []


@pytest.fixture
def prefix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where replan says that it runs from."""
    place = tmp_path / "real"
    place.mkdir()
    monkeypatch.setattr(sys, "prefix", str(place))
    own_code._found.cache_clear()
    yield place
    own_code._found.cache_clear()


def test_a_link_to_it_is_refused(
    prefix: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = tmp_path / "work"
    workspace.mkdir()
    assert not own_code_in(workspace).refusal
    (workspace / ".venv").symlink_to(prefix)
    monkeypatch.setattr(sys, "prefix", str(workspace / ".venv"))
    own_code._found.cache_clear()
    own = own_code_in(workspace)
    assert f"the workspace's link {workspace / '.venv'} leads" in own.refusal
    assert own.holds(workspace / ".venv")
    # A link that lies elsewhere and leads into it is followed.
    (tmp_path / "elsewhere").symlink_to(workspace / "in")
    (workspace / "in/venv").mkdir(parents=True)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "elsewhere/venv"))
    own_code._found.cache_clear()
    own = own_code_in(workspace)
    assert (own.kept, own.above) == ((workspace / "in/venv",), (workspace / "in",))
    assert own.moves_with(workspace / "in")
    assert not own.holds(workspace / "in")


def test_a_workspace_that_is_or_lies_in_it_is_refused(
    prefix: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "is a folder from which replan itself runs" in own_code_in(prefix).refusal
    inner = Path(own_code.__file__).parent / "sandbox"
    assert "from which replan itself runs" in own_code_in(inner).refusal
    job = Job((PYTHON, "-c", "print(1)"), inner)
    for name in ("bubblewrap", "landlock"):
        with pytest.raises(SandboxError, match="code is not run here"):
            BACK_ENDS[name].run(job, Limits(), _never())


def test_a_workspace_in_which_python_looks_first_is_refused(
    prefix: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    assert "own modules first" in own_code_in(tmp_path).refusal
    monkeypatch.setattr(sys, "path", [*sys.path[1:], str(tmp_path)])
    own_code._found.cache_clear()
    assert own_code_in(tmp_path).refusal == ""


def _never() -> Any:
    import threading

    return threading.Event()


def test_it_is_found_once(prefix: Path, tmp_path: Path) -> None:
    assert own_code_in(tmp_path) is own_code_in(tmp_path)
    assert os.fspath(prefix) in map(str, own_code_in(tmp_path).kept)
