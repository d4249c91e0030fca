import asyncio
import os
import re
from pathlib import Path, PurePath

import pytest

from replan.state.task import Observation
from replan.tools import beneath
from replan.tools.protection import Protection
from replan.tools.workspace import Workspace

TEXT = "region,amount\nnorth,1\n"


@pytest.mark.parametrize(
    "code",
    [
        "open('in/sales.csv', 'a').write('x')",
        "import os\nos.remove('in/sales.csv')",
        "import shutil\nshutil.rmtree('in')",
        "import os\nos.remove('in/sales.csv'); os.makedirs('in/sales.csv/folder')",
        "import os\nos.rename('in', 'b'); open('in', 'w')",
        "import os\nos.rename('in', 'b'); os.symlink('b', 'in')",
        "import os\nos.remove('in/sales.csv'); os.symlink('/etc/passwd', 'in/sales.csv')",
        "import os\nopen('in/sales.csv', 'a').write('x')\nos.kill(os.getpid(), 9)",
    ],
)
async def test_it_is_put_back(call, workspace: Workspace, code: str) -> None:
    await workspace.write_text("in/sales.csv", TEXT)
    file = workspace.path / "in/sales.csv"
    file.chmod(0o640)
    seen: Observation = await call("python", code=code, protected=["in/sales.csv"])
    assert "in/sales.csv must not change: put back" in seen.text
    assert file.read_text() == TEXT
    assert not file.is_symlink()
    assert not (workspace.path / "in").is_symlink()
    assert file.stat().st_mode & 0o777 == 0o640
    assert "in/sales.csv" not in seen.changed


async def test_nothing_outside_is_touched(call, workspace: Workspace) -> None:
    outside = workspace.path.parent / "outside"
    outside.mkdir()
    (outside / "sales.csv").write_text("mine")
    await workspace.write_text("in/sales.csv", TEXT)
    code = f"import os, shutil\nshutil.rmtree('in')\nos.symlink({str(outside)!r}, 'in')"
    await call("python", code=code, protected=["in/sales.csv"])
    assert (outside / "sales.csv").read_text() == "mine"
    assert (workspace.path / "in/sales.csv").read_text() == TEXT


async def test_tests_and_scripts_are_watched_too(call, workspace: Workspace) -> None:
    await workspace.write_text("a.txt", "a")
    await workspace.write_text("s.py", "open('a.txt', 'w').write('b')")
    await workspace.write_text("test_s.py", "def test_s():\n    import s")
    for tool, args in (("run_script", {"path": "s.py"}), ("run_tests", {})):
        seen = await call(tool, protected=["a.txt"], **args)
        assert seen.ok
        assert seen.text.endswith("\na.txt must not change: put back")
        assert await workspace.read_text("a.txt", 9) == "a"


@pytest.mark.parametrize("path", ["a.txt", "./a.txt", "x/../a.txt", "link"])
async def test_write_file_is_refused(call, workspace: Workspace, path: str) -> None:
    await workspace.write_text("a.txt", "a")
    (workspace.path / "link").symlink_to("a.txt")
    seen = await call("write_file", path=path, text="b", protected=["a.txt"])
    assert not seen.ok
    assert "must not be changed" in seen.error
    assert await workspace.read_text("a.txt", 9) == "a"
    assert (await call("write_file", path="b.txt", text="b", protected=["a.txt"])).ok


async def test_unchanged_and_missing_ones_are_not_mentioned(call, workspace: Workspace) -> None:
    await workspace.write_text("a.txt", "a")
    os.utime(workspace.path / "a.txt", (1, 1))
    seen = await call("python", code="print(1)", protected=["a.txt", "no.txt", "../out", "."])
    assert seen.text == "1"


DEEP = (
    "import os\nos.remove('a.txt')\nfor name in ['a.txt'] + ['deep'] * 1100:\n    os.mkdir(name)\n"
)
DEEP += "    os.chdir(name)\n"


async def test_a_folder_deeper_than_the_stack_in_its_place(
    call, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workspace.path)
    await workspace.write_text("a.txt", "a")
    await workspace.write_text("b.txt", "b")
    code = f"open('b.txt', 'w'); open('replan.toml', 'w').write('x')\n{DEEP}"
    seen = await call("python", code=code, protected=["a.txt", "b.txt"])
    assert seen.ok, seen.error
    for path in ("a.txt", "b.txt", "replan.toml"):
        assert f"{path} must not change: put back" in seen.text
    assert sorted(path.name for path in workspace.path.iterdir()) == ["a.txt", "b.txt"]


async def test_what_goes_wrong_with_one_spares_none_of_the_others(
    call, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workspace.path)
    await workspace.write_text("a.txt", "a")
    await workspace.write_text("b.txt", "b")
    clear = beneath.clear_way

    def odd(root: Path, inside: PurePath) -> None:
        if inside.name == "a.txt":
            raise RecursionError
        clear(root, inside)

    monkeypatch.setattr(beneath, "clear_way", odd)
    code = "for name in ('a.txt', 'b.txt', 'replan.toml'): open(name, 'w').write('x')"
    seen = await call("python", code=code, protected=["a.txt", "b.txt"])
    said = re.search(r"a.txt must not change, and could not be put back; as it was, it is in (\S+)",
                     seen.error)  # fmt: skip
    assert said
    assert await asyncio.to_thread(Path(said[1]).read_text) == "a"
    assert (seen.ok, said[0] in seen.text) == (False, True)
    assert await workspace.read_text("b.txt", 9) == "b"
    assert not (workspace.path / "replan.toml").exists()
    monkeypatch.setattr(Protection, "put_back", lambda self: 1 / 0)
    seen = await call("python", code=code)
    assert "ZeroDivisionError" in seen.error
    assert not (workspace.path / "replan.toml").exists()
