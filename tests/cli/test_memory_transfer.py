"""`replan memory export` and `import`: all of it comes across, or nothing."""

import json
import signal
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from embedding_server import EmbeddingServer
from memory_commands import MemoryCommands, database_of_its_own
from terminal import KEY

from replan.storage.database import Database

NAMESPACE = "memory.default.default.fact"
OTHER = ("--user", "bob")


@pytest.fixture(scope="module")
def once() -> list[bytes]:
    """The exported file, when it was made for the first time."""
    return []


@pytest.fixture
def exported(memory: MemoryCommands, tmp_path: Path, once: list[bytes]) -> Path:
    """A file of four memories, one of which took another's place and one of which came twice."""
    file = tmp_path / "mine.jsonl"
    if not once:
        old = memory.add("The exports of the shop are in UTF-16")
        memory.add("Since May the exports are in UTF-8", "--supersedes", old)
        memory.add("先看表头", "--kind", "experience", "--importance", "0.9")
        memory.add("先看表头", "--kind", "experience")
        memory.add("Sort with key=str.casefold", "--kind", "skill")
        done = memory("export", "mine.jsonl", "--json")
        assert done.code == 0, done.err
        assert (done.result["memories"], done.result["file"]) == (4, str(file))
        once.append(file.read_bytes())
    else:
        file.write_bytes(once[0])
        assert memory("import", str(file)).code == 0
    return file


def rows(memory: MemoryCommands, *owner: str, **env: str) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in memory.rows(*owner, **env)}


def test_all_of_it_comes_across(memory: MemoryCommands, exported: Path, database: Database) -> None:
    mine = rows(memory)
    there = {"DATABASE_URL": database_of_its_own(database)}
    done = memory("import", str(exported), "--json", **there).result
    assert (done["new"], done["known"]) == (4, 0)
    assert rows(memory, **there) == mine
    assert sum(bool(row["superseded_by"]) for row in mine.values()) == 1
    assert {row["times"] for row in mine.values()} == {1, 2}
    found = memory("search", "exports in UTF-8", "--json", **there).result
    assert found["found"][0]["memory"]["text"] == "Since May the exports are in UTF-8"
    assert found["found"][0]["similarity"]
    again = memory("export", "again.jsonl", **there)
    assert again.code == 0
    assert exported.read_text().splitlines()[1:] == Path("again.jsonl").read_text().splitlines()[1:]


def test_what_is_known_is_not_doubled(memory: MemoryCommands, exported: Path) -> None:
    before = rows(memory)
    done = memory("import", str(exported), "--json").result
    assert (done["new"], done["known"]) == (0, 4)
    assert rows(memory) == before
    [gone] = memory("list", "--kind", "skill", "--json").result["memories"]
    assert memory("forget", gone["id"], "--yes").code == 0
    assert memory("import", str(exported)).out.startswith("1 new and 3 known memories, of user ")
    assert rows(memory) == before


def test_for_another_owner(memory: MemoryCommands, exported: Path) -> None:
    done = memory("import", str(exported), *OTHER, "--project", "p", "--json").result
    assert (done["new"], done["user"], done["project"]) == (4, "bob", "p")
    assert len(rows(memory, *OTHER, "--project", "p")) == 4
    assert rows(memory, *OTHER) == {}


def test_only_some_kinds(memory: MemoryCommands, exported: Path) -> None:
    done = memory("export", "skills.jsonl", "--kind", "skill", "--kind", "fact", "--json").result
    assert done["memories"] == 3


def test_through_pipes(memory: MemoryCommands, exported: Path, replan: Any) -> None:
    written = replan("memory", "export", "-", **memory.env)
    assert written.code == 0
    assert written.out.splitlines()[1:] == exported.read_text().splitlines()[1:]
    taken = replan("memory", "import", "-", *OTHER, "--json", input=written.out, **memory.env)
    assert taken.result["new"] == 4
    both = memory("export", "-", "--json")
    assert (both.code, both.out) == (2, "")


def test_whoever_reads_may_have_read_enough(
    memory: MemoryCommands, exported: Path, replan: Any
) -> None:
    with replan.start("memory", "export", "-", **memory.env) as process:
        process.stdout.close()
        assert (process.wait(60), process.stderr.read()) == (0, "")


def test_a_file_that_is_there_stays(memory: MemoryCommands, exported: Path) -> None:
    exported.write_text("mine")
    refused = memory("export", str(exported))
    assert (refused.code, exported.read_text()) == (2, "mine")
    assert "exists already" in refused.complaint
    assert memory("export", str(exported), "--force").code == 0
    assert '"replan-memories"' in exported.read_text()
    nowhere = memory("export", "missing/mine.jsonl")
    assert nowhere.code == 2
    assert "cannot be written" in nowhere.complaint
    assert [path.name for path in exported.parent.iterdir()] == [exported.name]


