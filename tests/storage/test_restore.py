"""A restore: what it overwrites, what it asks about, and where it never writes."""

import os
from pathlib import Path

import pytest

from replan.state.errors import WorkspaceChangedError, WorkspaceError
from replan.storage.folder_scan import Limits, file_entry
from replan.storage.manifest import Entry
from replan.storage.restore import restore


async def two_revisions(revisions, folder: Path, thread: str) -> tuple[str, str]:
    """The first: a.txt and b.txt. The second: a.txt changed, b.txt removed, c.txt made."""
    (folder / "a.txt").write_text("one")
    (folder / "b.txt").write_text("kept")
    first = (await revisions.take(folder, thread)).revision
    (folder / "a.txt").write_text("two")
    (folder / "b.txt").unlink()
    (folder / "c.txt").write_text("new")
    return first, (await revisions.take(folder, thread)).revision


async def test_only_what_differs_is_written(revisions, folder: Path, thread: str) -> None:
    (folder / "same.txt").write_text("same")
    first, second = await two_revisions(revisions, folder, thread)
    inode = (folder / "same.txt").stat().st_ino
    done = await restore(revisions, first, folder, second)
    assert (sorted(done.written), done.removed) == (["a.txt", "b.txt"], ["c.txt"])
    assert (folder / "same.txt").stat().st_ino == inode
    done = await restore(revisions, second, folder, first)
    assert (done.written, sorted(done.removed)) == (["a.txt", "c.txt"], ["b.txt"])


async def test_files_changed_meanwhile_are_listed_and_left(
    revisions, folder: Path, thread: str, content
) -> None:
    first, second = await two_revisions(revisions, folder, thread)
    (folder / "a.txt").write_text("by the user")
    (folder / "mine.txt").write_text("by the user")
    (folder / "c.txt").chmod(0o600)  # A mode is not lost work.
    before = content(folder)
    with pytest.raises(WorkspaceChangedError, match=r"a\.txt, mine\.txt.*--force") as raised:
        await restore(revisions, first, folder, second)
    assert raised.value.paths == ["a.txt", "mine.txt"]
    assert raised.value.exit_code == 2
    assert content(folder) == before
    await restore(revisions, first, folder, second, overwrite=True)
    assert sorted(content(folder)) == ["a.txt", "b.txt"]


async def test_what_the_user_made_the_same_is_no_matter_for_a_question(
    revisions, folder: Path, thread: str
) -> None:
    first, second = await two_revisions(revisions, folder, thread)
    (folder / "a.txt").write_text("one")  # as in the first
    (folder / "c.txt").unlink()
    done = await restore(revisions, first, folder, second)
    assert (done.written, done.removed) == (["b.txt"], [])


async def test_into_a_folder_with_other_files_it_asks(
    revisions, folder: Path, thread: str, tmp_path: Path
) -> None:
    first, _ = await two_revisions(revisions, folder, thread)
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.txt").write_text("somebody's")
    with pytest.raises(WorkspaceChangedError, match=r"a\.txt"):
        await restore(revisions, first, other)
    done = await restore(revisions, first, tmp_path / "new" / "folder")
    assert done.written == ["a.txt", "b.txt"]
    with pytest.raises(WorkspaceError, match="cannot be made"):
        await restore(revisions, first, other / "a.txt" / "below")


