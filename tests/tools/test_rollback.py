"""A one-off script that fails leaves nothing behind."""

import asyncio
import os
from pathlib import Path

import pytest

from replan.state.task import Action
from replan.tools import rollback
from replan.tools.toolbox import Toolbox
from replan.tools.workspace import Workspace

STOP = "\nraise SystemExit('half-way')"


@pytest.fixture
async def filled(workspace: Workspace) -> dict[str, str]:
    for path, text in {"a.txt": "a\n", "in/b.txt": "b\n", "in/deep/c.txt": "c\n"}.items():
        await workspace.write_text(path, text)
    (workspace.path / "empty").mkdir()
    (workspace.path / "link").symlink_to("a.txt")
    (workspace.path / "a.txt").chmod(0o640)
    return await workspace.hashes()


@pytest.mark.parametrize(
    "code",
    [
        "open('a.txt', 'a').write('x')",
        "open('new.txt', 'w').write('x')",
        "import os\nos.makedirs('out/deep')\nopen('out/deep/new.txt', 'w').write('x')",
        "import os\nos.rename('a.txt', 'z.txt')",
        "import os\nos.rename('in', 'moved')",
        "import shutil\nshutil.rmtree('in')",
        "import os\nos.remove('a.txt'); os.makedirs('a.txt/folder')",
        "import os\nos.remove('link'); open('link', 'w').write('x')",
        "import os\nos.remove('link'); os.symlink('/etc', 'link')",
        "import os\nos.rename('in', 'b'); os.symlink('b', 'in')",
        "import os\nos.rename('in', 'b'); open('in', 'w')",
        "import os\nos.rmdir('empty')",
        "import os\nos.symlink('/etc', 'etc')",
        "import os\nos.unlink('link'); os.makedirs('link'); open('link/y', 'w').write('x')",
        "import os\nfor name in ('a.txt', 'in/b.txt'):\n    os.remove(name)",
    ],
)
async def test_all_is_as_before(
    call, workspace: Workspace, filled: dict[str, str], code: str
) -> None:
    seen = await call("python", code=code + STOP)
    assert not seen.ok
    assert seen.changed == []
    assert await workspace.hashes() == filled
    assert (workspace.path / "a.txt").stat().st_mode & 0o777 == 0o640
    names = await asyncio.to_thread(os.listdir, workspace.path)
    assert set(names) == {"a.txt", "in", "empty", "link"}
    assert "half-way" in seen.error


async def test_what_it_printed_and_what_is_as_before_is_told(call, filled: dict[str, str]) -> None:
    code = "print('one')\nopen('a.txt', 'w')\nopen('new.txt', 'w')"
    seen = await call("python", code=code + STOP)
    assert seen.text.startswith("one\n")
    assert seen.text.endswith("It failed, so what it had changed is as before: a.txt, new.txt")


async def test_a_script_that_runs_too_long_too(call, workspace: Workspace, filled) -> None:
    seen = await call("python", code="open('a.txt', 'w')\nwhile True: pass", seconds=1)
    assert "time limit" in seen.reason
    assert await workspace.hashes() == filled


async def test_what_succeeds_stays(call, workspace: Workspace, filled: dict[str, str]) -> None:
    seen = await call("python", code="open('a.txt', 'w').write('x')")
    assert seen.ok
    assert seen.changed == ["a.txt"]
    assert await workspace.read_text("a.txt", 10) == "x"


async def test_a_script_of_the_workspace_is_not_undone(
    call, workspace: Workspace, filled: dict[str, str]
) -> None:
    await workspace.write_text("s.py", "open('new.txt', 'w').write('x')" + STOP)
    seen = await call("run_script", path="s.py")
    assert not seen.ok
    assert seen.changed == ["new.txt"]


async def test_nothing_outside_is_touched(call, workspace: Workspace, filled) -> None:
    outside = workspace.path.parent / "outside"
    outside.mkdir()
    (outside / "b.txt").write_text("mine")
    code = f"import os, shutil\nshutil.rmtree('in')\nos.symlink({str(outside)!r}, 'in')"
    await call("python", code=code + STOP)
    assert (outside / "b.txt").read_text() == "mine"
    assert await workspace.hashes() == filled


