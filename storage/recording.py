"""What a node's calls go through, so that each is made once and can be replayed."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol

from replan.storage.journal import Entry, Kind, Outcome
from replan.storage.revisions import Taken


class RanOutError(TimeoutError):
    """In a replay: the record says that the time ran out during this call."""


class Recording(Protocol):
    """The record of one node's execution; its calls are numbered in the order of their beginning.

    A run's is the journal; a replay's is what the journal held then.

    Attributes:
        taken: the workspace's revision after the last call that may have changed it.
        left_out: what a revision taken before the node's calls lacks, and why.
        replaying: whether nothing is to be made or asked, and all comes from the record.
    """

    taken: Taken | None
    left_out: Mapping[str, str]
    replaying: bool

    async def begin(self, kind: Kind, *, role: str, name: str, request: Any) -> Entry | None:
        """Note that a call is about to be made. An entry whose outcome is `ok` holds its result
        already: the call must not be made. None where nothing is recorded.
        """
        ...

    async def finish(
        self,
        entry: Entry | None,
        response: Any,
        *,
        outcome: Outcome = "ok",
        usage: Mapping[str, Any] | None = None,
        changes: bool = False,
    ) -> None:
        """Note what came of it; `changes` where the call may have changed the workspace."""
        ...

    async def roll_back(self, entry: Entry) -> None:
        """Bring the workspace back to what it was when the call was begun."""
        ...

    async def bring_back(self, entry: Entry) -> None:
        """Bring the workspace to what a call that is not made again left behind."""
        ...

    def within(self, entry: Entry | None) -> "Recording":
        """The record of the calls that come from a call, while that is made."""
        ...

    async def earlier(self) -> Sequence[Entry]:
        """The calls that an earlier process began in this execution, in their order."""
        ...

    async def note_settings(self, settings: Callable[[], Mapping[str, Any]]) -> None:
        """Note, where it is news, what the run was told and which tools it has, as JSON. It is
        not always asked for.
        """
        ...


class Unrecorded:
    """Of a run without a thread, and of calls made by hand."""

    taken: Taken | None = None
    left_out: Mapping[str, str] = MappingProxyType({})
    replaying = False

    async def begin(self, kind: Kind, *, role: str, name: str, request: Any) -> Entry | None:
        """Nothing is kept."""
        return None

    async def finish(
        self,
        entry: Entry | None,
        response: Any,
        *,
        outcome: Outcome = "ok",
        usage: Mapping[str, Any] | None = None,
        changes: bool = False,
    ) -> None:
        """Nothing is kept."""

    async def roll_back(self, entry: Entry) -> None:
        """Nothing was begun."""

    async def bring_back(self, entry: Entry) -> None:
        """Every call is made."""

    def within(self, entry: Entry | None) -> Recording:
        """Nothing is kept of those either."""
        return self

    async def earlier(self) -> Sequence[Entry]:
        """None."""
        return ()

    async def note_settings(self, settings: Callable[[], Mapping[str, Any]]) -> None:
        """Nothing is kept."""


UNRECORDED = Unrecorded()
