"""The file of exported memories: what is written is read, and nothing else is."""

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from replan.memory.likeness import memory_id
from replan.memory.memory_file import FORMAT, VERSION, MemoryReader, MemoryWriter
from replan.state.errors import ExportError
from replan.state.memory import Memory, Source
from replan.state.settings import settings

TEXT = "导出 \u2028 the export\nin two lines"
KEY = "sk-0123456789"
HEADER = {"format": FORMAT, "version": VERSION}
FACT = {"kind": "fact", "text": "The export is in UTF-16."}


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    settings.cache_clear()
    yield
    settings.cache_clear()


def file_of(*lines: Any) -> io.BytesIO:
    """Each line as JSON, or as it is where it is bytes."""
    whole = (one if isinstance(one, bytes) else json.dumps(one).encode() for one in lines)
    return io.BytesIO(b"\n".join(whole) + b"\n")


def read(file: io.BytesIO) -> list[Memory]:
    return list(MemoryReader(file, "mine.jsonl"))


def test_all_that_is_known_of_a_memory_comes_back() -> None:
    memories = [
        Memory(
            id=memory_id("experience", TEXT),
            kind="experience",
            text=TEXT,
            outcome="failed",
            detail={"lesson": "look first", "cost": {"steps": 3, "usd": 0.25}},
            importance=0.9,
            source=Source(thread="t", checkpoint="c", told_by="anna"),
            learned=datetime(2026, 5, 4, 3, 2, 1, 99, tzinfo=UTC),
            ended=datetime(2026, 6, 4, tzinfo=UTC),
            superseded_by="b" * 32,
            times=7,
        ),
        Memory(id="put-by-a-graph", kind="fact", text="x"),
    ]
    file = io.BytesIO()
    writer = MemoryWriter(file, "anna", "reports")
    for memory in memories:
        writer.write(memory)
    writer.end()
    assert len(file.getvalue().splitlines()) == 4
    file.seek(0)
    reader = MemoryReader(file, "mine.jsonl")
    assert list(reader) == memories
    assert (reader.header.user, reader.header.project, reader.read) == ("anna", "reports", 2)


def test_a_time_without_a_zone_is_universal_time() -> None:
    line = {**FACT, "learned": "2026-05-04T03:02:01"}
    [memory] = read(file_of(HEADER, line, {"memories": 1}))
    assert memory.id == memory_id("fact", FACT["text"])
    assert memory.learned == datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("first", "said"),
    [
        (b"", "no file of `replan memory export`"),
        (b"PK\x03\x04" + bytes(5_000_000), "no file of `replan memory export`"),
        (b"[" * 900_000, "no file of `replan memory export`"),
        ([1], "no file of `replan memory export`"),
        (FACT, "no file of `replan memory export`"),
        ({"format": "another", "version": 1}, "no file of `replan memory export`"),
        ({"format": FORMAT, "version": VERSION + 1}, "this replan reads version 1"),
        ({"format": FORMAT, "version": 0}, "has version 0"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_another_format_and_a_newer_version(first: Any, said: str) -> None:
    with pytest.raises(ExportError, match=said):
        MemoryReader(file_of(first, FACT, {"memories": 1}), "mine.jsonl")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b'{"kind": "fact", "text', "is not JSON"),
        (b"[" * 900_000, "is not JSON"),
        (b"", "is not JSON"),
        (b'{"kind": "fact", "text": "caf\xe9"}', "is not readable text"),
        (b'{"kind": "fact", "text": "\\ud800"}', "is not readable text"),
        ({**FACT, "text": "a\0b"}, "holds a NUL"),
        ({**FACT, "detail": {"a": [{"b\0": 1}]}}, "holds a NUL"),
        (b'{"kind": "fact", "text": "x", "detail": {"a": NaN}}', "is not JSON"),
        (b'{"kind": "fact", "text": "x", "detail": {"a": 1e999}}', "is not JSON"),
        ([FACT], "is no JSON object"),
        ({"kind": "fact"}, "is no memory: text: Field required"),
        ({**FACT, "text": ""}, "is no memory: text"),
        ({**FACT, "kind": "wish"}, "is no memory: kind"),
        ({**FACT, "vector": [1]}, "is no memory: vector"),
        ({**FACT, "times": 0}, "is no memory: times"),
        ({**FACT, "importance": 1.5}, "is no memory: importance"),
        ({**FACT, "learned": "soon"}, "is no memory: learned"),
        ({**FACT, "text": "x" * 1_000_000}, "a memory of 1,000,000 characters; 4,000 are the most"),
        ({**FACT, "text": "x" * 5_000_000}, "is longer than 4,000,000 bytes"),
        ({**FACT, "detail": {"code": "x" * 20_000}}, "a detail of more than 20,000 characters"),
        ({**FACT, "id": "0" * 32}, "has an id that is not made of its kind and text"),
        ({**FACT, "id": "x" * 300}, "has an id of more than 200 characters"),
        ({**FACT, "text": f"The key is {KEY}."}, "holds one of the configured keys"),
        ({**FACT, "detail": {"tried": [f"with {KEY}"]}}, "holds one of the configured keys"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_line_that_is_no_memory_is_named(line: Any, said: str) -> None:
    with pytest.raises(ExportError) as refused:
        read(file_of(HEADER, FACT, line, {"memories": 2}))
    assert said in refused.value.what
    assert "line 3 of mine.jsonl" in refused.value.what
    assert "Nothing was imported." in refused.value.todo
    assert KEY not in str(refused.value)
    assert len(str(refused.value)) < 300


def test_text_that_only_looks_like_a_nul_is_text() -> None:
    [memory] = read(file_of(HEADER, {**FACT, "text": r"write \u0000 for NUL"}, {"memories": 1}))
    assert memory.text == r"write \u0000 for NUL"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([HEADER, FACT], "ends after line 2 without its last line: it was cut"),
        ([HEADER], "ends after line 1 without its last line"),
        ([HEADER, FACT, {"memories": 2}], "holds 1 memories, and its last line says 2"),
        ([HEADER, {"memories": "0"}], "holds 0 memories, and its last line says '0'"),
        ([HEADER, {"memories": 0}, FACT], "line 2 of mine.jsonl ends the file, but more follows"),
    ],
)
def test_a_file_that_was_cut_or_changed(lines: list[Any], said: str) -> None:
    with pytest.raises(ExportError, match=said):
        read(file_of(*lines))


def test_an_empty_export_is_one() -> None:
    assert read(file_of(HEADER, {"memories": 0})) == []
