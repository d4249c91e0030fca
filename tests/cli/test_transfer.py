"""`replan export` and `replan import`, into another database."""

import base64
import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import ormsgpack
import psycopg
import pytest
from openai_server import openai_server_in_thread
from recorded_run import KEY, RecordedRun, record_run
from scripted_agent import Move, ScriptedAgent

from replan.state.settings import settings
from replan.storage import manifest
from replan.storage.database import Database

TABLES = ("checkpoints", "checkpoint_blobs", "checkpoint_writes", "replan_journal",
          "replan_revisions", "replan_blobs", "store")  # fmt: skip
Change = Callable[[dict[str, bytes], dict[str, Any]], None]


@pytest.fixture(scope="module")
def recorded(database: Database, tmp_path_factory: pytest.TempPathFactory) -> RecordedRun:
    return record_run(database, tmp_path_factory.mktemp("recorded"))


@pytest.fixture(scope="module")
def elsewhere(database: Database) -> str:
    """The address of another machine's database, whose revisions have other numbers."""
    name = f"elsewhere_{uuid4().hex}"
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return database.url.replace("postgres@/postgres", f"postgres@/{name}")


@pytest.fixture
def exported(inside, recorded: RecordedRun, tmp_path: Path) -> Path:
    done = inside("export", recorded.thread, "run.zip", "--json")
    assert done.code == 0
    assert done.result["checkpoints"] > 20
    return tmp_path / "run.zip"


def counts(url: str) -> dict[str, int]:
    with psycopg.connect(url) as connection:
        found = {}
        for table in TABLES:
            row = connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
            assert row is not None
            found[table] = int(row[0])
        return found


def without_numbers(history: dict[str, Any]) -> dict[str, Any]:
    """A history without the numbers of revisions, which differ between databases."""
    checkpoints = [{**one, "revision": bool(one["revision"])} for one in history["checkpoints"]]
    return {**history, "thread_id": "", "checkpoints": checkpoints}


def test_another_machine_can_look_at_it_and_go_on(
    inside, recorded: RecordedRun, exported: Path, elsewhere: str, tmp_path: Path
) -> None:
    there = {"DATABASE_URL": elsewhere}
    assert inside("threads", **there).code == 0  # makes the tables
    with psycopg.connect(elsewhere) as connection:
        connection.execute("SELECT setval('replan_revisions_id_seq', 1000)")
    came = inside("import", str(exported), "--json", **there)
    assert came.code == 0, came.err
    own = settings().replan_home / "workspaces" / recorded.thread
    assert (came.result["thread_id"], came.result["workspace"]) == (recorded.thread, str(own))

    here_history = inside("history", recorded.thread, "--json").result
    history = inside("history", recorded.thread, "--json", **there).result
    assert without_numbers(history) == without_numbers(here_history)
    numbers = [int(one["revision"]) for one in history["checkpoints"] if one["revision"]]
    assert min(numbers) == 1001
    here = [one["revision"] for one in here_history["checkpoints"]]
    fits = dict(zip(here, [one["revision"] for one in history["checkpoints"]], strict=True))
    in_order = sorted(fits, key=lambda name: int(name or 0))
    assert in_order == sorted(fits, key=lambda name: int(fits[name] or 0))

    ends = [one["checkpoint_id"] for one in history["checkpoints"] if not one["next"]]
    for args in (("diff", recorded.thread, *ends), ("show", recorded.thread, ends[0])):
        ours, theirs = (inside(*args, "--json", **env).result for env in ({}, there))
        assert [one["path"] for one in theirs["files"]] == [one["path"] for one in ours["files"]]
    executed = next(one for one in history["checkpoints"] if one["nodes"] == ["execute"])
    shown = inside("show", recorded.thread, executed["checkpoint_id"], "--json", **there).result
    [call] = shown["made_by"]
    assert call["left"] == executed["revision"]
    [due] = shown["due"]
    assert due["payload"]["workspace"] == shown["state"]["workspace"] == str(own)
    assert int(due["payload"]["revision"]) > 1000

    restored = inside("restore", recorded.thread, "--checkpoint", ends[0], "--json", **there)
    assert restored.code == 0, restored.err
    assert restored.result["workspace"] == str(own)
    assert (own / "hello.txt").read_text().strip() == "hello"
    assert (recorded.workspace / "hello.txt").read_text().strip() == "hello\nworld"

    model = ScriptedAgent([Move("write_file", "bye", path="bye.txt")])
    with openai_server_in_thread(model, key=KEY) as server:
        more = inside("run", "Write the word bye to bye.txt", "--thread", recorded.thread,
                      "--json", OPENAI_BASE_URL=server.url, **there)  # fmt: skip
    assert more.result["status"] == "done"
    assert more.result["workspace"] == str(own)


