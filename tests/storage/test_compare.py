"""What differs between the files of two revisions."""

import os
import sys
from pathlib import Path

import pytest

from replan.storage.compare import changed_files, unified_diffs
from replan.storage.revisions import Revisions


async def test_every_kind_of_change(revisions: Revisions, folder: Path, thread: str) -> None:
    (folder / "text.txt").write_text("one\ntwo\nthree\n")
    (folder / "gone.txt").write_text("gone\n")
    (folder / "script.sh").write_text("echo")
    (folder / "picture.bin").write_bytes(b"\0\1\2")
    (folder / "link").symlink_to("text.txt")
    (folder / "same.txt").write_text("same")
    before = (await revisions.take(folder, thread)).revision
    (folder / "text.txt").write_text("one\n2\nthree\n")
    (folder / "gone.txt").unlink()
    (folder / "script.sh").chmod(0o755)
    (folder / "picture.bin").write_bytes(b"\0\1\2\3")
    (folder / "link").unlink()
    (folder / "link").symlink_to("same.txt")
    (folder / "new").mkdir()
    (folder / "new" / "large.txt").write_text("x" * 1_000_001)
    after = (await revisions.take(folder, thread)).revision
    found = await changed_files(revisions, before, after)
    diffs = {one.change.path: one for one in await unified_diffs(revisions, found)}
    assert {path: one.change.change for path, one in diffs.items()} == {
        "gone.txt": "removed", "link": "changed", "new": "created", "new/large.txt": "created",
        "picture.bin": "changed", "script.sh": "mode", "text.txt": "changed",
    }  # fmt: skip
    assert diffs["text.txt"].lines == [
        "--- a/text.txt", "+++ b/text.txt", "@@ -1,3 +1,3 @@", " one", "-two", "+2", " three"
    ]  # fmt: skip
    assert diffs["gone.txt"].lines[1:] == ["+++ /dev/null", "@@ -1 +0,0 @@", "-gone"]
    assert diffs["picture.bin"].why_not == "binary, 3 bytes -> 4 bytes"
    assert diffs["script.sh"].why_not == "644 -> 755"
    assert diffs["link"].why_not == "link to text.txt -> link to same.txt"
    assert diffs["new/large.txt"].why_not == "more than 1 MB"
    assert not any(diffs[path].lines for path in ("picture.bin", "script.sh", "link", "new"))
    assert await changed_files(revisions, after, after) == []


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
async def test_a_name_that_is_no_text_is_written_out(
    revisions: Revisions, folder: Path, thread: str
) -> None:
    (folder / os.fsdecode(b"caf\xe9.txt")).write_text("a\n")
    revision = (await revisions.take(folder, thread)).revision
    found = await changed_files(revisions, "", revision)
    [diff] = await unified_diffs(revisions, found)
    assert diff.change.shown == "caf\\udce9.txt"
    "\n".join(diff.lines).encode()  # fit to be printed


async def test_from_nothing_all_is_created(revisions: Revisions, folder: Path, thread: str) -> None:
    (folder / "a.txt").write_text("a")
    revision = (await revisions.take(folder, thread)).revision
    [found] = await changed_files(revisions, "", revision)
    assert (found.path, found.change) == ("a.txt", "created")


async def test_only_the_first_files_are_compared(
    revisions: Revisions, folder: Path, thread: str
) -> None:
    for number in range(60):
        (folder / f"{number:02}.txt").write_text(f"{number}")
    revision = (await revisions.take(folder, thread)).revision
    diffs = await unified_diffs(revisions, await changed_files(revisions, "", revision))
    assert [bool(one.lines) for one in diffs] == [True] * 50 + [False] * 10
    assert "first 50" in diffs[-1].why_not
