"""Revisions of a folder on a real Postgres: what they hold, what they cost, what they leave out."""

import os
import runpy
import sys
from pathlib import Path

import pytest
from langgraph.store.memory import InMemoryStore
from langgraph.store.postgres.aio import AsyncPostgresStore

from replan.state.errors import RevisionError
from replan.storage.database import Database
from replan.storage.folder_scan import Limits
from replan.storage.persistence import open_persistence
from replan.storage.restore import restore
from replan.storage.revisions import Revisions, revisions_in

ONE_CHANGE_SECONDS = 0.5  # benchmarks/revisions.py holds the strict 60 ms, on a quiet machine
RESTORE_SECONDS = 12.0  # likewise 3 s


async def count(revisions: Revisions, query: str, *args: object) -> int:
    async with revisions.connection() as connection:
        row = await (await connection.execute(query.encode(), args)).fetchone()
    assert row is not None
    return int(next(iter(row.values())))


async def rows_of(revisions: Revisions, thread: str) -> int:
    return len(await revisions.of_thread(thread))


async def test_everything_comes_back_as_it_was(revisions, folder, thread: str, content) -> None:
    (folder / "empty" / "folder").mkdir(parents=True)
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o750)
    (folder / "数据 ü.bin").write_bytes(bytes(range(256)) * 3000)
    (folder / "nothing").write_bytes(b"")
    (folder / "link").symlink_to("数据 ü.bin")
    (folder / "away").symlink_to("/nowhere/at/all")
    if sys.platform == "linux":
        (folder / os.fsdecode(b"latin-\xe9.txt")).write_text("a name that is not UTF-8")
    before = content(folder)
    taken = await revisions.take(folder, thread)
    for path in folder.iterdir():
        if path.is_file() and not path.is_symlink():
            path.write_text("spoilt")
    (folder / "link").unlink()
    (folder / "empty" / "folder").rmdir()
    (folder / "more.txt").write_text("more")
    spoilt = await revisions.take(folder, thread)
    done = await restore(revisions, taken.revision, folder, spoilt.revision)
    assert content(folder) == before
    assert done.removed == ["more.txt"]
    assert "away" not in done.written


async def test_without_a_change_it_is_the_same_revision(
    revisions, folder: Path, thread: str, forget
) -> None:
    (folder / "a.txt").write_text("one")
    first = await revisions.take(folder, thread)
    (folder / "a.txt").touch()
    assert (await revisions.take(folder, thread)).revision == first.revision
    forget()
    assert (await revisions.take(folder, thread)).revision == first.revision
    assert await rows_of(revisions, thread) == 1
    (folder / "a.txt").chmod(0o700)
    second = await revisions.take(folder, thread)
    assert int(second.revision) > int(first.revision)
    assert second.changed == 1


async def test_it_is_never_earlier_than_what_the_state_holds(
    revisions, folder: Path, thread: str
) -> None:
    """Another process may have gone on with the thread, and undone all."""
    first = await revisions.take(folder, thread)
    later = str(int(first.revision) + 1000)
    again = await revisions.take(folder, thread, after=first.revision)
    assert again.revision == first.revision
    other = await revisions.take(folder, thread, after=later)
    assert other.revision != first.revision


async def test_each_thread_has_revisions_of_its_own(revisions, folder: Path) -> None:
    (folder / "a.txt").write_text("one")
    first, second = [await revisions.take(folder, f"thread {n} of {folder}") for n in (1, 2)]
    assert first.revision != second.revision
    [row] = await revisions.of_thread(f"thread 2 of {folder}")
    assert (row.revision, row.files, row.size) == (second.revision, 1, 3)
    assert row.workspace == str(folder)
    assert await revisions.latest_in(folder) == second.revision
    assert await revisions.latest_in(folder, f"thread 1 of {folder}") == first.revision


async def test_content_is_kept_once_and_compressed(revisions, folder: Path, thread: str) -> None:
    text = f"{folder}\n".encode() * 10_000
    noise = os.urandom(100_000)
    for name in ("a", "b", "c"):
        (folder / f"{name}.txt").write_bytes(text)
    (folder / "noise").write_bytes(noise)
    before = await count(revisions, "SELECT count(*) FROM replan_blobs")
    await revisions.take(folder, thread)
    assert await count(revisions, "SELECT count(*) FROM replan_blobs") == before + 2
    stored = "SELECT octet_length(data) FROM replan_blobs WHERE sha256 = sha256(%s::bytea)"
    assert await count(revisions, stored, text) < len(text) / 20
    assert await count(revisions, stored, noise) == len(noise)


