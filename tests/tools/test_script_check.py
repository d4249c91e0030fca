"""Whether a script runs is tried in a copy."""

import os

import pytest

from replan.state.task import Check
from replan.tools import script_check
from replan.tools.checks import run_checks
from replan.tools.workspace import Workspace


async def fault(workspace: Workspace, path: str = "s.py", text: str = "") -> str:
    checks = [Check(kind="script_runs", path=path, text=text)]
    (result,) = await run_checks(checks, workspace, {}, seconds=5)
    assert result.passed is not bool(result.detail)
    return result.detail


async def test_one_that_runs_leaves_nothing(workspace: Workspace) -> None:
    await workspace.write_text("in.txt", "7")
    await workspace.write_text("s.py", "open('out.txt', 'w').write(open('in.txt').read())")
    assert await fault(workspace) == ""
    assert await workspace.files() == ["in.txt", "s.py"]


async def test_one_that_fails_is_told_with_its_line(workspace: Workspace) -> None:
    await workspace.write_text("s.py", "totals = {}\ntotals['a'] += 1\n")
    assert (await fault(workspace)).startswith("KeyError: 'a' (s.py line 2: totals['a'] += 1)")


async def test_it_gets_its_arguments(workspace: Workspace) -> None:
    await workspace.write_text("s.py", "import sys\nassert sys.argv[1:] == ['a b', '--x']")
    assert await fault(workspace, text="'a b' --x") == ""
    assert "AssertionError" in await fault(workspace, text="'a")


@pytest.mark.parametrize(
    "code",
    [
        "while True: pass",
        "print(input('name? '))",
        "import sys\nprint(sys.argv[1])",
        "import argparse\nparser = argparse.ArgumentParser()\nparser.add_argument('path')\n"
        "parser.parse_args()",
        "import urllib.request\nurllib.request.urlopen('http://example.org')",
    ],
)
async def test_nothing_is_held_against_one_that_cannot_be_tried(
    workspace: Workspace, code: str
) -> None:
    await workspace.write_text("s.py", code)
    assert await fault(workspace) == ""


async def test_one_that_names_the_workspace_is_not_tried(workspace: Workspace) -> None:
    await workspace.write_text("s.py", f"open({str(workspace.path / 'gone.txt')!r})")
    assert await fault(workspace) == ""


async def test_one_that_is_not_there(workspace: Workspace) -> None:
    assert "does not exist" in await fault(workspace)


async def test_in_a_large_workspace_it_is_not_tried(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(script_check, "_MOST_BYTES", 3)
    await workspace.write_text("s.py", "raise SystemExit(1)")
    assert await fault(workspace) == ""


async def test_what_cannot_be_copied_is_not_tried(workspace: Workspace) -> None:
    await workspace.write_text("s.py", "raise SystemExit(1)")
    os.mkfifo(workspace.path / "pipe")
    assert await fault(workspace) == ""


async def test_of_many_files_no_copy_is_made(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(script_check, "_MOST_FILES", 1)
    await workspace.write_text("s.py", "raise SystemExit(1)")
    assert "exit code 1" in await fault(workspace)
    await workspace.write_text("a.txt", "a")
    assert await fault(workspace) == ""
