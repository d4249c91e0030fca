"""`replan prune`: by thread, by age, and all but the latest checkpoints."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from langgraph.checkpoint.base import empty_checkpoint
from recorded_run import RecordedRun, record_run

from replan.storage.database import Database
from replan.storage.persistence import open_persistence
from replan.storage.prune import Wanted, prune
from replan.storage.thread_lock import thread_lock

OF_THREAD = ("checkpoints", "checkpoint_blobs", "checkpoint_writes", "replan_journal",
             "replan_revisions")  # fmt: skip


@pytest.fixture
def recorded(database: Database, tmp_path: Path) -> RecordedRun:
    folder = tmp_path / "recorded"
    folder.mkdir()
    (folder / "only-here.txt").write_text(f"only in {folder}")
    return record_run(database, folder)


@pytest.fixture
def other(database: Database, tmp_path: Path) -> RecordedRun:
    return record_run(database, tmp_path, own_folder=True)


def rows(database: Database, thread: str) -> dict[str, int]:
    with psycopg.connect(database.url) as connection:
        return {
            table: number(connection, f"SELECT count(*) FROM {table} WHERE thread_id = %s", thread)
            for table in OF_THREAD
        }


def number(connection: "psycopg.Connection[Any]", query: str, *args: object) -> int:
    row = connection.execute(query.encode(), args).fetchone()
    assert row is not None
    return int(row[0])


def test_a_thread_goes_with_all_that_is_its_own(
    inside, database: Database, recorded: RecordedRun, other: RecordedRun, tmp_path: Path
) -> None:
    # What other tests have left without a thread goes with the first one that is pruned.
    assert (
        inside("prune", "--thread", record_run(database, tmp_path, own_folder=True).thread).code
        == 0
    )
    stays = rows(database, other.thread)
    had = rows(database, recorded.thread)
    only = f"only in {recorded.workspace}"
    stored = "SELECT count(*) FROM replan_blobs WHERE sha256 = sha256(%s::bytea)"
    with psycopg.connect(database.url) as connection:
        assert number(connection, stored, only.encode()) == 1
    tried = inside("prune", "--thread", recorded.thread, "--dry-run", "--json").result
    assert rows(database, recorded.thread) == had
    done = inside("prune", "--thread", recorded.thread, "--json").result
    assert {**tried, "dry_run": False} == done
    assert done["removed"] == [recorded.thread]
    assert done["checkpoints"] == had["checkpoints"]
    assert done["calls"] == had["replan_journal"] > 0
    assert done["revisions"] == had["replan_revisions"] > 0
    assert done["blobs"] > 0
    assert not any(rows(database, recorded.thread).values())
    with psycopg.connect(database.url) as connection:
        assert number(connection, stored, only.encode()) == 0
    assert str(recorded.workspace) not in done["folders"]
    assert (recorded.workspace / "hello.txt").exists()
    assert rows(database, other.thread) == stays
    assert inside("restore", other.thread, "--json").code == 0


def test_its_own_folders_go_with_it(
    inside, database: Database, other: RecordedRun, tmp_path: Path
) -> None:
    assert (other.workspace / "hello.txt").exists()
    kept = inside("prune", "--thread", other.thread, "--keep-latest", "3", "--json").result
    assert kept["folders"] == []
    assert (other.workspace / "hello.txt").exists()
    second = record_run(database, tmp_path, own_folder=True)
    tried = inside("prune", "--thread", second.thread, "--dry-run", "--json").result
    # That of the branch too, which is named by the checkpoint that it starts from.
    first, branch = tried["folders"]
    assert first == str(second.workspace.resolve())
    assert branch.startswith(f"{first}-")
    assert (Path(branch) / "hello.txt").exists()
    assert inside("prune", "--thread", second.thread).code == 0
    assert not Path(first).exists()
    assert not Path(branch).exists()
    assert (other.workspace / "hello.txt").exists()


async def test_a_thread_named_like_a_path_takes_no_folder_along(
    database: Database, tmp_path: Path
) -> None:
    """Another program's thread may have any name."""
    mine, workspaces = tmp_path / "mine", tmp_path / "home" / "workspaces"
    mine.mkdir()
    workspaces.mkdir(parents=True)
    name = f"../../{mine.name}"
    async with open_persistence(database) as opened:
        config: Any = {"configurable": {"thread_id": name, "checkpoint_ns": ""}}
        made = empty_checkpoint()
        made["channel_values"] = {"workspace": str(mine), "revision": "another graph's " * 9}
        await opened.saver.aput(config, made, {"source": "loop", "step": 1}, {})
        wanted = Wanted(threads=[name])
        done = await prune(database, opened, wanted, workspaces)
    assert (done.removed, done.folders) == ([name], [])
    assert mine.is_dir()


