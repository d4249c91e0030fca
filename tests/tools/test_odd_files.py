"""Names and files that are none of the usual: each gives an observation that says what it is."""

import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from replan.state.task import Action
from replan.tools.toolbox import Toolbox
from replan.tools.workspace import Workspace, open_workspace

EDITS = [{"old": "a", "new": "b"}]
FILE_CALLS = {
    "read_file": {},
    "write_file": {"text": "x"},
    "edit_file": {"edits": EDITS},
    "delete_file": {},
}
GIGA = 1 << 30


@contextmanager
def ordinary_user(folder: Path) -> Iterator[None]:
    """Root may do everything: while this lasts, the process is another user."""
    if os.geteuid() != 0:
        yield
        return
    shutil.chown(folder, 65534, 65534)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("../x", "is outside the workspace."),
        ("a/../../x", "is outside the workspace."),
        ("a\0b", "cannot hold a NUL"),
        ("x" * 4000, "the path is too long: xxx"),
        ("x/" * 2000, "the path is too long: x/x/"),
        ("é" * 200, "the path is too long"),
        ("\ud800", "is not a path"),
        ("no\ufffd", "does not exist"),
    ],
)
@pytest.mark.parametrize("tool", FILE_CALLS)
async def test_names_that_are_none(call, tool: str, path: str, why: str) -> None:
    if tool == "write_file" and why == "does not exist":
        return
    seen = await call(tool, path=path, **FILE_CALLS[tool])
    assert not seen.ok
    assert why in seen.error
    assert len(seen.error) < 300
    seen.error.encode()


async def test_names_in_bytes_that_are_not_utf8(call, workspace: Workspace) -> None:
    file = workspace.path / os.fsdecode(b"caf\xe9.txt")
    file.write_text("a\n")
    (shown,) = await workspace.files()
    assert shown == "caf\ufffd.txt"
    assert set(await workspace.hashes()) == {shown}
    assert (await call("read_file", path=shown)).text == "a"
    assert (await call("edit_file", path=shown, edits=EDITS)).changed == [shown]
    assert file.read_text() == "b\n"
    assert (await call("delete_file", path=shown)).changed == [shown]
    assert not file.exists()


@pytest.fixture
def specials(workspace: Workspace) -> dict[str, str]:
    os.mkfifo(workspace.path / "pipe")
    kinds = {"pipe": "a named pipe"}
    with socket.socket(socket.AF_UNIX) as listening, tempfile.TemporaryDirectory() as short:
        listening.bind(f"{short}/s")
        os.rename(f"{short}/s", workspace.path / "sock")  # noqa: PTH104
    kinds["sock"] = "a socket"
    if os.geteuid() == 0:
        os.mknod(workspace.path / "zero", 0o20666, os.makedev(1, 5))
        kinds["zero"] = "a device"
    return kinds


async def test_what_is_no_regular_file(
    call, workspace: Workspace, specials: dict[str, str]
) -> None:
    began = time.monotonic()
    for path, kind in specials.items():
        for tool in ("read_file", "write_file", "edit_file"):
            seen = await call(tool, path=path, **FILE_CALLS[tool])
            assert f"{path} is {kind}." in seen.error, (tool, seen.error)
        with pytest.raises(Exception, match="is a"):
            await workspace.read_text(path, 10)
    assert set(await workspace.hashes()) == set(specials)
    assert (await call("search_files", files="*", text="x")).text.startswith("no line of")
    for path in specials:
        assert (await call("delete_file", path=path)).text == f"deleted {path}"
    assert time.monotonic() - began < 5


async def test_a_huge_sparse_file_is_not_read(call, workspace: Workspace) -> None:
    with (workspace.path / "huge.bin").open("wb") as file:
        file.truncate(5 * GIGA)
    tracemalloc.start()
    try:
        seen = await call("read_file", path="huge.bin")
        assert "huge.bin is not text but binary data: 5,368,709,120 bytes" in seen.text
        assert (await call("list_files")).text == "huge.bin  5,368,709,120 bytes"
        searched = await call("search_files", files="*", text="x")
        assert "1 files of over 20 MB not searched" in searched.text
        assert "too large" in (await call("edit_file", path="huge.bin", edits=EDITS)).error
        assert (await call("write_file", path="small.txt", text="x")).changed == ["small.txt"]
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 100 * 1024 * 1024


