"""`replan memory list`, `search`, `show`, `add`, `forget` and `stats`."""

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from embedding_server import EmbeddingServer
from memory_commands import MemoryCommands
from psycopg.types.json import Jsonb
from terminal import KEY, at_a_terminal

from replan.cli.memory import memory_app

EXPORTS = "The exports of the shop are encoded in UTF-16"


def test_what_is_added_is_listed_shown_and_found(memory: MemoryCommands) -> None:
    added = memory("add", EXPORTS, "--importance", "0.8", "--json")
    assert added.result["how"] == "new"
    memory_id = added.result["id"]
    memory.add("A failed login locks the account", "--kind", "experience")
    newest = memory("list", "--json").result["memories"]
    assert [one["kind"] for one in newest] == ["experience", "fact"]
    assert memory("list", "--limit", "1", "--json").result["memories"] == newest[:1]
    assert memory("list", "--kind", "fact", "--json").result["memories"] == newest[1:]
    assert memory_id[:10] in memory("list").out
    shown = memory("show", memory_id[:8], "--json").result
    assert shown == newest[1]
    assert (shown["text"], shown["importance"]) == (EXPORTS, 0.8)
    assert shown["source"] == {"thread": "", "checkpoint": "", "told_by": "default"}
    page = memory("show", memory_id).out
    assert EXPORTS in page
    assert "told by default" in page
    found = memory("search", "how are the exports of the shop encoded", "--json").result
    assert found["note"] == ""
    first = found["found"][0]
    assert first["memory"]["id"] == memory_id
    assert first["score"] > 0
    assert 0.5 < first["similarity"] <= 1
    assert memory_id[:10] in memory("search", "shop exports").out.splitlines()[1]


def test_the_same_again_is_counted(memory: MemoryCommands) -> None:
    first = memory.add(EXPORTS)
    again = memory("add", f"  {EXPORTS}\n", "--importance", "0.9", "--json").result
    assert (again["id"], again["how"]) == (first, "known")
    [row] = memory.rows()
    assert (row["times"], row["importance"]) == (2, 0.9)


def test_what_takes_the_place_of_another(memory: MemoryCommands) -> None:
    old = memory.add(EXPORTS)
    done = memory("add", "Since May they are in UTF-8", "--supersedes", old[:10], "--json").result
    assert (done["how"], done["superseded"]) == ("superseding", [old])
    [left] = memory("list", "--json").result["memories"]
    assert left["id"] == done["id"]
    ended = next(row for row in memory.rows() if row["id"] == old)
    assert (ended["superseded_by"], bool(ended["ended"])) == (done["id"], True)
    assert f"(superseded by {done['id'][:10]}) {EXPORTS}" in memory("list", "--all").out
    assert f"superseded by {done['id']}" in memory("show", old).out
    found = memory("search", EXPORTS, "--json").result["found"]
    assert [one["memory"]["id"] for one in found] == [done["id"]]


def test_owners_do_not_see_each_others(memory: MemoryCommands) -> None:
    mine, hers = memory.add("It is mine"), memory.add("It is hers", "--user", "anna.b/c")
    theirs = memory.add("It is the team's", "--user", "anna.b/c", "--project", "team")
    assert [row["id"] for row in memory.rows()] == [mine]
    anna = ("--user", "anna.b/c")
    assert [row["id"] for row in memory("list", *anna, "--json").result["memories"]] == [hers]
    found = memory("search", "whose is it", *anna, "--project", "team", "--json").result["found"]
    assert [one["memory"]["id"] for one in found] == [theirs]
    assert found[0]["memory"]["source"]["told_by"] == "anna.b/c"
    assert memory("show", hers).code == 2
    assert memory("forget", hers, "--yes").code == 2
    assert memory("forget", "--all", *anna, "--yes").code == 0
    assert len(memory("list", *anna, "--project", "team", "--json").result["memories"]) == 1
    assert [row["id"] for row in memory.rows()] == [mine]


def test_stats_count_by_owner_and_kind(memory: MemoryCommands) -> None:
    assert memory("stats", "--json").result["counts"] == []
    old = memory.add(EXPORTS)
    memory.add("They are in UTF-8", "--supersedes", old)
    memory.add("Look first", "--kind", "experience", "--user", "anna", "--project", "p\x1b")
    told = memory("stats", "--json").result
    assert told["bytes"] > 0
    counts = [tuple(one.values()) for one in told["counts"]]
    assert sorted(counts) == [
        ("anna", "p\x1b", "experience", 1, 0),
        ("default", "default", "fact", 1, 1),
    ]
    assert (told["state"], told["dims"], told["waiting"]) == ("whole", 64, 0)
    assert told["made_by"].startswith("m at http://127.0.0.1:")
    page = memory("stats").out
    assert page.startswith("3 memories, ")
    assert "\nanna     p\\x1b    experience  1     0\n" in page
    assert "\nindex: whole, 64 numbers a vector, by m at http://127.0.0.1:" in page


