"""Whose memories they are, and the namespaces in which the store keeps them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from replan.state.errors import UsageError
from replan.state.memory import KINDS, MemoryKind
from replan.storage.memory_tables import MEMORY

# What a namespace's label may not hold, or what has a meaning where namespaces are listed.
_ESCAPED = re.compile(r"[.%*\x00-\x1f\x7f\ud800-\udfff]")
_EMPTY = "%"  # no escaped label is this
_MOST_CHARS = 200


@dataclass(frozen=True, order=True)
class Owner:
    """A user, and the project that the memories are about; "" where there is but one.

    Raises:
        UsageError: a name is longer than 200 characters.
    """

    user: str = ""
    project: str = ""

    def __post_init__(self) -> None:
        for name, what in ((self.user, "user"), (self.project, "project")):
            if len(name) > _MOST_CHARS:
                raise UsageError(
                    f"the name of the memories' {what} has {len(name):,} characters; "
                    f"{_MOST_CHARS} are allowed.",
                    "Give a shorter one.",
                )

    def namespace(self, kind: MemoryKind) -> tuple[str, str, str, str]:
        """Where LangGraph's store keeps the memories of a kind."""
        return (MEMORY, _escaped(self.user), _escaped(self.project), kind)

    def prefixes(self, kinds: Sequence[MemoryKind] = KINDS) -> list[str]:
        """The namespaces as the store's table has them."""
        return [".".join(self.namespace(kind)) for kind in dict.fromkeys(kinds)]


def owner_and_kind(prefix: str) -> tuple[Owner, MemoryKind] | None:
    """Whose memories a namespace of the store's table holds, and which; None for other ones."""
    labels = prefix.split(".")
    if len(labels) != 4 or labels[0] != MEMORY or labels[3] not in KINDS:
        return None
    kind: MemoryKind = next(kind for kind in KINDS if kind == labels[3])
    return Owner(_unescaped(labels[1]), _unescaped(labels[2])), kind


def _escaped(name: str) -> str:
    return _ESCAPED.sub(_percent, name) or _EMPTY


def _percent(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "surrogatepass"))


def _unescaped(label: str) -> str:
    return "" if label == _EMPTY else unquote(label, errors="surrogatepass")