def damaged(exported: Path, number: int, line: Any) -> None:
    """Another line in place of one; the last line still says how many there are."""
    lines = exported.read_text().splitlines()
    lines[number] = line if isinstance(line, str) else json.dumps(line)
    exported.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize(
    ("number", "line", "said"),
    [
        (0, {"format": "another", "version": 1}, "no file of `replan memory export`"),
        (0, {"format": "replan-memories", "version": 2}, "version 2"),
        (4, '{"kind": "fact", "te', "line 5"),
        (4, {"kind": "fact", "text": "x" * 1_000_000}, "1,000,000 characters; 4,000 are the most"),
        (4, {"kind": "fact", "text": f"The key is {KEY}"}, "configured keys"),
        (4, {"kind": "fact", "text": "x", "id": "0" * 32}, "line 5"),
        (4, {"kind": "fact", "text": "x", "vector": [1, 2]}, "line 5"),
        (5, {"memories": 5}, "its last line says 5"),
        (5, "", "line 6"),
    ],
)
def test_a_damaged_file_brings_nothing_in(
    memory: MemoryCommands, exported: Path, number: int, line: Any, said: str
) -> None:
    damaged(exported, number, line)
    refused = memory("import", str(exported), *OTHER)
    assert (refused.code, refused.out) == (2, "")
    assert said in refused.complaint
    assert KEY not in refused.err
    assert rows(memory, *OTHER) == {}


def test_what_is_no_file(memory: MemoryCommands, tmp_path: Path) -> None:
    for name, said in ((str(tmp_path), "directory"), ("missing", "No such file")):
        refused = memory("import", name)
        assert (refused.code, refused.out) == (2, "")
        assert said in refused.complaint


def many(path: Path, count: int) -> None:
    """A file of memories, each of which says something else."""
    lines = [{"format": "replan-memories", "version": 1}]
    lines += [
        {"kind": "fact", "text": f"The code of box {number} is {number * 7919}"}
        for number in range(count)
    ]
    lines.append({"memories": count})
    path.write_text("\n".join(json.dumps(line) for line in lines) + "\n")


def test_two_processes_at_once_lose_and_double_nothing(
    memory: MemoryCommands, replan: Any, tmp_path: Path
) -> None:
    many(tmp_path / "many.jsonl", 300)
    args = ("memory", "import", str(tmp_path / "many.jsonl"), "--json")

    def taken(_: int) -> Any:
        return replan(*args, **memory.env)

    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(taken, range(2)))
    assert [one.code for one in both] == [0, 0], [one.err for one in both]
    assert sum(one.result["new"] for one in both) == 300
    assert sum(one.result["known"] for one in both) == 300
    found = rows(memory)
    assert len({row["text"] for row in found.values()}) == len(found) == 300
    assert {row["times"] for row in found.values()} == {1}


def test_without_an_embedding_server_they_are_there_by_words(
    memory: MemoryCommands, exported: Path, vectors: EmbeddingServer
) -> None:
    vectors.status = 503
    done = memory("import", str(exported), *OTHER, "--json").result
    assert (done["new"], done["waiting"]) == (4, 3)
    found = memory("search", "exports", *OTHER, "--json").result
    assert found["found"]
    assert "words alone" in found["note"]
    vectors.status = 200
    assert memory("search", "exports", *OTHER, "--json").result["found"][0]["similarity"]


def waits_for(said: Callable[[], bool], process: "subprocess.Popen[str]") -> None:
    end = time.monotonic() + 30
    while not said():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.02)


def test_ctrl_c_in_the_midst_leaves_nothing(
    memory: MemoryCommands, replan: Any, tmp_path: Path
) -> None:
    many(tmp_path / "many.jsonl", 20)
    with psycopg.connect(memory.env["DATABASE_URL"], autocommit=True) as connection:
        # Another writer's, for which the import waits within its transaction.
        connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 2))", (NAMESPACE,))
        process = replan.start("memory", "import", str(tmp_path / "many.jsonl"), **memory.env)
        held = "SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        waits_for(lambda: connection.execute(held).fetchone() is not None, process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, "", "replan: interrupted.\n")
    assert memory.rows() == []


def test_ctrl_c_while_vectors_are_made_loses_nothing(
    memory: MemoryCommands, vectors: EmbeddingServer, replan: Any, tmp_path: Path
) -> None:
    many(tmp_path / "many.jsonl", 200)
    vectors.delay = 0.4
    process = replan.start("memory", "import", str(tmp_path / "many.jsonl"), "--json", **memory.env)
    before = len(vectors.asked)
    waits_for(lambda: len(vectors.asked) > before + 130, process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    done = json.loads(out)
    assert (done["new"], done["known"], done["note"]) == (200, 0, "Interrupted.")
    assert "[" in err
    assert "Embedding memories 40 %" in err
    assert len(memory.rows()) == 200
    left = memory("stats", "--json").result["waiting"]
    assert 0 < left < 200
    vectors.delay = 0.0
    assert memory("search", "box 7", "--json").result["found"][0]["similarity"]
    assert memory("stats", "--json").result["waiting"] == 0