def test_forget_takes_what_is_named_and_no_more(memory: MemoryCommands) -> None:
    ids = [memory.add(f"The number of box {number} is {number}") for number in range(4)]
    done = memory("forget", ids[0], ids[1][:12], ids[1], "--yes", "--json")
    assert done.result["forgotten"] == ids[:2]
    assert {row["id"] for row in memory.rows()} == set(ids[2:])
    memory.add("Look first", "--kind", "experience")
    assert memory("forget", "--all", "--kind", "fact", "--yes").out == "2 forgotten\n"
    [left] = memory.rows()
    assert left["kind"] == "experience"
    assert memory("search", "the number of box 3", "--kind", "fact", "--json").result["found"] == []


def test_forget_asks_first(memory: MemoryCommands) -> None:
    memory_id = memory.add("text that clears \x1b[2J the screen")
    refused = memory("forget", memory_id)
    assert (refused.code, refused.out) == (2, "")
    assert "--yes" in refused.complaint
    args = ["memory", "forget", memory_id]
    code, said = at_a_terminal(args, [("Forget them?", b"n\n")], **memory.env)
    assert (code, "0 forgotten" in said) == (1, True)
    assert "text that clears \\x1b[2J the screen" in said
    assert len(memory.rows()) == 1
    code, said = at_a_terminal(args, [("Forget them?", b"y\n")], **memory.env)
    assert (code, "1 forgotten" in said) == (0, True)
    assert memory.rows() == []


def test_text_from_standard_input(memory: MemoryCommands, replan) -> None:
    text = "多行的记忆\nwith a second line"
    done = replan("memory", "add", "-", "--json", input=f"{text}\n", **memory.env)
    assert done.code == 0, done.err
    assert memory("show", done.result["id"], "--json").result["text"] == text


def test_without_vectors_it_goes_by_words_and_says_so(
    memory: MemoryCommands, vectors: EmbeddingServer
) -> None:
    before = memory.add(EXPORTS)
    vectors.status = 500
    kept = memory("add", "The invoices of the shop are in Latin-1", "--json")
    assert (kept.code, kept.result["how"]) == (0, "new")
    found = memory("search", "encoded exports", "--json")
    assert found.code == 0
    assert "words alone" in found.result["note"]
    [first] = found.result["found"]
    assert (first["memory"]["id"], first["similarity"]) == (before, None)
    plain = memory("search", "encoded exports")
    assert "words alone" in plain.err
    assert len(plain.err.splitlines()) == 1
    told = memory("stats", "--json").result
    assert (told["state"], told["waiting"]) == ("waiting", 1)
    assert "1 of 2 memories have a vector" in memory("stats").out
    vectors.status = 200
    assert memory("search", "in what are invoices", "--json").result["found"][0]["similarity"]
    assert memory("stats", "--json").result["waiting"] == 0


def test_vectors_of_another_size_are_not_mixed_in(
    memory: MemoryCommands, vectors: EmbeddingServer
) -> None:
    memory.add(EXPORTS)
    vectors.size = 32
    found = memory("search", "encoded exports", "--json").result
    assert "64" in found["note"]
    assert "32" in found["note"]
    assert [one["similarity"] for one in found["found"]] == [None]


def test_another_model_rebuilds_the_index(memory: MemoryCommands, vectors: EmbeddingServer) -> None:
    ids = {memory.add(f"The number of box {number} is {number}") for number in range(3)}
    vectors.size = 32
    env = {"OPENAI_EMBEDDING_MODEL": "other"}
    told = memory("stats", "--json", **env).result
    assert told["made_by"].startswith("m at ")
    assert told["model"].startswith("other at ")
    assert "the next search or run makes them anew" in memory("stats", **env).out
    found = memory("search", "box 2", "--json", **env).result
    assert {one["memory"]["id"] for one in found["found"]} == ids
    told = memory("stats", "--json", **env).result
    assert (told["state"], told["waiting"]) == ("whole", 0)
    assert told["made_by"].startswith("other at ")
    found = memory("search", "box 2", "--json", **env).result
    assert all(one["similarity"] for one in found["found"])


@pytest.mark.parametrize("command", [one.name or one.callback.__name__  # type: ignore[union-attr]
                                     for one in memory_app.registered_commands])  # fmt: skip