async def test_far_lines_of_a_large_text(call, workspace: Workspace) -> None:
    line = "é" * 300
    with (workspace.path / "large.log").open("w") as file:
        for first in range(1, 80_001, 1000):
            file.write("".join(f"{at} {line}\n" for at in range(first, first + 1000)))
    for start in (70_000, 71_234, 79_999, 80_000):
        seen = await call("read_file", path="large.log", start=start, end=start)
        assert seen.text.partition("\n")[0] == f"{start} {line}"
    seen = await call("read_file", path="large.log", start=70_000)
    assert seen.text.endswith("bytes; to read on: start 70019]")
    assert seen.text.count(line) == 19
    seen = await call("read_file", path="large.log", start=79_998)
    assert [row.split()[0] for row in seen.text.splitlines()] == ["79998", "79999", "80000"]
    for start in (80_001, 99_999):
        seen = await call("read_file", path="large.log", start=start)
        assert seen.text == "(large.log has only 80,000 lines)"
    seen = await call("read_file", path="large.log", start=70_000, seconds=0)
    assert "line 70,000 of large.log was not reached in time" in seen.error


async def test_a_file_that_grows_while_it_is_read(call, workspace: Workspace) -> None:
    over = threading.Event()
    file = workspace.path / "grows.txt"
    file.write_text("begin\n")

    def grow() -> None:
        with file.open("ab", buffering=0) as opened:
            while not over.is_set() and opened.tell() < GIGA // 4:
                opened.write(b"more and more\n" * 5000)

    thread = threading.Thread(target=grow)
    thread.start()
    try:
        began = time.monotonic()
        assert (await call("read_file", path="grows.txt")).text.startswith("begin\nmore")
        assert (await call("write_file", path="other.txt", text="x")).ok
        assert len(await workspace.hashes()) == 2
        assert time.monotonic() - began < 10
    finally:
        over.set()
        thread.join()


@pytest.fixture
def locked() -> Iterator[Workspace]:
    """A workspace with a file that cannot be read and a folder that cannot be written."""
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o711)
        workspace = open_workspace(Path(place) / "work", create=True)
        file, folder = workspace.path / "secret.txt", workspace.path / "locked"
        folder.mkdir()
        for path in (file, folder / "in.txt"):
            path.write_text("a\n")
        file.chmod(0o000)
        folder.chmod(0o555)
        yield workspace
        folder.chmod(0o755)


async def test_no_permission(locked: Workspace) -> None:
    tools = Toolbox(locked)

    async def error(tool: str, path: str) -> str:
        action = Action(tool=tool, args={"path": path, **FILE_CALLS[tool]})
        return (await tools.call(action)).error

    with ordinary_user(locked.path):
        for tool in ("read_file", "edit_file"):
            said = await error(tool, "secret.txt")
            assert said == "secret.txt cannot be read: Permission denied."
        for path in ("locked/in.txt", "locked/new.txt"):
            said = await error("write_file", path)
            assert said == f"{path} cannot be written: Permission denied."
        said = await error("delete_file", "locked/in.txt")
        assert said == "locked/in.txt cannot be deleted: Permission denied."
        assert (await locked.hashes())["secret.txt"] == "unreadable:13"
        seen = await tools.call(Action(tool="list_files"))
        assert seen.text == "locked/in.txt  2 bytes\nsecret.txt  2 bytes"
        searched = Action(tool="search_files", args={"files": "*", "text": "a"})
        assert (await tools.call(searched)).text == "locked/in.txt:1: a"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(tmp_path)]
    if os.getuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("needs the right to mount a file system")
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


async def test_a_full_disk(small_disk: Path) -> None:
    workspace = open_workspace(small_disk, create=False)
    await workspace.write_text("old.txt", "old")
    tools = Toolbox(workspace)
    for path in ("old.txt", "new.txt", "deep/new.txt"):
        args = {"path": path, "text": "x" * 500_000}
        seen = await tools.call(Action(tool="write_file", args=args))
        assert seen.error == f"{path} cannot be written: the disk is full; nothing was changed."
        assert seen.changed == []
    assert await workspace.files() == ["old.txt"]
    assert await workspace.read_text("old.txt", 9) == "old"


@pytest.mark.parametrize(
    ("tool", "args"),
    [
        *((tool, {"path": "a.txt", **args}) for tool, args in FILE_CALLS.items()),
        ("list_files", {}),
        ("search_files", {"files": "*", "text": "x"}),
        ("move_files", {"moves": [{"files": ["a.txt"], "to": "b.txt"}]}),
    ],
)
async def test_the_workspace_is_deleted_meanwhile(
    call, workspace: Workspace, tool: str, args: dict[str, object]
) -> None:
    await workspace.write_text("a.txt", "a\n")
    shutil.rmtree(workspace.path)
    seen = await call(tool, protected=["b.txt"], **args)
    assert not seen.ok
    assert "the workspace itself is gone" in seen.error.replace("The", "the")
    assert not workspace.path.exists()
    assert await workspace.files() == []
    assert await workspace.hashes() == {}
