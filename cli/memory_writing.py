"""`replan memory add` and `forget`."""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from replan.cli.approval import can_ask
from replan.cli.memory_open import Names, kinds_of, opened_memories, owner_of
from replan.cli.printable import json_line, put, visible
from replan.cli.run import FROM_STANDARD_INPUT, standard_input
from replan.cli.settle import at_the_edge
from replan.state.errors import UsageError
from replan.state.memory import TEXT_CHARS, Memory, MemoryKind, Source
from replan.state.readable import is_readable
from replan.state.secret_values import holds_secret

if TYPE_CHECKING:
    from replan.memory.catalogue import Catalogue
    from replan.state.memory import Kept

_SHOWN = 20


@dataclass(frozen=True)
class Told:
    """A memory as the command line gives it; the text `-` stands for standard input."""

    text: str
    kind: str
    importance: float
    supersedes: Sequence[str] = ()


@dataclass(frozen=True)
class Unwanted:
    """What is to be forgotten: by id, or everything, of some kinds or all."""

    ids: Sequence[str]
    everything: bool
    kinds: Sequence[str]


def add_memory(names: Names, told: Told, as_json: bool) -> int:
    """Keep a memory. Returns the exit code."""

    async def keep(memory: Memory) -> "Kept":
        async with opened_memories(names) as memories:
            known = [await memories.get(one) for one in told.supersedes]
            [kept] = await memories.keep([memory], [one.id for one in known])
            return kept

    def command() -> int:
        from replan.cli.memory_lines import short_id

        given = standard_input() if told.text == FROM_STANDARD_INPUT else told.text
        memory = Memory(
            kind=kinds_of([told.kind])[0],
            text=_checked(given),
            importance=told.importance,
            source=Source(told_by=owner_of(names).user),
        )
        kept = asyncio.run(keep(memory))
        if as_json:
            put(
                json_line(
                    {
                        "id": kept.id,
                        "how": kept.how,
                        "superseded": kept.superseded,
                        "note": kept.note,
                    }
                )
            )
        else:
            others = visible(", ".join(map(short_id, kept.superseded)))
            how = {
                "new": "kept",
                "known": "known already, and counted once more",
                "superseding": f"kept, in place of {others}",
            }
            put(f"{visible(kept.id)}: {how[kept.how]}")
            if kept.note:
                put(f"Found by words only until it is embedded: {visible(kept.note)}")
        return 0

    return at_the_edge(command)


def forget_memories(names: Names, unwanted: Unwanted, yes: bool, as_json: bool) -> int:
    """Remove memories, after a question that `yes` answers. Returns the exit code."""

    async def forget() -> list[str] | None:
        async with opened_memories(names) as memories:
            known = await _meant(memories, unwanted, kinds_of(unwanted.kinds))
            if known and not yes and not await asyncio.to_thread(_agreed, known):
                return None
            await memories.forget(list(known))
            return list(known)

    def command() -> int:
        _check(unwanted)
        if not yes and not can_ask():
            raise UsageError("nobody is here to be asked.", "Say with --yes that they may go.")
        ids = asyncio.run(forget())
        if as_json:
            put(json_line({"forgotten": ids or []}))
        else:
            put(f"{len(ids or [])} forgotten")
        return 1 if ids is None else 0

    return at_the_edge(command)


def _checked(text: str) -> str:
    """The text, trimmed.

    Raises:
        UsageError: it is empty, too long or no text, or holds one of the configured keys.
    """
    text = text.strip()
    if not text:
        raise UsageError("the memory is empty.", "Say in words what is to be remembered.")
    if len(text) > TEXT_CHARS:
        raise UsageError(
            f"the memory has {len(text):,} characters; {TEXT_CHARS:,} are the most.",
            "Say it in fewer words, or several memories.",
        )
    if not is_readable(text):
        raise UsageError("the memory is not readable text.", "Write it in UTF-8, without NULs.")
    if holds_secret(text):
        raise UsageError(
            "the memory holds one of the configured keys or passwords.",
            "Leave that out: memories are shown to models.",
        )
    return text


def _check(unwanted: Unwanted) -> None:
    """Raises:
    UsageError: nothing is named, or both ids and all are.
    """
    if unwanted.everything == bool(unwanted.ids):
        raise UsageError(
            "forget takes ids, or --all.", "`replan memory list` and `search` show them."
        )
    if unwanted.ids and unwanted.kinds:
        raise UsageError("--kind goes with --all.", "Leave it out where ids are given.")


async def _meant(
    catalogue: "Catalogue", unwanted: Unwanted, kinds: Sequence[MemoryKind]
) -> dict[str, str]:
    """What is to be forgotten: by id, a line to ask with."""
    from replan.cli.memory_lines import one_line

    if not unwanted.everything:
        named = [await catalogue.get(one) for one in unwanted.ids]
    else:
        named = [one async for one in catalogue.all_of() if one.kind in kinds]
    return {one.id: f"{one.kind}: {one_line(one.text)}" for one in named}


def _agreed(known: Mapping[str, str]) -> bool:
    """Ask at the terminal."""
    from replan.cli.memory_lines import short_id

    for memory_id, line in list(known.items())[:_SHOWN]:
        print(f"  {visible(short_id(memory_id))} {line}", file=sys.stderr)
    if len(known) > _SHOWN:
        print(f"  and {len(known) - _SHOWN} more", file=sys.stderr)
    return typer.confirm("Forget them?", default=False, err=True)
