"""240 memories with near-duplicates and negations among them, and questions asked of them.

The data are in tests/memory/retrieval, written for this. Questions that are `plain` are asked in
other words, as people do; `oblique` ones also avoid every word of the answer that can be avoided.
One half is for fitting (what is chosen by trying is chosen on it), the other is held out.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from replan.memory.postgres import PostgresMemories
from replan.state.memory import Memory, MemoryKind

_DATA = Path(__file__).parent / "memory" / "retrieval"
_UNRELATED = Path(__file__).parent / "models" / "parallel_texts.jsonl"
_AT_ONCE = 60

Language = Literal["en", "zh", "mixed"]
Half = Literal["fitting", "held-out"]


@dataclass(frozen=True)
class Told:
    """A memory: a name for it, and what it says."""

    id: str
    kind: MemoryKind
    text: str


@dataclass(frozen=True)
class Question:
    """A question, and the name of the one memory that answers it.

    `mixed` are questions in one language whose answer is in the other.
    """

    text: str
    right: str
    language: Language
    level: Literal["plain", "oblique"]
    half: Half


@dataclass(frozen=True)
class Pair:
    """Two texts that say the same in other words, or that differ in one fact."""

    one: str
    other: str
    same: bool
    language: Language
    half: Half


@dataclass(frozen=True)
class Answered:
    """A question and the texts that were found, the best first."""

    question: Question
    found: list[str]

    @property
    def right(self) -> bool:
        """Whether the first one answers."""
        return self.found[:1] == [text_of(self.question.right)]


@cache
def told() -> list[Told]:
    """The memories."""
    return [Told(**row) for row in _rows(_DATA / "memories.jsonl")]


@cache
def questions() -> list[Question]:
    """All of them."""
    return [Question(**row) for row in _rows(_DATA / "questions.jsonl")]


@cache
def pairs() -> list[Pair]:
    """All of them."""
    return [Pair(**row) for row in _rows(_DATA / "pairs.jsonl")]


def unrelated() -> list[str]:
    """Sentences of other matters, in English and in Chinese."""
    return [text for row in _rows(_UNRELATED) for text in (row["en"], row["zh"])]


@cache
def _texts() -> dict[str, str]:
    return {one.id: one.text for one in told()}


def text_of(name: str) -> str:
    """What a memory says."""
    return _texts()[name]


async def keep_all(memories: PostgresMemories) -> int:
    """Keeps the memories; how many of them were taken to be new."""
    new = 0
    for start in range(0, len(told()), _AT_ONCE):
        some = [Memory(kind=one.kind, text=one.text) for one in told()[start : start + _AT_ONCE]]
        new += sum(kept.how == "new" for kept in await memories.keep(some))
    return new


async def ask(memories: PostgresMemories, asked: Iterable[Question]) -> list[Answered]:
    """What is recalled for each question."""
    return [
        Answered(
            one, [found.memory.text for found in (await memories.recall(one.text, most=3)).found]
        )
        for one in asked
    ]


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