def test_a_folder_where_another_thread_works_stays(
    inside, database: Database, other: RecordedRun, tmp_path: Path
) -> None:
    for path in list(other.workspace.iterdir()):
        path.unlink()
    second = record_run(database, other.workspace)
    done = inside("prune", "--thread", other.thread, "--json").result
    assert str(other.workspace.resolve()) not in done["folders"]
    assert (other.workspace / "hello.txt").exists()
    # The second one's revisions may be told as differences from those of the first.
    restored = inside("restore", second.thread, "--workspace", str(tmp_path / "new"), "--json")
    assert restored.code == 0
    assert (tmp_path / "new" / "hello.txt").read_text().strip() == "hello\nworld"


def test_the_latest_checkpoints_stay(inside, database: Database, recorded: RecordedRun) -> None:
    before = inside("history", recorded.thread, "--json").result
    done = inside("prune", "--thread", recorded.thread, "--keep-latest", "4", "--json").result
    assert done["trimmed"] == [recorded.thread]
    after = inside("history", recorded.thread, "--json").result
    latest = before["checkpoints"][-4:]
    assert [one["checkpoint_id"] for one in after["checkpoints"]] == [
        one["checkpoint_id"] for one in latest
    ]
    assert after["checkpoints"][0]["parent_id"] == ""
    assert [one["parent_id"] for one in after["checkpoints"][1:]] == [
        one["parent_id"] for one in latest[1:]
    ]
    left = rows(database, recorded.thread)
    assert left["checkpoints"] == 4
    assert left["replan_journal"] > 0
    for one in after["checkpoints"]:
        shown = inside("show", recorded.thread, one["checkpoint_id"], "--json").result
        assert shown["state"]["goal"]
        assert shown["files"] is not None
    new = recorded.workspace.parent / "new"
    restored = inside("restore", recorded.thread, "--workspace", str(new), "--json")
    assert restored.code == 0
    assert (new / "hello.txt").read_text().strip() == "hello\nworld"
    again = inside("prune", "--thread", recorded.thread, "--keep-latest", "4", "--json").result
    assert (again["trimmed"], again["checkpoints"]) == ([], 0)


def test_by_age(inside, database: Database, recorded: RecordedRun, other: RecordedRun) -> None:
    with psycopg.connect(database.url) as connection:
        connection.execute(
            "UPDATE checkpoints SET checkpoint = jsonb_set(checkpoint, '{ts}', "
            "to_jsonb((now() - interval '31 days')::text)) WHERE thread_id = %s",
            (recorded.thread,),
        )
    done = inside("prune", "--older-than", "30d", "--json").result
    assert done["removed"] == [recorded.thread]
    assert rows(database, other.thread)["checkpoints"] > 0
    both = inside("prune", "--older-than", "30d", "--thread", other.thread, "--json").result
    assert both["removed"] == []


def test_a_thread_that_runs_is_skipped(
    inside, database: Database, recorded: RecordedRun, other: RecordedRun
) -> None:
    had = rows(database, recorded.thread)

    async def held() -> Any:
        async with thread_lock(database, recorded.thread):
            ids = ("--thread", recorded.thread, "--thread", other.thread)
            return await asyncio.to_thread(inside, "prune", *ids, "--json")

    done = asyncio.run(held()).result
    assert (done["skipped"], done["removed"]) == ([recorded.thread], [other.thread])
    assert "a thread is running" in done["held"]
    assert done["blobs"] == 0
    assert rows(database, recorded.thread) == had
    later = inside("prune", "--thread", recorded.thread, "--json").result
    assert later["held"] == ""
    assert later["blobs"] > 0


def test_bad_input_is_one_line(inside, database: Database, recorded: RecordedRun) -> None:
    had = rows(database, recorded.thread)
    nowhere = str(uuid4())
    for args, said in (
        ((), "nothing says what is to be removed"),
        (("--dry-run",), "--older-than 30d"),
        (("--thread", nowhere), f"there is no thread {nowhere}"),
        (("--thread", recorded.thread, "--thread", nowhere), f"there is no thread {nowhere}"),
        (("--thread", "nonsense"), "UUID"),
        (("--older-than", "soon"), "a number and a unit, not 'soon'"),
        (("--older-than", "-3d"), "a number and a unit"),
    ):
        refused = inside("prune", *args)
        assert (refused.code, refused.out) == (2, ""), args
        assert said in refused.complaint
    assert inside("prune", "--keep-latest", "0").code == 2
    assert rows(database, recorded.thread) == had
