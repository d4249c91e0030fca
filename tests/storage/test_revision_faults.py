"""Full disks, a database that goes away, a workspace that is gone: the last revision stays."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from replan.state.errors import DatabaseError, RevisionError, WorkspaceError
from replan.storage.restore import restore

needs_mount = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="only root may mount a small disk"
)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting is forbidden here")
    try:
        yield disk
    finally:
        subprocess.run(["umount", disk], check=True)


def enlarge(disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,size=3m", disk], check=True)


@needs_mount
async def test_a_full_disk_leaves_whole_files(
    revisions, folder: Path, thread: str, small_disk: Path, content
) -> None:
    for number in range(6):
        (folder / f"{number}.bin").write_bytes(bytes([number]) * 300_000)
    taken = (await revisions.take(folder, thread)).revision
    with pytest.raises(RevisionError, match=r"3\.bin cannot be written: No space left"):
        await restore(revisions, taken, small_disk, overwrite=True)
    there = {name: value[1] for name, value in content(small_disk).items()}
    assert there == {f"{n}.bin": bytes([n]) * 300_000 for n in range(3)}
    enlarge(small_disk)
    await restore(revisions, taken, small_disk, overwrite=True)
    assert len(content(small_disk)) == 6


@needs_mount
async def test_a_full_workspace_still_becomes_a_revision(
    revisions, thread: str, small_disk: Path
) -> None:
    with pytest.raises(OSError, match="No space left"):
        (small_disk / "all.bin").write_bytes(b"x" * 2_000_000)
    assert (small_disk / "all.bin").stat().st_size <= 1_048_576
    taken = await revisions.take(small_disk, thread)
    size = (small_disk / "all.bin").stat().st_size
    (small_disk / "all.bin").unlink()
    await restore(revisions, taken.revision, small_disk, taken.revision)
    assert (small_disk / "all.bin").stat().st_size == size


@asynccontextmanager
async def fault_on(revisions, table: str, what: str) -> AsyncIterator[None]:
    """The server does this when something is inserted into the table."""
    async with revisions.connection() as connection:
        await connection.execute(
            f"CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN {what}; RETURN NEW; END $$"
        )
        await connection.execute(
            f"CREATE TRIGGER fault BEFORE INSERT ON {table} EXECUTE FUNCTION fault()"
        )
    try:
        yield
    finally:
        async with revisions.connection() as connection:
            await connection.execute("DROP FUNCTION fault() CASCADE")


KILLED = "PERFORM pg_terminate_backend(pg_backend_pid())"
FULL = "RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'"


@pytest.mark.parametrize("table", ["replan_blobs", "replan_revisions"])
@pytest.mark.parametrize(("what", "said"), [(KILLED, "stopped answering"), (FULL, "disk.*full")])
async def test_a_database_that_fails_in_between_keeps_the_last_revision(
    revisions, folder: Path, thread: str, table: str, what: str, said: str
) -> None:
    (folder / "a.txt").write_text("one")
    first = (await revisions.take(folder, thread)).revision
    (folder / "a.txt").write_text(f"two of {folder}")
    async with fault_on(revisions, table, what):
        with pytest.raises(DatabaseError, match=f"{said}.*replan resume"):
            await revisions.take(folder, thread)
    assert [row.revision for row in await revisions.of_thread(thread)] == [first]
    # After the resume the very same step is stored whole.
    second = (await revisions.take(folder, thread)).revision
    await restore(revisions, first, folder, second)
    assert (folder / "a.txt").read_text() == "one"
    await restore(revisions, second, folder, first)
    assert (folder / "a.txt").read_text() == f"two of {folder}"


async def test_revisions_removed_meanwhile_are_noticed(
    revisions, folder: Path, thread: str
) -> None:
    (folder / "a.txt").write_text("one")
    await revisions.take(folder, thread)
    async with revisions.connection() as connection:
        await connection.execute("DELETE FROM replan_revisions WHERE thread_id = %s", (thread,))
    (folder / "a.txt").write_text("two")
    with pytest.raises(DatabaseError, match="removed from the database"):
        await revisions.take(folder, thread)
    again = (await revisions.take(folder, thread)).revision
    assert list((await revisions.load(again)).manifest) == ["a.txt"]


async def test_a_workspace_that_is_gone_comes_back(revisions, folder, thread: str, content) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "a.txt").write_text("one")
    before = content(folder)
    first = (await revisions.take(folder, thread)).revision
    shutil.rmtree(folder)
    with pytest.raises(WorkspaceError, match="replan restore"):
        await revisions.take(folder, thread)
    folder.write_text("a file in its place")
    with pytest.raises(WorkspaceError, match="Not a directory"):
        await revisions.take(folder, thread)
    folder.unlink()
    await restore(revisions, first, folder, first)
    assert content(folder) == before


async def test_a_run_that_is_cancelled_while_it_stores_leaves_no_half(
    revisions, folder: Path, thread: str
) -> None:
    (folder / "a.txt").write_text("one")
    first = (await revisions.take(folder, thread)).revision
    (folder / "a.txt").write_text(f"two of {folder}")
    async with fault_on(revisions, "replan_revisions", "PERFORM pg_sleep(5)"):
        taking = asyncio.create_task(revisions.take(folder, thread))
        await asyncio.sleep(0.5)
        taking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await taking
    assert await revisions.latest_in(folder, thread) == first
    second = (await revisions.take(folder, thread)).revision
    assert (await revisions.load(second)).manifest["a.txt"].size == len(f"two of {folder}")


async def test_many_at_once_store_the_same_files(revisions, tmp_path: Path) -> None:
    """Each waits for the other's blobs; in another order than by name they could wait for ever."""

    async def one(number: int) -> str:
        folder = tmp_path / str(number)
        folder.mkdir()
        for name in range(300):
            (folder / f"{(name * 7 + number) % 300}.txt").write_text(f"{tmp_path} {name}")
        return (await revisions.take(folder, f"{tmp_path} {number}")).revision

    taken = await asyncio.gather(*(one(number) for number in range(6)))
    assert len(set(taken)) == 6
