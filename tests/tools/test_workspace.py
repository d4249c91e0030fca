import errno
import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from replan.state.errors import WorkspaceError
from replan.tools.protocol import ToolError
from replan.tools.workspace import Workspace, open_workspace


@pytest.mark.parametrize(
    "path",
    [
        "../x",
        "a/../../x",
        "/etc/passwd",
        "a\0b",
        "x" * 256,
        "é" * 200,
        "a/" * 1500,
        "out/secret",
        "out",
        "loop/../../..",
        "sub/link/../../../x",
    ],
)
def test_confine_lets_nothing_out(workspace: Workspace, tmp_path: Path, path: str) -> None:
    (workspace.path / "out").symlink_to(tmp_path)
    (workspace.path / "loop").symlink_to("loop")
    with pytest.raises(ToolError):
        workspace.confine(path)


@pytest.mark.parametrize("path", ["", ".", "a.txt", "a/b/c", "./a", "a/../b", "~", "ünï/文.txt"])
def test_confine_takes_what_is_inside(workspace: Workspace, path: str) -> None:
    assert workspace.confine(path).is_relative_to(workspace.path)


def test_confine_takes_absolute_paths_and_links_inside(workspace: Workspace) -> None:
    (workspace.path / "link").symlink_to("real.txt")
    assert workspace.confine("link") == workspace.path / "real.txt"
    assert workspace.confine(str(workspace.path / "a")) == workspace.path / "a"
    neighbour = workspace.path.with_name(workspace.path.name + "2")
    with pytest.raises(ToolError):
        workspace.confine(str(neighbour))


async def test_files_are_sorted_bounded_and_without_the_ignored(workspace: Workspace) -> None:
    for path in ("b.txt", "a/z.txt", "a/b/c.txt", ".git/x", "a/__pycache__/y.pyc", ".env"):
        await workspace.write_text(path, "x")
    assert await workspace.files() == [".env", "a/b/c.txt", "a/z.txt", "b.txt"]
    assert len(await workspace.files(limit=2)) == 2


async def test_links_are_listed_but_not_followed(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s")
    (workspace.path / "dir").symlink_to(tmp_path)
    (workspace.path / "file").symlink_to(tmp_path / "secret")
    assert await workspace.files() == ["dir", "file"]
    hashes = await workspace.hashes()
    assert hashlib.sha256(b"s").hexdigest() not in hashes.values()
    with pytest.raises(ToolError):
        await workspace.read_text("file", 10)


async def test_odd_files_do_no_harm(workspace: Workspace) -> None:
    os.mkfifo(workspace.path / "pipe")
    (workspace.path / os.fsdecode(b"\xff.txt")).write_text("x")
    hashes = await workspace.hashes()
    assert hashes["pipe"].startswith("special:")
    "".join(hashes).encode("utf-8")
    with pytest.raises(ToolError, match="a named pipe"):
        await workspace.read_text("pipe", 10)


async def test_hashes_notice_a_change_of_the_same_length(workspace: Workspace) -> None:
    file = workspace.path / "a.txt"
    file.write_text("one")
    old = file.stat().st_mtime - 100
    os.utime(file, (old, old))
    first = await workspace.hashes()
    assert first == {"a.txt": hashlib.sha256(b"one").hexdigest()}
    assert await workspace.hashes() == first
    file.write_text("two")
    os.utime(file, (old, old))
    assert (await workspace.hashes())["a.txt"] == hashlib.sha256(b"two").hexdigest()
    assert await workspace.hash("a.txt") == hashlib.sha256(b"two").hexdigest()
    assert await workspace.hash("none") == ""


async def test_digest_depends_on_paths_and_content(workspace: Workspace) -> None:
    digests = {await workspace.digest()}
    for path, text in (("a", "1"), ("a", "2"), ("b", "2")):
        await workspace.write_text(path, text)
        digests.add(await workspace.digest())
    assert len(digests) == 4


async def test_write_text(workspace: Workspace) -> None:
    await workspace.write_text("deep/er/a.sh", "line\r\né\n")
    file = workspace.path / "deep/er/a.sh"
    assert file.read_bytes() == "line\r\né\n".encode()
    file.chmod(0o755)
    await workspace.write_text("deep/er/a.sh", "new")
    assert file.stat().st_mode & 0o777 == 0o755
    assert [entry.name for entry in file.parent.iterdir()] == ["a.sh"]
    assert await workspace.read_text("deep/er/a.sh", 2) == "ne"


@pytest.mark.parametrize(
    ("path", "text"), [("dir", "x"), ("dir/f/x", "x"), ("../x", "x"), ("a", "\ud800"), ("", "x")]
)
async def test_write_text_refuses(workspace: Workspace, path: str, text: str) -> None:
    await workspace.write_text("dir/f", "old")
    with pytest.raises(ToolError):
        await workspace.write_text(path, text)
    assert await workspace.files() == ["dir/f"]


async def test_read_text_of_what_is_not_there(workspace: Workspace) -> None:
    with pytest.raises(ToolError, match=r"no\.txt does not exist"):
        await workspace.read_text("no.txt", 10)
    with pytest.raises(ToolError, match="folder"):
        await workspace.read_text(".", 10)


def test_open_workspace(tmp_path: Path) -> None:
    made = open_workspace(tmp_path / "a" / "b", create=True)
    assert list(made.path.iterdir()) == []
    assert open_workspace(str(made.path), create=False).path == made.path


def test_open_workspace_refuses(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o555)
    cases = [
        (tmp_path / "no", False, "does not exist"),
        (file, False, "not a folder"),
        (file, True, "not a folder"),
        (file / "in", True, "not a folder"),
        (locked, False, "not writable"),
        (locked, True, "not writable"),
        ("a\0b", True, "not writable"),
        ("x" * 300, True, "not writable"),
    ]
    for path, create, why in cases:
        with pytest.raises(WorkspaceError, match=why) as caught:
            open_workspace(path, create=create)
        assert caught.value.exit_code == 2


def test_open_workspace_on_a_read_only_file_system(tmp_path: Path) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", "ro", "none", str(tmp_path)]
    if os.getuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("needs the right to mount a file system")
    try:
        with pytest.raises(WorkspaceError, match="Read-only"):
            open_workspace(tmp_path, create=False)
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_an_error_names_the_path_that_was_given(workspace: Workspace) -> None:
    with pytest.raises(ToolError, match=r"'\.\./x' is outside the workspace"):
        workspace.place("../x")


def test_a_full_disk_is_still_a_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise nothing could be removed from it to make room."""

    def full(path: Path, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    assert open_workspace(tmp_path, create=False).path == tmp_path
