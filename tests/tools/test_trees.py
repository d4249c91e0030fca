"""Removing and walking folders, however deep and odd."""

import os
import resource
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from replan.tools.trees import Descent, discard, everything, remove_tree

DEEP = 1100
NOBODY = 65534


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """One that an ordinary user reaches."""
    made = Path(tempfile.mkdtemp(prefix="replan-trees-"))
    yield made
    discard(made)


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[int]:
    held = os.open(tmp_path, os.O_RDONLY)
    yield held
    os.close(held)


def nest(folder: Path, depth: int, name: str = "d") -> None:
    here = os.getcwd()  # noqa: PTH109
    folder.mkdir()
    os.chdir(folder)
    for _ in range(depth):
        Path("file").write_text("x")
        Path("side").mkdir()
        Path(name).mkdir()
        os.chdir(name)
    os.chdir(here)


def as_ordinary(what: object) -> int:
    """Call it in a child without root's rights; its exit code."""
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setresgid(NOBODY, NOBODY, NOBODY)
                os.setresuid(NOBODY, NOBODY, NOBODY)
            what()  # type: ignore[operator]
            os._exit(0)
        except OSError:
            os._exit(1)
        finally:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.parametrize("name", ["d", "n" * 99])
def test_a_deep_one_is_removed(tmp_path: Path, parent: int, name: str) -> None:
    nest(tmp_path / "top", DEEP, name)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    open_now = len(list(Path("/proc/self/fd").iterdir()))
    resource.setrlimit(resource.RLIMIT_NOFILE, (open_now + 60, before[1]))
    try:
        remove_tree(parent, "top")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert list(tmp_path.iterdir()) == []


def test_a_deep_one_is_walked(tmp_path: Path, parent: int) -> None:
    nest(tmp_path / "top", DEEP)
    held = os.open("top", os.O_RDONLY, dir_fd=parent)
    found = dict(everything(held))
    os.close(held)
    assert len(found) == 3 * DEEP
    assert found["d/" * (DEEP - 1) + "file"] is False
    assert found["d/" * (DEEP - 1) + "side"] is True
    discard(tmp_path / "top")
    assert list(tmp_path.iterdir()) == []


def test_links_are_removed_and_not_followed(tmp_path: Path, parent: int) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "far/file").write_text("x")
    (tmp_path / "top").mkdir()
    (tmp_path / "top/link").symlink_to(tmp_path / "far")
    (tmp_path / "link").symlink_to(tmp_path / "far")
    with pytest.raises(OSError, match="link"):
        remove_tree(parent, "link")
    discard(tmp_path / "link")
    remove_tree(parent, "top")
    assert (tmp_path / "far/file").exists()


def test_one_moved_meanwhile_leads_nowhere_else(tmp_path: Path, parent: int) -> None:
    nest(tmp_path / "top", 40)
    (tmp_path / "other").mkdir()
    with Descent(parent) as place:
        place.enter("top")
        for _ in range(35):
            place.enter("d")
        (tmp_path / "top/d/d").rename(tmp_path / "other/d")
        for _ in range(33):
            place.leave()
        with pytest.raises(OSError, match="moved"):
            place.leave()


def test_closed_folders_of_our_own_are_opened_by_force(tmp_path: Path, parent: int) -> None:
    tmp_path.chmod(0o777)
    top = tmp_path / "top"

    def make() -> None:
        (top / "in/deeper").mkdir(parents=True)
        (top / "in/file").write_text("x")
        (top / "in").chmod(0)
        top.chmod(0o500)

    assert as_ordinary(make) == 0
    assert as_ordinary(lambda: remove_tree(parent, "top")) == 1
    assert top.exists()
    assert as_ordinary(lambda: remove_tree(parent, "top", by_force=True)) == 0
    assert not top.exists()


def test_by_force_the_rest_goes_too(tmp_path: Path, parent: int) -> None:
    if os.geteuid() != 0:
        pytest.skip("it needs two users")
    tmp_path.chmod(0o777)
    top = tmp_path / "top"

    def make() -> None:
        for name in ("a", "b", "c"):
            (top / name).mkdir(parents=True)
            (top / name / "file").write_text("x")

    assert as_ordinary(make) == 0
    os.chown(top / "b", 0, 0)
    assert as_ordinary(lambda: remove_tree(parent, "top", by_force=True)) == 1
    assert sorted(path.name for path in top.iterdir()) == ["b"]