def test_a_thread_that_is_there_stays_and_another_id_can_be_had(
    inside, recorded: RecordedRun, exported: Path, database: Database
) -> None:
    before = counts(database.url)
    refused = inside("import", str(exported))
    assert refused.code == 2
    assert f"there is a thread {recorded.thread} already" in refused.complaint
    assert "--as" in refused.complaint
    assert counts(database.url) == before
    other = str(uuid4())
    came = inside("import", str(exported), "--as", other, "--json")
    assert came.result["thread_id"] == other
    after = counts(database.url)
    assert after["replan_blobs"] == before["replan_blobs"]
    ours, theirs = (
        inside("history", thread, "--json").result for thread in (recorded.thread, other)
    )
    assert without_numbers(theirs) == without_numbers(ours)
    numbers = {one["revision"] for one in ours["checkpoints"]} & {
        one["revision"] for one in theirs["checkpoints"]
    }
    assert numbers == {""}
    assert inside("import", str(exported), "--as", "mine").code == 2


def test_an_export_holds_no_key(inside, exported: Path) -> None:
    with zipfile.ZipFile(exported) as opened:
        assert not opened.testzip()
        everything = b"".join(opened.read(name) for name in opened.namelist())
        about = json.loads(opened.read("manifest.json"))
    assert KEY.encode() not in everything
    assert (about["format"], about["version"]) == ("replan export", 1)
    assert set(about["members"]) == set(opened.namelist()) - {"manifest.json"}


def test_a_file_that_is_there_is_not_replaced_without_a_word(
    inside, recorded: RecordedRun, exported: Path, tmp_path: Path
) -> None:
    exported.write_text("mine")
    refused = inside("export", recorded.thread, "run.zip")
    assert refused.code == 2
    assert "--force" in refused.complaint
    assert exported.read_text() == "mine"
    assert inside("export", recorded.thread, "run.zip", "--force").code == 0
    assert zipfile.is_zipfile(exported)
    nowhere = inside("export", recorded.thread, "missing/run.zip")
    assert (nowhere.code, "cannot be written" in nowhere.complaint) == (2, True)
    unknown = inside("export", str(uuid4()), "other.zip")
    assert (unknown.code, "there is no thread" in unknown.complaint) == (2, True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.zip"]


def lines(members: dict[str, bytes], table: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in members[f"{table}.jsonl"].splitlines()]


def put_lines(members: dict[str, bytes], table: str, rows: list[dict[str, Any]]) -> None:
    members[f"{table}.jsonl"] = b"".join(f"{json.dumps(row)}\n".encode() for row in rows)


def newer(members: dict[str, bytes], about: dict[str, Any]) -> None:
    about["version"] = 2


def newer_tables(members: dict[str, bytes], about: dict[str, Any]) -> None:
    about["own"] = 999


def no_export(members: dict[str, bytes], about: dict[str, Any]) -> None:
    about["format"] = "something else"


def changed_byte(members: dict[str, bytes], about: dict[str, Any]) -> None:
    members["journal.jsonl"] = members["journal.jsonl"].replace(b"write_file", b"write-file")


def path_outside(members: dict[str, bytes], about: dict[str, Any]) -> None:
    members["../../evil"] = b"x"


def missing_blob(members: dict[str, bytes], about: dict[str, Any]) -> None:
    name = f"blobs/{lines(members, 'journal')[0]['request']}"
    del members[name], about["members"][name]


def rehashed(change: Callable[[dict[str, bytes]], None]) -> Change:
    """A forger gives the hashes of what he wrote."""

    def forge(members: dict[str, bytes], about: dict[str, Any]) -> None:
        change(members)
        about["members"] = {
            name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
            for name, data in members.items()
        }

    forge.__name__ = change.__name__
    return forge


@rehashed
def no_checkpoint(members: dict[str, bytes]) -> None:
    members["checkpoints.jsonl"] = b""


@rehashed
def unknown_field(members: dict[str, bytes]) -> None:
    rows = lines(members, "journal")
    put_lines(members, "journal", [{**rows[0], "more": 1}, *rows[1:]])


@rehashed
def names_a_callable(members: dict[str, bytes]) -> None:
    """What a serializer that is not strict would call on reading."""
    call = ormsgpack.packb(ormsgpack.Ext(0, ormsgpack.packb(("os", "system", "touch forged"))))
    rows = lines(members, "channels")
    rows[0] |= {"type": "msgpack", "blob": base64.urlsafe_b64encode(call).decode()}
    put_lines(members, "channels", rows)


@rehashed
def pickled(members: dict[str, bytes]) -> None:
    rows = lines(members, "writes")
    put_lines(members, "writes", [{**rows[0], "type": "pickle"}, *rows[1:]])


@rehashed
def climbs_out_of_its_folder(members: dict[str, bytes]) -> None:
    rows = lines(members, "revisions")
    entries = manifest.encode({"set": {"../out.txt": ("folder", 0o755, "", 0)}, "removed": []})
    rows[-1]["entries"] = base64.urlsafe_b64encode(entries).decode()
    put_lines(members, "revisions", rows)


@rehashed
def base_is_missing(members: dict[str, bytes]) -> None:
    rows = lines(members, "revisions")
    put_lines(members, "revisions", [{**row, "base": 999999} for row in rows])


@rehashed
def what_a_database_refuses(members: dict[str, bytes]) -> None:
    rows = lines(members, "checkpoints")
    rows[0]["metadata"]["more"] = "\0"
    put_lines(members, "checkpoints", rows)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (newer, "newer version of replan"),
        (newer_tables, "newer version of replan"),
        (no_export, "is not an export of replan"),
        (changed_byte, "journal.jsonl is not what was exported"),
        (path_outside, "its members are not those"),
        (missing_blob, "without its content"),
        (no_checkpoint, "no checkpoint"),
        (unknown_field, "journal.jsonl line 1: more"),
        (names_a_callable, "an object of os.system"),
        (pickled, "a value of the kind 'pickle'"),
        (climbs_out_of_its_folder, "'../out.txt'"),
        (base_is_missing, "without its base"),
        (what_a_database_refuses, "the database refuses"),
    ],
)
def test_a_forged_or_damaged_export_changes_nothing(
    inside, exported: Path, elsewhere: str, change: Change, said: str, tmp_path: Path
) -> None:
    there = {"DATABASE_URL": elsewhere}
    assert inside("threads", **there).code == 0
    before = counts(elsewhere)
    with zipfile.ZipFile(exported) as opened:
        members = {name: opened.read(name) for name in opened.namelist()}
    about = json.loads(members.pop("manifest.json"))
    change(members, about)
    forged = tmp_path / "forged.zip"
    with zipfile.ZipFile(forged, "w", zipfile.ZIP_DEFLATED) as written:
        for name, data in members.items():
            written.writestr(name, data)
        written.writestr("manifest.json", json.dumps(about))
    refused = inside("import", str(forged), "--as", str(uuid4()), **there)
    assert (refused.code, refused.out) == (2, "")
    assert said in refused.complaint
    assert counts(elsewhere) == before
    assert not (tmp_path / "forged").exists()


