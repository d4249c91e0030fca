"""Nothing outside the root is reached, even while links are swapped in."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePath

import pytest

from replan.tools import beneath
from replan.tools.protocol import ToolError
from replan.tools.workspace import Workspace, open_workspace

SECRET = b"secret"
MINE = b"mine"
RENAME = beneath._renameat2()
EXCHANGE = 2


@pytest.fixture(params=["openat2", "walk"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of opening: the system's own call, and the walk where there is none."""
    if request.param == "walk":
        monkeypatch.setattr(beneath, "_openat2", lambda: None)
        monkeypatch.setattr(beneath, "_renameat2", lambda: None)
    elif beneath._openat2() is None:
        pytest.skip("this kernel has no openat2")
    return str(request.param)


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "file").write_bytes(SECRET)
    return folder


@contextmanager
def swapped(workspace: Workspace, outside: Path) -> Iterator[None]:
    """Meanwhile `in` is now the workspace's own folder, now a link to the one outside."""
    if RENAME is None:
        pytest.skip("the C library has no renameat2")
    place, link = workspace.path / "in", workspace.path / "link"
    place.mkdir()
    (place / "file").write_bytes(MINE)
    link.symlink_to(outside)
    names = os.fsencode(place), os.fsencode(link)
    over = threading.Event()
    failed = []

    def swap() -> None:
        while not over.is_set():
            if RENAME(-1, names[0], -1, names[1], EXCHANGE):
                failed.append(1)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    assert not failed


def work(step: Callable[[], object], until: Callable[[], bool], times: int) -> int:
    """How often the step was made before the harm was done, or `times`."""
    for number in range(times):
        with suppress(OSError, ToolError):
            step()
        if until():
            return number
    return times


def test_no_write_or_read_follows_a_link_that_is_swapped_in(
    way: str, workspace: Workspace, outside: Path
) -> None:
    seen: set[bytes] = set()

    def step() -> None:
        with suppress(ToolError):
            seen.add(workspace.read_bytes("in/file", 99))
        workspace.write_bytes("in/file", MINE)
        with suppress(OSError):
            beneath.move(workspace.path, PurePath("in/file"), PurePath("in/other"))
        with suppress(OSError):
            beneath.remove(workspace.path, PurePath("in/other"))

    with swapped(workspace, outside):
        work(step, lambda: False, 1000)
    assert seen == {MINE}
    assert {path.name: path.read_bytes() for path in outside.iterdir()} == {"file": SECRET}


def test_looking_first_and_opening_then_would_be_fooled(
    workspace: Workspace, outside: Path
) -> None:
    """What the test above would see, were the check made on the path."""

    def step() -> None:
        path = workspace.confine("in/file")
        path.write_bytes(MINE)

    with swapped(workspace, outside):
        began = time.monotonic()
        harmed = False
        while not harmed and time.monotonic() - began < 30:
            work(step, lambda: (outside / "file").read_bytes() != SECRET, 1000)
            harmed = (outside / "file").read_bytes() != SECRET
    assert harmed


@pytest.mark.parametrize("path", ["link", "in/link", "link/file", "in/link/file", "in/up/file"])
def test_no_link_is_followed(way: str, workspace: Workspace, outside: Path, path: str) -> None:
    root = workspace.path
    (root / "in").mkdir()
    (root / "link").symlink_to(outside)
    (root / "in/link").symlink_to("../../outside")
    (root / "in/up").symlink_to("..")
    (root / "file").write_bytes(MINE)
    for at in (PurePath(path), PurePath(path, "x")):
        with pytest.raises(OSError, match=r"."), beneath.opened(root, at):
            pass
        with pytest.raises(OSError, match=r"."):
            beneath.replace(root, at / "y", MINE)
        with pytest.raises(OSError, match=r"."), beneath.folder(root, at):
            pass
    assert sorted(entry.name for entry in outside.iterdir()) == ["file"]
    assert (outside / "file").read_bytes() == SECRET


@pytest.mark.parametrize("path", ["..", "../outside", "in/../..", "/etc"])
def test_no_way_up(way: str, workspace: Workspace, outside: Path, path: str) -> None:
    (workspace.path / "in").mkdir()
    with (
        pytest.raises(OSError, match="cross-device"),
        beneath.folder(workspace.path, PurePath(path)),
    ):
        pass


def test_what_is_inside_can_be_had(way: str, workspace: Workspace) -> None:
    root = workspace.path
    beneath.replace(root, PurePath("a/b/ü.txt"), b"one")
    with beneath.opened(root, PurePath("a/b/ü.txt")) as file:
        assert beneath.read(file, 99) == b"one"
    beneath.make_folder(root, PurePath("c/d"))
    beneath.move(root, PurePath("a/b/ü.txt"), PurePath("c/d/x"))
    assert beneath.status(root, PurePath("a/b/ü.txt")) is None
    beneath.replace(root, PurePath("y"), b"two")
    with pytest.raises(FileExistsError):
        beneath.move(root, PurePath("y"), PurePath("c/d/x"))
    with pytest.raises(OSError, match="not empty"):
        beneath.remove(root, PurePath("c"))
    beneath.remove(root, PurePath("c"), whole=True)
    assert sorted(path.name for path in root.rglob("*")) == ["a", "b", "y"]


def test_a_hard_link_to_outside_is_not_written_through(
    way: str, workspace: Workspace, outside: Path
) -> None:
    linked = workspace.path / "linked"
    linked.hardlink_to(outside / "file")
    linked.chmod(0o640)
    workspace.write_bytes("linked", MINE)
    assert linked.read_bytes() == MINE
    assert (outside / "file").read_bytes() == SECRET
    assert linked.stat().st_mode & 0o777 == 0o640
    # Opened and written, as is usual, it would be.
    linked.unlink()
    linked.hardlink_to(outside / "file")
    linked.write_bytes(MINE)
    assert (outside / "file").read_bytes() == MINE


def test_links_within_the_workspace_are_good(workspace: Workspace) -> None:
    root = workspace.path
    workspace.write_bytes("real/file", b"one")
    (root / "short").symlink_to("real")
    (root / "absolute").symlink_to(root / "real" / "file")
    assert workspace.read_bytes("short/file", 99) == b"one"
    workspace.write_bytes("absolute", b"two")
    assert (root / "absolute").is_symlink()
    assert workspace.read_bytes("real/file", 99) == b"two"


def test_what_is_removed_whole_is_not_left_by_a_link(workspace: Workspace, outside: Path) -> None:
    workspace.write_bytes("in/file", MINE)
    (workspace.path / "in/link").symlink_to(outside)
    beneath.remove(workspace.path, PurePath("in"), whole=True)
    assert (outside / "file").read_bytes() == SECRET
    assert not (workspace.path / "in").exists()


def test_descriptors_are_given_back(way: str, workspace: Workspace) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(50):
        workspace.write_bytes("a/b/c", MINE)
        workspace.read_bytes("a/b/c", 9)
        for path in ("a", "no/no", "a/b/c/d"):
            with pytest.raises(ToolError):
                workspace.read_bytes(path, 9)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_root_that_became_a_link_is_none(tmp_path: Path, outside: Path) -> None:
    workspace = open_workspace(tmp_path / "root", create=True)
    workspace.path.rmdir()
    workspace.path.symlink_to(outside)
    with pytest.raises(OSError, match=r"."), beneath.opened(workspace.path, PurePath("file")):
        pass
