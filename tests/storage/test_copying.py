"""Copies of a folder: the same in all that a revision knows, and apart from then on."""

import asyncio
import os
from pathlib import Path

import pytest

from replan.state.errors import WorkspaceError
from replan.storage.copying import bring_copy_back, copy_folder
from replan.storage.folder_scan import Limits


def fill(folder: Path) -> None:
    (folder / "sub" / "deep").mkdir(parents=True)
    (folder / "sub" / "a.txt").write_text("a")
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o750)
    (folder / "large.bin").write_bytes(os.urandom(300_000))
    (folder / "link").symlink_to("sub/a.txt")
    (folder / "sub" / "deep").chmod(0o555)
    (folder / "node_modules").mkdir()
    (folder / "node_modules" / "x.js").write_text("x")


async def test_a_copy_is_the_same_and_apart(revisions, folder, thread, content, tmp_path) -> None:
    fill(folder)
    target = tmp_path / "copies" / "t1"
    copied = await copy_folder(revisions, folder, target, thread, Limits())
    assert copied is not None
    wanted = {path: value for path, value in content(folder).items() if "node_modules" not in path}
    assert content(target) == wanted
    first, second = [await revisions.load(one) for one in (copied.base, copied.revision)]
    assert first.manifest == second.manifest
    assert (first.workspace, second.workspace) == (str(folder), str(target))
    # Nothing has changed in it, so there is no further revision.
    taken = await revisions.take(target, thread, Limits(), copied.revision)
    assert (taken.revision, taken.changed) == (copied.revision, 0)
    with (target / "sub" / "a.txt").open("a") as opened:
        opened.write("b")
    assert (folder / "sub" / "a.txt").read_text() == "a"
    assert (await revisions.take(target, thread, Limits(), copied.revision)).changed == 1
    assert (await revisions.take(folder, thread, Limits())).revision == copied.base


@pytest.mark.parametrize("wait", [False, True])
async def test_a_change_of_equal_length_right_after_the_copying_is_seen(
    revisions, folder, thread, tmp_path, wait: bool
) -> None:
    (folder / "a.txt").write_text("one")
    os.utime(folder / "a.txt", (1, 1))
    if wait:
        await revisions.take(folder, thread, Limits())
        await asyncio.sleep(0.3)
        await revisions.take(folder, thread, Limits())
    target = tmp_path / "t1"
    copied = await copy_folder(revisions, folder, target, thread, Limits())
    (target / "a.txt").write_text("two")
    os.utime(target / "a.txt", (1, 1))
    taken = await revisions.take(target, thread, Limits(), copied.revision)
    assert taken.changed == 1


async def test_what_no_revision_holds_is_not_copied(revisions, folder, thread, tmp_path) -> None:
    (folder / "big.bin").write_bytes(b"x" * 2000)
    target = tmp_path / "t1"
    assert await copy_folder(revisions, folder, target, thread, Limits(1000)) is None
    assert not target.exists()


async def test_a_copy_comes_back_as_it_was(revisions, folder, thread, tmp_path) -> None:
    (folder / "a.txt").write_text("a")
    target = tmp_path / "t1"
    copied = await copy_folder(revisions, folder, target, thread, Limits())
    (target / "b.txt").write_text("b")
    later = (await revisions.take(target, thread, Limits(), copied.revision)).revision
    (target / "c.txt").write_text("at work")
    await bring_copy_back(revisions, later, target, thread)
    assert (target / "c.txt").exists()  # It is there: nothing is to be done.
    for path in target.iterdir():
        path.unlink()
    target.rmdir()
    await bring_copy_back(revisions, later, target, thread)
    assert sorted(path.name for path in target.iterdir()) == ["a.txt", "b.txt"]
    other = tmp_path / "of-a-fork"
    await bring_copy_back(revisions, later, other, thread)
    assert sorted(path.name for path in other.iterdir()) == ["a.txt", "b.txt"]


async def test_a_folder_that_cannot_be_copied_says_so(revisions, folder, thread, tmp_path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(WorkspaceError, match=r"cannot be copied to.*max_parallel=1"):
        await copy_folder(revisions, folder, tmp_path / "file" / "t1", thread, Limits())