def test_every_command_has_examples_and_json(inside, command: str) -> None:
    said = inside("memory", command, "--help")
    assert said.code == 0
    assert f"  replan memory {command}" in said.out.partition("Examples:")[2]
    assert "--json" in said.out


def test_help_imports_nothing_heavy() -> None:
    heavy = ("psycopg", "langgraph", "openai", "rich")
    code = (
        "import sys; from replan.cli.main import app\n"
        "try: app(['memory', 'add', '--help'])\n"
        "except SystemExit: pass\n"
        f"print([name for name in {heavy} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_bad_input_is_one_line(memory: MemoryCommands, tmp_path: Path) -> None:
    kept = memory.add(EXPORTS)
    nobody = "f" * 32
    for args, said in (
        (("add", "  \n"), "the memory is empty"),
        (("add", "x" * 100_000), "the memory has 100,000 characters; 4,000 are the most"),
        (("add", "a\ud800b"), "not readable text"),
        (("add", f"The key is {KEY}"), "one of the configured keys"),
        (("add", "x", "--kind", "wish"), "There are: fact, experience, skill"),
        (("add", "x", "--supersedes", nobody), nobody),
        (("add", "x", "--user", "u" * 300), "user has 300 characters"),
        (("show", nobody), f"no memory {nobody!r}"),
        (("show", ""), "no memory"),
        (("show", "%"), "no memory"),
        (("show", "../x"), "no memory"),
        (("forget", "--yes"), "forget takes ids, or --all"),
        (("forget", kept, "--all", "--yes"), "forget takes ids, or --all"),
        (("forget", kept, "--kind", "fact", "--yes"), "--kind goes with --all"),
        (("forget", kept, nobody, "--yes"), f"no memory {nobody!r}"),
        (("forget", "--all", "--kind", "wish", "--yes"), "no kind of memory 'wish'"),
        (("list", "--kind", "wish"), "no kind of memory 'wish'"),
        (("search", " "), "the question is empty"),
        (("search", "x" * 100_000), "the question has 100,000 characters"),
        (("search", "a\ud800b"), "not readable text"),
    ):
        refused = memory(*args)
        assert (refused.code, refused.out) == (2, ""), (args, refused.err)
        assert said in refused.complaint, args
        assert KEY not in refused.err
    for usage in (("list", "--limit", "0"), ("add", "x", "--importance", "2"), ("wish",)):
        assert memory(*usage).code == 2
    assert [row["id"] for row in memory.rows()] == [kept]


def test_a_memory_of_a_megabyte(memory: MemoryCommands, replan) -> None:
    """Through a pipe: the system takes no argument of that size."""
    done = replan("memory", "add", "-", input="x" * 1_000_000, **memory.env)
    assert (done.code, done.out) == (2, "")
    assert "the memory has 1,000,000 characters; 4,000 are the most" in done.complaint
    assert memory.rows() == []


def test_what_a_graph_has_put_can_be_named_too(memory: MemoryCommands) -> None:
    """Under any key, of any size, with fields of any kind."""
    with psycopg.connect(memory.env["DATABASE_URL"]) as connection:
        for key, value in (
            ("note_1", {"text": "The lamp is green"}),
            ("note_2", {"text": "x" * 1_000_000, "times": "often"}),
            ("note%", {"no": "text"}),
        ):
            connection.execute(
                "INSERT INTO store (prefix, key, value) VALUES (%s, %s, %s)",
                ("memory.default.default.fact", key, Jsonb(value)),
            )
    assert {row["id"] for row in memory.rows()} == {"note_1", "note_2", "note%"}
    assert memory("show", "note_1", "--json").result["text"] == "The lamp is green"
    assert len(memory("show", "note_2", "--json").result["text"]) <= 4_000
    assert memory("show", "note%", "--json").result["id"] == "note%"
    assert memory("show", "note").code == 2
    found = memory("search", "lamp green", "--json").result["found"]
    assert found[0]["memory"]["id"] == "note_1"
    done = memory("export", "all.jsonl", "--json")
    assert done.result["memories"] == 3
    assert memory("forget", "note%", "note_2", "--yes").code == 0
    assert memory("import", "all.jsonl", "--json").result["new"] == 2
    assert {row["id"] for row in memory.rows()} == {"note_1", "note_2", "note%"}


def test_a_database_that_does_not_answer(inside) -> None:
    refused = inside("memory", "list", DATABASE_URL="postgresql://me:hush@127.0.0.1:9/mine")
    assert (refused.code, refused.out) == (2, "")
    assert "nothing listens there" in refused.complaint
