"""`replan memory list`, `search`, `show` and `stats`."""

import asyncio
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from replan.cli.memory_open import Names, caught_up, kinds_of, opened_memories
from replan.cli.printable import json_line, put, visible
from replan.cli.settle import at_the_edge
from replan.state.errors import UsageError
from replan.state.memory import Memory
from replan.state.readable import is_readable

if TYPE_CHECKING:
    from replan.memory.catalogue import Stats
    from replan.state.memory import MemoryKind, Recalled

_MOST_QUERY_CHARS = 20_000


def list_memories(
    names: Names, kinds: Sequence[str], limit: int, everything: bool, as_json: bool
) -> int:
    """Print the newest memories. Returns the exit code.

    Args:
        names: user and project.
        kinds: which; none for all.
        limit: how many.
        everything: those too that are not true any more.
        as_json: whether to print one JSON object.
    """

    async def newest(of: Sequence["MemoryKind"]) -> list[Memory]:
        async with opened_memories(names) as memories:
            return await memories.browse(of, limit, include_ended=everything)

    def command() -> int:
        from replan.cli.memory_lines import print_memories

        found = asyncio.run(newest(kinds_of(kinds)))
        if as_json:
            put(json_line({"memories": [as_fields(memory) for memory in found]}))
        else:
            print_memories(found)
        return 0

    return at_the_edge(command)


def search_memories(
    names: Names, text: str, kinds: Sequence[str], limit: int, as_json: bool
) -> int:
    """Print what fits a question best. Returns the exit code."""

    async def fitting(of: Sequence["MemoryKind"]) -> "Recalled":
        async with opened_memories(names) as memories:
            await caught_up(memories)  # if it is not, the note says why
            return await memories.recall(text, kinds=of, most=limit)

    def command() -> int:
        from replan.cli.memory_lines import print_found

        _check_query(text)
        recalled = asyncio.run(fitting(kinds_of(kinds)))
        if as_json:
            found = [
                {
                    "score": one.score,
                    "similarity": one.similarity,
                    "memory": as_fields(one.memory),
                }
                for one in recalled.found
            ]
            put(json_line({"query": text, "note": recalled.note, "found": found}))
            return 0
        if recalled.note:
            print(f"replan: {visible(recalled.note)}", file=sys.stderr)
        print_found(recalled.found)
        return 0

    return at_the_edge(command)


def show_memory(names: Names, memory_id: str, as_json: bool) -> int:
    """Print a memory whole. Returns the exit code."""

    async def named() -> Memory:
        async with opened_memories(names) as memories:
            return await memories.get(memory_id)

    def command() -> int:
        from replan.cli.memory_lines import whole

        memory = asyncio.run(named())
        put(json_line(as_fields(memory)) if as_json else "\n".join(whole(memory)))
        return 0

    return at_the_edge(command)


def show_stats(as_json: bool) -> int:
    """Print how many memories there are, of whom, and how their index is. Returns the exit code."""

    async def counted() -> tuple["Stats", str]:
        from replan.models.embeddings import choose_embedder

        async with opened_memories(("", "")) as memories:
            embedder = await asyncio.to_thread(choose_embedder)
            stats = await memories.stats()
            if stats.state == "whole" and stats.waiting:
                stats.state = "waiting"  # for the next search or run, which go on with it
            return stats, embedder.name if embedder else ""

    def command() -> int:
        from replan.cli.memory_lines import print_stats

        stats, model = asyncio.run(counted())
        if as_json:
            put(json_line({**stats.model_dump(mode="json"), "model": model}))
        else:
            print_stats(stats, model)
        return 0

    return at_the_edge(command)


def as_fields(memory: Memory) -> dict[str, Any]:
    """A memory for JSON."""
    return memory.model_dump(mode="json")


def _check_query(text: str) -> None:
    if not text.strip():
        raise UsageError("the question is empty.", "Say in words what is looked for.")
    if len(text) > _MOST_QUERY_CHARS:
        raise UsageError(
            f"the question has {len(text):,} characters; {_MOST_QUERY_CHARS:,} are the most."
        )
    if not is_readable(text):
        raise UsageError("the question is not readable text.", "Write it in UTF-8.")
