"""Deleting: what was named and nothing else."""

from pathlib import Path

import pytest

from replan.state.approval import parse_rule
from replan.state.task import Action
from replan.tools.policy import Policy
from replan.tools.toolbox import Toolbox
from replan.tools.workspace import Workspace


@pytest.fixture
def tree(workspace: Workspace, tmp_path: Path) -> Path:
    (tmp_path / "far").mkdir()
    (tmp_path / "far/away.md").write_text("far")
    for path in ("a.md", "b.md", "sub/c.md", "sub/deep/d.md", ".git/e", "repo/.git/f", "repo/g.md"):
        workspace.write_bytes(path, b"x")
    (workspace.path / "empty").mkdir()
    (workspace.path / "link").symlink_to(tmp_path / "far")
    (workspace.path / "near").symlink_to("a.md")
    (workspace.path / "short").symlink_to("sub")
    return workspace.path


def everything(tree: Path) -> list[Path]:
    return sorted(tree.rglob("*"))


@pytest.mark.parametrize(
    ("path", "whole", "said", "changed"),
    [
        ("a.md", False, "deleted a.md", ["a.md"]),
        ("./sub/../b.md", True, "deleted ./sub/../b.md", ["b.md"]),
        ("short/c.md", False, "deleted short/c.md", ["sub/c.md"]),
        ("empty", False, "deleted the folder empty with 0 files", []),
        ("sub/", True, "deleted the folder sub/ with 2 files", ["sub/c.md", "sub/deep/d.md"]),
        ("link", False, "deleted link", ["link"]),
        ("link/", True, "deleted link/", ["link"]),
        ("near", False, "deleted near", ["near"]),
    ],
)
async def test_what_is_deleted(
    call, tree: Path, tmp_path: Path, path: str, whole: bool, said: str, changed: list[str]
) -> None:
    seen = await call("delete_file", path=path, whole=whole)
    assert (seen.error, seen.text, seen.changed) == ("", said, changed)
    assert (tmp_path / "far/away.md").read_text() == "far"
    assert (tree / ".git/e").exists()
    assert (tree / "empty").exists() is (path != "empty")


@pytest.mark.parametrize(
    ("path", "whole", "why"),
    [
        ("sub", False, "sub is a folder with 2 files. To delete it with all that is in it"),
        ("no.md", False, "no.md does not exist"),
        (".", True, ". is not to be deleted"),
        ("sub/..", True, "sub/.. is not to be deleted"),
        (".git", True, ".git is not to be deleted"),
        (".git/e", False, ".git/e is not to be deleted"),
        ("repo", True, "repo holds a repository of git"),
        ("link/away.md", False, "outside the workspace"),
        ("../far", True, "outside the workspace"),
        ("..", True, "outside the workspace"),
    ],
)
async def test_what_is_not(call, tree: Path, path: str, whole: bool, why: str) -> None:
    before = everything(tree)
    seen = await call("delete_file", path=path, whole=whole)
    assert not seen.ok
    assert why in seen.error
    assert everything(tree) == before


@pytest.mark.parametrize(
    ("path", "protected"),
    [
        ("a.md", "a.md"),
        ("./a.md", "sub/../a.md"),
        ("a.md", "near"),
        ("sub", "sub/deep/d.md"),
        ("short/c.md", "sub/c.md"),
    ],
)
async def test_protected_files_stay(call, tree: Path, path: str, protected: str) -> None:
    seen = await call("delete_file", path=path, whole=True, protected=[protected, "../x", "no.md"])
    assert f"{path} must not be changed." in seen.error
    assert "put back" not in seen.text
    assert (tree / path).exists()


def test_what_approval_rules_see(toolbox: Toolbox, tree: Path, workspace: Workspace) -> None:
    tool = toolbox.get("delete_file")
    assert tool.subjects({"path": "./sub"}, workspace) == ["sub", "sub/c.md", "sub/deep/d.md"]
    assert tool.subjects({"path": "short/c.md"}, workspace) == ["sub/c.md"]


@pytest.mark.parametrize("hidden", [".venv", "node_modules", "__pycache__", ".pytest_cache"])
async def test_what_other_tools_leave_out_is_seen(workspace: Workspace, hidden: str) -> None:
    for path in (f"a/{hidden}/secret.md", "a/b.md"):
        workspace.write_bytes(path, b"x")
    rules = Policy((parse_rule("deny:*(*secret.md)"),))
    action = Action(tool="delete_file", args={"path": "a", "whole": True})
    seen = await Toolbox(workspace, policy=rules).call(action)
    assert (seen.ok, seen.reason) == (False, "denied")
    seen = await Toolbox(workspace).call(action, protected=[f"a/{hidden}/secret.md"])
    assert "a must not be changed" in seen.error
    assert (workspace.path / f"a/{hidden}/secret.md").exists()
    assert (await Toolbox(workspace).call(action)).text == "deleted the folder a with 2 files"


async def test_one_file_beyond_many(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(30):
        workspace.write_bytes(f"a/{number}/x", b"x")
    monkeypatch.setattr("replan.tools.delete._MOST_FILES", 20)
    action = Action(tool="delete_file", args={"path": "a", "whole": True})
    seen = await Toolbox(workspace).call(action)
    assert "a holds more than 20 files. Delete the folders in it one by one." in seen.error
    assert (workspace.path / "a/0/x").exists()


async def test_a_folder_deeper_than_the_stack(call, workspace: Workspace) -> None:
    code = "import os\nfor name in ['d'] + ['deep'] * 1100:\n    os.mkdir(name); os.chdir(name)"
    seen = await call("python", code=f"{code}\nopen('secret.md', 'w').write('x')")
    assert seen.ok, seen.error
    args = {"path": "d", "whole": True}
    denied = Toolbox(workspace, policy=Policy((parse_rule("deny:*(*secret.md)"),)))
    assert (await denied.call(Action(tool="delete_file", args=args))).reason == "denied"
    seen = await call("delete_file", **args)
    assert seen.text == "deleted the folder d with 1 file"
    assert everything(workspace.path) == []
