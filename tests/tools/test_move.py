"""Moves: all or none, never over another file, never out of the workspace."""

from pathlib import Path, PurePath
from typing import Any

import pytest

from replan.tools import beneath
from replan.tools.workspace import Workspace


def move(to: str, *files: str) -> dict[str, Any]:
    return {"files": list(files), "to": to}


@pytest.fixture
def tree(workspace: Workspace) -> Path:
    for path in ("a.md", "b.md", "c.txt", "sub/d.md", ".git/e.md"):
        file = workspace.path / path
        file.parent.mkdir(exist_ok=True)
        file.write_text(path)
    return workspace.path


def paths(folder: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


@pytest.mark.parametrize(
    ("moves", "there"),
    [
        ([move("notes", "*.md")], ["notes/a.md", "notes/b.md", "c.txt", "sub/d.md"]),
        ([move("notes/", "a.md", "c.txt")], ["b.md", "notes/a.md", "notes/c.txt", "sub/d.md"]),
        ([move("one", "**/*.md")], ["c.txt", "one/a.md", "one/b.md", "one/d.md"]),
        ([move("z.txt", "a.md")], ["b.md", "c.txt", "sub/d.md", "z.txt"]),
        ([move("v1.0", "a.md")], ["b.md", "c.txt", "sub/d.md", "v1.0/a.md"]),
        ([move("x", "*")], ["sub/d.md", "x/a.md", "x/b.md", "x/c.txt"]),
        ([move("z.md", "a.md")], ["b.md", "c.txt", "sub/d.md", "z.md"]),
        ([move("deep/er/z.md", "a.md")], ["b.md", "c.txt", "deep/er/z.md", "sub/d.md"]),
        ([move("z.md/", "a.md")], ["b.md", "c.txt", "sub/d.md", "z.md/a.md"]),
        ([move("txt", "c.txt")], ["a.md", "b.md", "sub/d.md", "txt/c.txt"]),
        ([move("sub", "a.md"), move("x", "b.md")], ["c.txt", "sub/a.md", "sub/d.md", "x/b.md"]),
        ([move(".", "sub/d.md")], ["a.md", "b.md", "c.txt", "d.md"]),
        ([move("new", "sub")], ["a.md", "b.md", "c.txt", "new/d.md"]),
        ([move("sub", "sub/*.md", "a.md")], ["b.md", "c.txt", "sub/a.md", "sub/d.md"]),
    ],
)
async def test_moves(call, tree: Path, moves: list[dict[str, Any]], there: list[str]) -> None:
    seen = await call("move_files", moves=moves)
    assert seen.ok, seen.error
    assert seen.text.startswith("moved ")
    assert [path for path in paths(tree) if not path.startswith(".git")] == sorted(there)
    assert (tree / ".git" / "e.md").read_text() == ".git/e.md"


@pytest.mark.parametrize(
    ("moves", "why"),
    [
        ([move("x", "*.pdf")], "no file matches *.pdf. There are: a.md, b.md, c.txt, sub."),
        ([move("x", "no.md")], "there is no file no.md"),
        ([move("sub", "sub/*.md")], "nothing changes"),
        ([move("b.md", "a.md")], "b.md is there already"),
        ([move("x", "a.md"), move("y", "a.md")], "two places"),
        ([move("x", "sub/d.md"), move("x/d.md", "a.md")], "two files would become x/d.md"),
        ([move("c.txt/x", "a.md")], "c.txt is a file, not a folder"),
        ([move("sub/in", "sub")], "lies in what is to be moved"),
        ([move("../x", "a.md")], "outside the workspace"),
        ([move("x", "../*")], "outside the workspace"),
        ([move("x", "/etc/*")], "outside the workspace"),
        ([move("x", ".git")], "not to be moved"),
        ([move("x", "[")], "no file matches ["),
        ([move("x", ".git/e.md")], "not to be moved"),
        ([move(".git/x", "a.md")], "nothing is to be put into"),
        ([move("x", "sub", "sub/d.md")], "lies in what is to be moved"),
        ([move("x", "a.md"), move("y", "*.pdf")], "no file matches"),
        ([], "wrong arguments"),
    ],
)
async def test_what_cannot_be_done_moves_nothing(
    call, tree: Path, moves: list[dict[str, Any]], why: str
) -> None:
    before = paths(tree)
    seen = await call("move_files", moves=moves)
    assert not seen.ok
    assert why in seen.error
    assert paths(tree) == before


async def test_nothing_is_reached_through_a_link(call, tree: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.md").write_text("secret")
    (tree / "link").symlink_to(outside)
    for pattern in ("*/secret.md", "link/secret.md", "link/*", "**/secret.md"):
        seen = await call("move_files", moves=[move("x", pattern)])
        assert not seen.ok
    assert not (await call("move_files", moves=[move("link/x", "a.md")])).ok
    assert paths(outside) == ["secret.md"]


async def test_protected_files_stay(call, tree: Path) -> None:
    for source in ("*.md", "a.md"):
        seen = await call("move_files", moves=[move("x", source)], protected=["a.md"])
        assert "a.md must not be changed" in seen.error
    seen = await call("move_files", moves=[move("x", "sub")], protected=["sub/d.md"])
    assert "sub must not be changed" in seen.error
    assert (tree / "a.md").exists()
    assert (tree / "sub" / "d.md").exists()


async def test_a_link_is_moved_as_it_is(call, tree: Path, tmp_path: Path) -> None:
    (tmp_path / "far.txt").write_text("far")
    (tree / "near.txt").symlink_to(tmp_path / "far.txt")
    seen = await call("move_files", moves=[move("x", "*.txt")], protected=["a.md"])
    assert seen.ok, seen.error
    assert (tree / "x" / "near.txt").is_symlink()
    assert (tmp_path / "far.txt").read_text() == "far"


async def test_a_move_that_fails_leaves_nothing_behind(call, tree: Path, monkeypatch) -> None:
    rename = beneath.move

    def failing(root: Path, source: PurePath, target: PurePath) -> None:
        if source.name == "b.md":
            raise OSError(28, "No space left on device")
        rename(root, source, target)

    monkeypatch.setattr(beneath, "move", failing)
    seen = await call("move_files", moves=[move("deep/er", "*.md")])
    assert seen.error == "nothing was moved: No space left on device."
    assert (tree / "a.md").exists()
    assert not (tree / "deep").exists()