@pytest.mark.parametrize(("limit", "value"), [("MOST_FILES", 3), ("MOST_BYTES", 5)])
async def test_a_large_workspace_is_left_as_the_script_left_it(
    call, filled: dict[str, str], monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    monkeypatch.setattr(rollback, limit, value)
    seen = await call("python", code="open('new.txt', 'w')" + STOP)
    assert seen.changed == ["new.txt"]
    assert "as before" not in seen.text


async def test_no_copy_is_left(call, filled, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    await call("python", code="open('a.txt', 'w')" + STOP)
    await call("python", code="open('a.txt', 'w')")
    left = await asyncio.to_thread(os.listdir, tmp_path)
    assert not [name for name in left if name.startswith("replan-kept-")]


async def test_what_the_script_itself_removed_is_told_as_such(call, filled) -> None:
    code = "import glob, os\nfor path in sorted(glob.glob('*.txt') + glob.glob('in/*.txt')):\n"
    code += "    text = open(path).read()\n    os.path.exists('in/b.txt') and os.remove('in/b.txt')"
    seen = await call("python", code=code)
    assert "'in/b.txt'" in seen.error
    assert seen.error.endswith("first find out about all of them, then change them")


@pytest.mark.parametrize(
    "code",
    [
        "import os\nos.makedirs('by')\nos.rename('.git/HEAD', 'by/HEAD')",
        "import os\nos.rename('.git', 'git_old')",
        "import os\nos.rename('sub', 'new')",
    ],
)
async def test_what_is_ignored_is_not_lost(call, workspace: Workspace, filled, code: str) -> None:
    for folder in (".git", "sub/.git"):
        (workspace.path / folder).mkdir(parents=True)
        (workspace.path / folder / "HEAD").write_text("ref")
    await workspace.write_text("sub/a.txt", "a")
    seen = await call("python", code=code + STOP)
    held = [path for path in workspace.path.rglob("HEAD") if path.read_text() == "ref"]
    assert len(held) == 2
    assert seen.changed
    assert "as before" not in seen.text


async def test_names_that_cannot_be_told_apart_are_let_be(call, workspace: Workspace) -> None:
    for name in (b"\xc4\xe3.txt", b"\xba\xc3.txt"):
        with open(os.path.join(os.fsencode(workspace.path), name), "w") as file:  # noqa
            file.write("x")
    code = "import os\nfor name in os.listdir(b'.'):\n    os.rename(name, b'x' + name)"
    await call("python", code=code + STOP)
    assert len(await asyncio.to_thread(os.listdir, workspace.path)) == 2


async def test_without_a_copy_of_all_nothing_is_undone(call, filled, monkeypatch) -> None:
    def no_space(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("replan.tools.protection.Protection._copy", no_space)
    seen = await call("python", code="import os\nos.rename('a.txt', 'z.txt')" + STOP)
    assert seen.changed == ["a.txt", "z.txt"]


async def test_folders_keep_their_permissions(call, workspace: Workspace, filled) -> None:
    (workspace.path / "in").chmod(0o700)
    await call("python", code="import shutil\nshutil.rmtree('in')" + STOP)
    assert (workspace.path / "in").stat().st_mode & 0o777 == 0o700


async def test_what_was_only_changed_is_not_told_as_removed(call, filled) -> None:
    code = "import os\nopen('a.txt', 'a').write('x')\nos.rename('a.txt', 'missing/a.txt')"
    seen = await call("python", code=code)
    assert "moved or removed" not in seen.error
    assert "a.txt" in seen.text


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("os.rename('a.txt', 'a_kept.txt')", "a_kept.txt: a new name; files are to be removed"),
        ("os.remove('a.txt')", ""),
    ],
)
async def test_where_files_are_only_removed(
    workspace: Workspace, filled: dict[str, str], code: str, told: str
) -> None:
    action = Action(tool="python", args={"code": f"import os\n{code}"})
    seen = await Toolbox(workspace).call(action, only_removes=True)
    assert seen.ok == (not told)
    assert told in seen.error
    left = filled if told else {path: one for path, one in filled.items() if path != "a.txt"}
    assert await workspace.hashes() == left