async def test_a_long_history_is_stored_as_differences(
    revisions, folder: Path, thread: str, forget
) -> None:
    for number in range(300):
        (folder / f"{number}.txt").write_text(f"{folder} {number}")
    taken = [await revisions.take(folder, thread)]
    for number in range(80):  # Past the length at which a whole one is stored again.
        (folder / f"{number}.txt").write_text("changed")
        (folder / f"{299 - number}.txt").unlink()
        if number == 40:
            forget()
        taken.append(await revisions.take(folder, thread))
        assert taken[-1].changed == 2
    whole = await count(
        revisions,
        "SELECT count(*) FROM replan_revisions WHERE thread_id = %s AND base IS NULL",
        thread,
    )
    assert 2 <= whole <= 4
    for number in (0, 1, 31, 33, 40, 41, 80):
        kept = (await revisions.load(taken[number].revision)).manifest
        assert len(kept) == 300 - number
        values = {kept[f"{n}.txt"].value for n in range(number)}
        assert len(values) == (1 if number else 0)


async def test_large_files_are_left_out_by_name_once(revisions, folder: Path, thread: str) -> None:
    limits = Limits(file_bytes=1_000_000)
    (folder / "small.txt").write_text("small")
    (folder / "big.bin").write_bytes(b"x" * 1_500_000)
    first = await revisions.take(folder, thread, limits)
    assert first.left_out == {"big.bin": "1.5 MB; 1 MB are the most"}
    (folder / "small.txt").write_text("changed")
    second = await revisions.take(folder, thread, limits)
    assert second.left_out == {}
    kept = await revisions.load(second.revision)
    assert list(kept.manifest) == ["small.txt"]
    assert list(kept.left_out) == ["big.bin"]
    # A restore must not remove what it could not bring back.
    await restore(revisions, first.revision, folder, second.revision)
    assert (folder / "small.txt").read_text() == "small"
    assert (folder / "big.bin").stat().st_size == 1_500_000


async def test_of_a_folder_too_large_the_largest_files_are_left_out(
    revisions, folder: Path, thread: str
) -> None:
    for number in range(1, 6):
        (folder / f"{number}.bin").write_bytes(bytes([number]) * number * 100_000)
    taken = await revisions.take(folder, thread, Limits(total_bytes=700_000))
    assert list(taken.left_out) == ["5.bin", "4.bin"]
    assert "more than 1 MB" in taken.left_out["5.bin"]
    assert sorted((await revisions.load(taken.revision)).manifest) == ["1.bin", "2.bin", "3.bin"]


async def test_a_limit_set_lower_holds_for_known_files(
    revisions, folder: Path, thread: str
) -> None:
    (folder / "a.bin").write_bytes(b"x" * 5000)
    assert (await revisions.take(folder, thread)).left_out == {}
    assert list((await revisions.take(folder, thread, Limits(file_bytes=100))).left_out) == [
        "a.bin"
    ]


async def test_a_five_gigabyte_file_costs_nothing(revisions, folder: Path, thread: str) -> None:
    with (folder / "huge.bin").open("wb") as file:
        file.truncate(5 * 1024**3)  # Sparse: reading it would take seconds and memory.
    taken = await revisions.take(folder, thread)
    assert taken.left_out == {"huge.bin": "5,368.7 MB; 50 MB are the most"}


@pytest.mark.parametrize("name", ["", "0", "999999999999", "x", "-1", "9" * 5000, "1; DROP"])
async def test_what_is_no_revision_is_named(revisions, folder: Path, name: str) -> None:
    with pytest.raises(RevisionError, match="there is no revision"):
        await revisions.load(name)
    with pytest.raises(RevisionError, match="there is no revision"):
        await restore(revisions, name, folder)


async def test_a_damaged_blob_is_not_written(revisions, folder: Path, thread: str) -> None:
    (folder / "a.txt").write_text(f"content of {folder}")
    taken = await revisions.take(folder, thread)
    damage = "UPDATE replan_blobs SET data = %s WHERE sha256 = sha256(%s::bytea)"
    async with revisions.connection() as connection:
        await connection.execute(damage, (b"something else", (folder / "a.txt").read_bytes()))
    (folder / "a.txt").unlink()
    name = (await revisions.load(taken.revision)).manifest["a.txt"].value
    with pytest.raises(RevisionError, match="damaged"):
        await restore(revisions, taken.revision, folder, taken.revision)
    assert not (folder / "a.txt").exists()
    async with revisions.connection() as connection:
        await connection.execute(
            "DELETE FROM replan_blobs WHERE sha256 = %s",
            (bytes.fromhex(name),),
        )
    with pytest.raises(RevisionError, match="not in the database"):
        await restore(revisions, taken.revision, folder, taken.revision)


async def test_they_are_kept_beside_a_postgres_store_only(database: Database) -> None:
    assert await revisions_in(None) is None
    assert await revisions_in(InMemoryStore()) is None
    async with open_persistence(database) as kept:
        assert isinstance(await revisions_in(kept.store), Revisions)
    async with AsyncPostgresStore.from_conn_string(database.url) as single:
        assert await revisions_in(single) is None


async def test_ten_thousand_files(revisions, folder: Path) -> None:
    benchmark = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "revisions.py"))
    found = await benchmark["measure"](revisions, folder, changes=3, restores=1)
    assert found["revision_after_one_change_ms"]["min"] < ONE_CHANGE_SECONDS * 1000
    assert found["restore_s"]["min"] < RESTORE_SECONDS
