"""What a look at a folder finds, and what it never touches."""

import os
import subprocess
import time
import tracemalloc
from contextlib import closing
from pathlib import Path

import pytest

from replan.state.errors import SettingError, WorkspaceError
from replan.storage.folder_scan import (
    Known,
    Look,
    Parents,
    ReadFile,
    Walk,
    file_entry,
    ignored_by,
    open_root,
    read_file,
)
from replan.storage.manifest import Entry

MB = 1_000_000


def look_at(folder: Path, known: Known | None = None, *ignored: str) -> Look:
    return Walk(folder, known or {}, ignored_by(ignored), MB).look()


def read(folder: Path, path: str, most: int = MB) -> ReadFile | str | None:
    with open_root(folder) as root:
        return read_file(root, path, most)


def settled(folder: Path) -> Known:
    """All files, read once their time stamps are old enough to be believed."""
    time.sleep(0.25)
    look, known = look_at(folder), Known()
    for path in look.fresh:
        file = read(folder, path)
        assert isinstance(file, ReadFile)
        assert file.stamp is not None
        known[path] = (file.stamp, file.entry)
    known.update((path, (None, entry)) for path, entry in look.changed.items())
    return known


def test_only_what_changed_is_read_again(folder: Path) -> None:
    (folder / "deep" / "er").mkdir(parents=True)
    for name in ("same.txt", "changed.txt", "gone.txt", "deep/er/same.txt"):
        (folder / name).write_text(name)
    known = settled(folder)
    (folder / "changed.txt").write_text("CHANGED.TXT")  # of the same size
    (folder / "gone.txt").unlink()
    (folder / "new.txt").write_text("new")
    look = look_at(folder, known)
    assert sorted(look.fresh) == ["changed.txt", "new.txt"]
    assert look.gone == ["gone.txt"]
    assert look.changed == {}


def test_a_change_that_hides_its_time_is_seen(folder: Path) -> None:
    file = folder / "a.txt"
    file.write_text("one")
    known = settled(folder)
    before = file.stat()
    file.write_text("two")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_mtime_ns == before.st_mtime_ns
    assert list(look_at(folder, known).fresh) == ["a.txt"]


def test_a_file_written_just_now_is_read_again_the_next_time(folder: Path) -> None:
    (folder / "a.txt").write_text("one")
    now = read(folder, "a.txt")
    assert isinstance(now, ReadFile)
    assert now.stamp is None
    look = look_at(folder, {"a.txt": (now.stamp, now.entry)})
    assert list(look.fresh) == ["a.txt"]
    time.sleep(0.25)
    later = read(folder, "a.txt")
    assert isinstance(later, ReadFile)
    assert later.stamp is not None


def test_nothing_outside_is_read_through_links(folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "outside" / "secret.txt"
    secret.parent.mkdir()
    secret.write_text("hush")
    (folder / "file").symlink_to(secret)
    (folder / "folder").symlink_to(secret.parent)
    (folder / "nowhere").symlink_to("/does/not/exist")
    assert (folder / "folder" / "secret.txt").read_text() == "hush"  # What a plain read gives.
    look = look_at(folder)
    assert look.fresh == {}
    assert {path: entry.value for path, entry in look.changed.items()} == {
        "file": str(secret), "folder": str(secret.parent), "nowhere": "/does/not/exist",
    }  # fmt: skip
    # Planted between the walk and the reading: in place of the file, and of its folder.
    assert read(folder, "file") is None
    assert read(folder, "folder/secret.txt") is None


@pytest.mark.parametrize("path", ["../outside.txt", "/etc/passwd", "a/../../x", "", "a\0b", "./a"])
def test_a_path_that_leads_out_is_no_path(folder: Path, path: str) -> None:
    with pytest.raises(ValueError, match="no path inside"):
        read(folder, path)
    with open_root(folder) as root, closing(Parents(root)) as parents:
        with pytest.raises(ValueError, match="no path inside"):
            parents.of(path)
        with pytest.raises(ValueError, match="no path inside"):
            parents.of("/x")


def test_a_large_file_is_hashed_without_being_held(folder: Path) -> None:
    """500 MB, all hole: read whole, they would be in memory at once."""
    with (folder / "large").open("wb") as file:
        file.truncate(500 * MB)
    tracemalloc.start()
    try:
        with open_root(folder) as root:
            entry = file_entry(root, "large")
            assert file_entry(root, "missing") is None
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert isinstance(entry, Entry)
    assert (entry.kind, entry.size, len(entry.value)) == ("file", 500 * MB, 64)
    assert most < 10 * MB


def test_a_pipe_is_named_and_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    look = look_at(folder)
    assert look.left_out == {"pipe": "not a file, link or folder"}
    assert read(folder, "pipe") is None  # Opened as a file, it would wait for a writer.


def test_ignored_by_default_and_by_patterns(folder: Path) -> None:
    for path in (
        ".git/config", "a/.venv/x", "a/node_modules/y", "__pycache__/z", "logs/a.log",
        "logs/keep.log", "out/big.bin", "src/out/kept.py", "git",
    ):  # fmt: skip
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(path)
    assert sorted(look_at(folder, None, "*.log", "!keep.log", "/out/").fresh) == [
        "git", "logs/keep.log", "src/out/kept.py",
    ]  # fmt: skip


def test_a_pattern_given_later_holds_for_known_files_too(folder: Path) -> None:
    (folder / "a.log").write_text("log")
    known = settled(folder)
    look = Walk(folder, known, ignored_by(["*.log"]), MB, ask_again=True).look()
    assert look.gone == ["a.log"]


def test_a_pattern_that_means_nothing_is_named() -> None:
    with pytest.raises(SettingError, match=r"revision_ignore.*!"):
        ignored_by(["!"])


def test_a_folder_tree_without_end_is_cut(folder: Path) -> None:
    """A program can make one deeper than any path: the walk must not run out of descriptors."""
    here = os.open(folder, os.O_RDONLY)
    for _ in range(1200):
        os.mkdir("d", dir_fd=here)
        inner = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    [(path, why)] = look_at(folder).left_out.items()
    assert path.count("/") == 64
    assert why == "more than 64 folders deep"
    subprocess.run(["rm", "-rf", str(folder / "d")], check=True)  # pytest could not.


def test_a_folder_that_is_gone_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="replan restore"):
        look_at(tmp_path / "none")


def test_a_path_that_ends_half_way_leaves_the_next_one_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with open_root(tmp_path) as root, closing(Parents(root)) as parents:
        with pytest.raises(FileNotFoundError):
            parents.of("a/missing/x")
        folder, name = parents.of("a")
        assert os.stat(name, dir_fd=folder).st_ino == (tmp_path / "a").stat().st_ino
        assert os.path.samestat(os.fstat(folder), tmp_path.stat())
