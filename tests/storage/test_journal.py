"""The journal: what of it waits for the disk."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from replan.storage.journal import Journal, Kind, Place
from replan.storage.revisions import Revisions


@asynccontextmanager
async def commits_of(
    revisions: Revisions, table: str, thread: str
) -> AsyncIterator[Callable[[], Awaitable[list[str]]]]:
    """How the commits of a thread's rows waited, told by a trigger that runs as they are made."""
    name = f"told_{thread.replace('-', '')}"
    async with revisions.connection() as connection:
        await connection.execute(f"CREATE TABLE {name} (waited text)".encode())
        await connection.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"INSERT INTO {name} VALUES (current_setting('synchronous_commit')); "
            "RETURN NULL; END $$".encode()
        )
        await connection.execute(
            f"CREATE CONSTRAINT TRIGGER {name} AFTER INSERT OR UPDATE ON {table} "
            f"DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.thread_id = '{thread}') "
            f"EXECUTE FUNCTION {name}()".encode()
        )

    async def told() -> list[str]:
        async with revisions.connection() as connection:
            cursor = await connection.execute(f"DELETE FROM {name} RETURNING waited".encode())
            return [row["waited"] for row in await cursor.fetchall()]

    try:
        yield told
    finally:
        async with revisions.connection() as connection:
            await connection.execute(f"DROP FUNCTION {name} CASCADE".encode())
            await connection.execute(f"DROP TABLE {name}".encode())


async def test_intents_and_results_of_tools_wait_for_the_disk(
    revisions: Revisions, thread: str
) -> None:
    journal, place = Journal(revisions), Place(thread, "c", "e", 1, "n")
    kinds: list[Kind] = ["model", "check", "tool", "approval", "store"]
    found = {}
    async with commits_of(revisions, "replan_journal", thread) as told:
        for number, kind in enumerate(kinds):
            entry = await journal.begin(place, number, kind, role="", name="", request={})
            begun = await told()
            await journal.finish(entry, {"number": number})
            found[kind] = begun + await told()
    assert found == {
        "model": ["on", "off"],
        "check": ["on", "off"],
        "tool": ["on", "on"],
        "approval": ["on", "on"],
        "store": ["on", "on"],
    }
    assert [entry.response for entry in await journal.of_thread(thread)] == [
        {"number": number} for number in range(5)
    ]


async def test_a_revision_waits_for_the_disk_unless_a_note_follows(
    revisions: Revisions, thread: str, folder: Path
) -> None:
    async with commits_of(revisions, "replan_revisions", thread) as told:
        (folder / "a.txt").write_text("one")
        await revisions.take(folder, thread)
        alone = await told()
        (folder / "a.txt").write_text("another")
        taken = await revisions.take(folder, thread, noted_next=True)
        followed = await told()
    assert (alone, followed) == (["on"], ["off"])
    async with revisions.connection() as connection:
        row = await (await connection.execute("SHOW synchronous_commit")).fetchone()
    assert row == {"synchronous_commit": "on"}
    kept = (await revisions.load(taken.revision)).manifest["a.txt"].value
    assert kept in await revisions.content([kept])
