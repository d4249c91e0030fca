"""Listing and hashing: of many files quickly, of odd trees without harm."""

import hashlib
import os
import time
from pathlib import Path

import pytest

from replan.state.task import Action
from replan.tools.listing import MOST_FILES, hashes, walk
from replan.tools.toolbox import Toolbox
from replan.tools.workspace import Workspace

MANY = 10_000


@pytest.fixture
def many(workspace: Workspace) -> Workspace:
    for number in range(MANY):
        folder = workspace.path / f"folder{number % 50}"
        folder.mkdir(exist_ok=True)
        (folder / f"file{number}.txt").write_text(f"{number}\n")
    time.sleep(0.3)  # what changed just now is read again
    return workspace


async def test_ten_thousand_files(many: Workspace) -> None:
    first = await many.hashes()
    assert len(first) == len(await many.files()) == MANY
    assert first["folder7/file9957.txt"] == hashlib.sha256(b"9957\n").hexdigest()
    began = time.process_time()
    assert await many.hashes() == first
    # Seen: 70 ms of CPU on a busy machine; the first time, when all is read, 370 ms.
    assert time.process_time() - began < 0.3
    tools = Toolbox(many)
    args = {"path": "folder7/file9957.txt", "text": "new\n"}
    seen = await tools.call(Action(tool="write_file", args=args))
    assert seen.changed == ["folder7/file9957.txt"]
    listed = (await tools.call(Action(tool="list_files"))).text
    assert listed.endswith("(and 9800 more)")
    assert listed.count("\n") == 200
    found = await tools.call(
        Action(tool="search_files", args={"files": "folder7/*", "text": "^new$"})
    )
    assert found.text == "folder7/file9957.txt:1: new"


def test_what_did_not_change_is_not_read_again(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "abc":
        workspace.write_bytes(name, b"x")
    time.sleep(0.3)
    first = hashes(workspace.path)
    read: list[str] = []
    monkeypatch.setattr("replan.tools.listing._digest", lambda file: read.append("x") or "y")
    assert hashes(workspace.path) == first
    assert read == []
    workspace.write_bytes("b", b"x")
    assert hashes(workspace.path) == {**first, "b": "y"}
    assert len(read) == 1


@pytest.fixture
def deep(workspace: Workspace) -> Workspace:
    """Folders in folders, further down than any path can name."""
    workspace.write_bytes("z/after.txt", b"x")
    here = os.open(workspace.path, os.O_RDONLY)
    for _ in range(500):
        os.mkdir("d" * 10, dir_fd=here)
        below = os.open("d" * 10, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    return workspace


async def test_a_bottomless_tree_hides_nothing(deep: Workspace) -> None:
    assert await deep.files() == ["z/after.txt"]
    assert list(await deep.hashes()) == ["z/after.txt"]
    seen = await Toolbox(deep).call(
        Action(tool="delete_file", args={"path": "d" * 10, "whole": True})
    )
    assert seen.ok, seen.error
    assert not (deep.path / ("d" * 10)).exists()


def test_the_number_is_bounded(workspace: Workspace, tmp_path: Path) -> None:
    for number in range(30):
        workspace.write_bytes(f"f{number % 3}/g{number}", b"x")
        (workspace.path / f"empty{number}").mkdir()
    assert len(list(walk(workspace.path, 10))) == 0  # ten folders, the first of them empty
    assert len(list(walk(workspace.path, 34))) == 30
    assert MOST_FILES >= 2 * MANY
    assert list(walk(tmp_path / "no", 10)) == []
