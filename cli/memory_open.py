"""The memories that a command of `replan memory` works on: whose, of which kinds, and opened."""

from collections.abc import Sequence
from typing import TypeAlias, cast

from replan.state.errors import UsageError
from replan.state.memory import KINDS, MemoryKind

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
