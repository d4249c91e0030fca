"""The memories that a command of `replan memory` works on: whose, of which kinds, and opened."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeAlias, cast

from replan.cli.progress import Progress
from replan.state.errors import ReplanError, UsageError
from replan.state.memory import KINDS, MemoryKind

if TYPE_CHECKING:
    from replan.memory.catalogue import Catalogue
    from replan.memory.owner import Owner
    from replan.memory.postgres import PostgresMemories

Names: TypeAlias = tuple[str, str]
"""User and project as the options give them; "" for the default."""


def kinds_of(given: Sequence[str]) -> tuple[MemoryKind, ...]:
    """The kinds that were named; all where none was.

    Raises:
        UsageError: there is no such kind.
    """
    for kind in given:
        if kind not in KINDS:
            raise UsageError(
                f"there is no kind of memory {kind[:60]!r}.", f"There are: {', '.join(KINDS)}."
            )
    return cast("tuple[MemoryKind, ...]", tuple(dict.fromkeys(given))) or KINDS


async def caught_up(memories: "Catalogue") -> str:
    """Give a vector to what has none, saying on standard error how far that is.

    Returns:
        Why not all has one: the model cannot be used, or another process is at it; or "".
    """
    tell = Progress()
    try:
        done = await memories.catch_up(
            lambda count, of: tell("Embedding memories", count / max(of, 1))
        )
    except ReplanError as error:
        return error.what
    return "" if done else "Another process is embedding memories."


def owner_of(names: Names) -> "Owner":
    """Whose memories are meant.

    Raises:
        UsageError: a name is too long.
    """
    from replan.memory.owner import Owner

    return Owner.named(*names)


@asynccontextmanager
async def opened_memories(names: Names) -> AsyncIterator["PostgresMemories"]:
    """The memories of an owner, in the database that the settings name.

    Raises:
        UsageError: a name is too long.
        DatabaseError: there is no database.
    """
    from replan.memory.postgres import PostgresMemories
    from replan.models.embeddings import choose_embedder
    from replan.storage.database import open_database
    from replan.storage.persistence import open_persistence

    owner = owner_of(names)
    async with open_persistence(await open_database(), choose_embedder) as opened:
        yield PostgresMemories(opened.store, owner)