async def test_ignored_files_are_left_alone(revisions, folder: Path, thread: str) -> None:
    limits = Limits(ignore=("*.log",))
    (folder / "gone").mkdir()
    first = (await revisions.take(folder, thread, limits)).revision
    (folder / "gone").rmdir()
    for path in (".git/config", "made/.venv/x", "made/run.log", "made/a.txt", "gone"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(path)
    second = (await revisions.take(folder, thread, limits)).revision
    done = await restore(revisions, first, folder, second)
    assert done.removed == ["made/a.txt"]
    assert done.kept == ["made"]
    assert (folder / "gone").is_dir()
    for path in (".git/config", "made/.venv/x", "made/run.log"):
        assert (folder / path).read_text() == path


async def test_files_and_folders_change_places(
    revisions, folder: Path, thread: str, content
) -> None:
    (folder / "x" / "deep").mkdir(parents=True)
    (folder / "x" / "deep" / "a.txt").write_text("a")
    (folder / "y").write_text("a file")
    (folder / "z").symlink_to("y")
    as_first = content(folder)
    first = (await revisions.take(folder, thread)).revision
    (folder / "x" / "deep" / "a.txt").unlink()
    (folder / "x" / "deep").rmdir()
    (folder / "x").rmdir()
    (folder / "x").write_text("now a file")
    for name in ("y", "z"):
        (folder / name).unlink()
        (folder / name).mkdir()
        (folder / name / "b.txt").write_text("b")
    as_second = content(folder)
    second = (await revisions.take(folder, thread)).revision
    await restore(revisions, first, folder, second)
    assert content(folder) == as_first
    await restore(revisions, second, folder, first)
    assert content(folder) == as_second


async def test_a_planted_link_leads_nowhere(
    revisions, folder: Path, thread: str, tmp_path: Path
) -> None:
    """A script puts links to a folder and a file outside where the restore will write."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.txt").write_text("not the agent's")
    (outside / "more.txt").write_text("not the agent's")
    (folder / "sub").mkdir()
    (folder / "sub" / "a.txt").write_text("the agent's")
    (folder / "b.txt").write_text("the agent's")
    first = (await revisions.take(folder, thread)).revision
    (folder / "sub" / "a.txt").unlink()
    (folder / "sub").rmdir()
    (folder / "sub").symlink_to(outside)
    (folder / "b.txt").unlink()
    (folder / "b.txt").symlink_to(outside / "more.txt")
    second = (await revisions.take(folder, thread)).revision
    assert (folder / "sub" / "a.txt").read_text() == "not the agent's"  # A plain write follows.
    await restore(revisions, first, folder, second)
    assert {path.name: path.read_text() for path in outside.iterdir()} == {
        "a.txt": "not the agent's", "more.txt": "not the agent's",
    }  # fmt: skip
    assert not (folder / "sub").is_symlink()
    assert (folder / "sub" / "a.txt").read_text() == "the agent's"
    assert (folder / "b.txt").read_text() == "the agent's"


async def test_hard_links_are_cut_and_not_written_through(
    revisions, folder: Path, thread: str, tmp_path: Path
) -> None:
    (folder / "a.txt").write_text("one")
    first = (await revisions.take(folder, thread)).revision
    outside = tmp_path / "outside.txt"
    outside.write_text("not the agent's")
    (folder / "a.txt").unlink()
    os.link(outside, folder / "a.txt")
    second = (await revisions.take(folder, thread)).revision
    await restore(revisions, first, folder, second)
    assert outside.read_text() == "not the agent's"
    assert (folder / "a.txt").read_text() == "one"


async def test_special_bits_are_not_kept(revisions, folder: Path, thread: str) -> None:
    (folder / "run").write_text("#!/bin/sh\n")
    (folder / "run").chmod(0o4755)
    first = (await revisions.take(folder, thread)).revision
    (folder / "run").unlink()
    await restore(revisions, first, folder, first)
    assert (folder / "run").stat().st_mode & 0o7777 == 0o755


async def test_a_folder_without_the_right_to_write_takes_its_files(
    revisions, folder: Path, thread: str
) -> None:
    (folder / "locked").mkdir()
    (folder / "locked" / "a.txt").write_text("one")
    (folder / "locked").chmod(0o555)
    first = (await revisions.take(folder, thread)).revision
    (folder / "locked").chmod(0o755)
    (folder / "locked" / "a.txt").unlink()
    (folder / "locked").rmdir()
    await restore(revisions, first, folder, first)
    assert (folder / "locked" / "a.txt").read_text() == "one"
    (folder / "locked").chmod(0o755)


async def test_a_restore_is_itself_noted(revisions, folder: Path, thread: str) -> None:
    first, second = await two_revisions(revisions, folder, thread)
    for number in (first, second, first):
        expected = await revisions.latest_in(folder, thread)
        await restore(revisions, number, folder, expected)
        await revisions.repeat(number, folder, thread)
        latest = await revisions.load(await revisions.latest_in(folder, thread))
        assert latest.manifest == (await revisions.load(number)).manifest


async def test_only_what_may_be_the_same_is_read(
    revisions, folder: Path, thread: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the many gigabytes that somebody may have put there, nothing is read."""
    first, second = await two_revisions(revisions, folder, thread)
    for name in ("a.txt", "new.bin"):
        with (folder / name).open("wb") as file:
            file.truncate(300_000_000)
    read: list[str] = []

    def noted(root: int, path: str) -> Entry | str | None:
        read.append(path)
        return file_entry(root, path)

    monkeypatch.setattr("replan.storage.restore.file_entry", noted)
    with pytest.raises(WorkspaceChangedError) as raised:
        await restore(revisions, first, folder, second)
    assert raised.value.paths == ["a.txt", "new.bin"]
    assert read == ["c.txt"]


async def test_what_no_revision_holds_is_not_overwritten(
    revisions, folder: Path, thread: str, content
) -> None:
    """It is too large now: where a file is to be written, and in a folder to become a file."""
    (folder / "a.txt").write_text("one")
    (folder / "x").write_text("a file")
    first = (await revisions.take(folder, thread)).revision
    (folder / "a.txt").write_bytes(b"user's" * 100)
    (folder / "x").unlink()
    (folder / "x").mkdir()
    (folder / "x" / "large.bin").write_bytes(b"user's" * 100)
    (folder / "y.bin").write_bytes(b"in nobody's way" * 100)
    taken = await revisions.take(folder, thread, Limits(file_bytes=100))
    assert sorted(taken.left_out) == ["a.txt", "x/large.bin", "y.bin"]
    before = content(folder)
    with pytest.raises(WorkspaceChangedError) as raised:
        await restore(revisions, first, folder, taken.revision)
    assert raised.value.paths == ["a.txt", "x/large.bin"]
    assert content(folder) == before