def test_what_is_no_archive_is_one_line(inside, exported: Path, tmp_path: Path) -> None:
    whole = exported.read_bytes()
    (tmp_path / "short.zip").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.zip").write_text("not an archive")
    (tmp_path / "empty.zip").write_bytes(b"")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as written:
        written.writestr("a.txt", "x")
    with zipfile.ZipFile(exported) as opened:
        largest = max(opened.infolist(), key=lambda info: info.compress_size)
    spoilt = bytearray(whole)  # some bytes of an archive, such as its dates, mean nothing to us
    spoilt[largest.header_offset + 100 + largest.compress_size // 2] ^= 0xFF
    (tmp_path / "spoilt.zip").write_bytes(spoilt)
    for name, said in (
        ("short.zip", "not an export"), ("text.zip", "not an export"),
        ("empty.zip", "not an export"), ("other.zip", "not an export"),
        ("spoilt.zip", "damaged"), ("missing.zip", "No such file"), (".", "Is a directory"),
    ):  # fmt: skip
        refused = inside("import", name, "--as", str(uuid4()))
        assert (refused.code, refused.out) == (2, ""), name
        assert said in refused.complaint


def test_a_bomb_is_not_unpacked(inside, exported: Path, tmp_path: Path) -> None:
    """A member that unpacks to more than it says is left at that size."""
    with zipfile.ZipFile(exported) as opened:
        members = {name: opened.read(name) for name in opened.namelist()}
    about = json.loads(members["manifest.json"])
    members["outputs.jsonl"] = b"\n" * 50_000_000
    forged = tmp_path / "bomb.zip"
    with zipfile.ZipFile(forged, "w", zipfile.ZIP_DEFLATED) as written:
        for name, data in members.items():
            written.writestr(name, json.dumps(about) if name == "manifest.json" else data)
    assert forged.stat().st_size < 1_000_000
    refused = inside("import", str(forged), "--as", str(uuid4()))
    assert (refused.code, "not of the size" in refused.complaint) == (2, True)
