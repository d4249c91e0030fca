"""A memory: what an earlier run found to be true, went through, or can do."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from replan.state.noun import Noun

MemoryKind = Literal["fact", "experience", "skill"]
KINDS: tuple[MemoryKind, ...] = ("fact", "experience", "skill")
TEXT_CHARS = 4_000
DETAIL_CHARS = 20_000
MENTION_CHARS = 160


class Source(Noun):
    """Where a memory comes from: a run's thread and checkpoint, or who told it, and when."""

    thread: str = ""
    checkpoint: str = ""
    told_by: str = ""


class Memory(Noun):
    """One thing kept for later runs.

    Kinds: a `fact` is true, as far as is known; an `experience` is a goal or task with what was
    tried, how it ended, and the lesson; a `skill` is code or a plan that passed its checks.

    Attributes:
        id: hash of kind and text, so that the same is never kept twice; set when it is kept.
        text: what it says, in at most 4,000 characters: this is what is searched.
        outcome: how that ended which it tells of; "" for a fact.
        detail: of an experience what was `tried`, the `lesson` and the `cost`; of a skill its
            `goal`, its `plan` or `code`, and what it `needs`. JSON of at most 20,000 characters.
        importance: 0 to 1; of memories that fit equally well the more important comes first.
        learned: since when it is held to be true; set when it is kept.
        ended: until when it was; None while it is.
        superseded_by: id of the memory that took its place, "" while none has.
        times: how often it was learned.
    """

    id: str = ""
    kind: MemoryKind
    text: str = Field(min_length=1, max_length=TEXT_CHARS)
    outcome: Literal["", "done", "failed", "stopped"] = ""
    detail: dict[str, Any] = Field(default_factory=dict)
    importance: float = Field(default=0.5, ge=0, le=1)
    source: Source = Field(default_factory=Source)
    learned: datetime | None = None
    ended: datetime | None = None
    superseded_by: str = ""
    times: int = Field(default=1, ge=1)


class Found(Noun):
    """A memory that was searched for.

    Attributes:
        score: of reciprocal rank fusion; the higher the better, comparable within one search.
        similarity: cosine between question and memory, None where no vectors were compared.
    """

    memory: Memory
    score: float
    similarity: float | None = None


class Recalled(Noun):
    """What a search found, the best first; `note` says what it had to do without."""

    found: list[Found] = Field(default_factory=list)
    note: str = ""


class Kept(Noun):
    """What became of a memory that was to be kept: `new`; `known`, the same was there and is
    counted once more; `superseding`, it took the place of those named.

    Attributes:
        note: why it can be found by words alone for now; "" where that is not so.
    """

    id: str
    how: Literal["new", "known", "superseding"]
    superseded: list[str] = Field(default_factory=list)
    note: str = ""


class Mention(Noun):
    """A memory as a run's state names it: its id, its first words, and what became of it: `shown`
    to the model, `followed` (its plan or calls were taken), or how it was kept.
    """

    id: str
    kind: MemoryKind
    text: str = Field(max_length=MENTION_CHARS)
    how: Literal["shown", "followed", "new", "known", "superseding"]

    @classmethod
    def of(cls, memory: Memory, how: str) -> "Mention":
        """The memory in short."""
        return cls(id=memory.id, kind=memory.kind, text=memory.text[:MENTION_CHARS], how=how)
