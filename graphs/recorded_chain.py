"""A branch of a thread as it was recorded: its checkpoints from one to another."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import CheckpointTuple

from replan.state.errors import ThreadNotFoundError, UsageError
from replan.storage.persistence import Persistence

_LISTS = "`replan history THREAD` lists them."


@dataclass(frozen=True)
class Chain:
    """Checkpoints of one branch, each the parent of the next; and the ids of those before them,
    oldest first. `namespace` is "" unless they are of a part of a bigger graph.
    """

    thread_id: str
    checkpoints: list[CheckpointTuple]
    before: list[str]
    namespace: str = ""

    @property
    def first(self) -> str:
        """Id of the first checkpoint."""
        return str(self.checkpoints[0].checkpoint["id"])

    @property
    def last(self) -> str:
        """Id of the last checkpoint."""
        return str(self.checkpoints[-1].checkpoint["id"])

    def steps(self) -> list[tuple[CheckpointTuple, CheckpointTuple]]:
        """The checkpoint before and after each super-step in which nodes ran.

        An input, an edit of the state and the beginning of a fork are no work of the graph's.
        """
        return [
            (before, after)
            for before, after in zip(self.checkpoints, self.checkpoints[1:], strict=False)
            if after.metadata.get("source") == "loop" and before.metadata.get("source") != "input"
        ]


async def recorded_chain(
    kept: Persistence, thread_id: str, start: str, end: str, namespace: str = ""
) -> Chain:
    """The branch that leads to a checkpoint.

    Args:
        kept: where the checkpoints are.
        thread_id: the thread.
        start: id of the first checkpoint; "" for the latest goal's beginning.
        end: id of the last one; "" for the thread's latest.
        namespace: of the part whose branch it is; "" for the graph itself.

    Raises:
        ThreadNotFoundError: there is no such thread.
        UsageError: it has no such checkpoints, one does not lead to the other, or nothing ran
            between them.
    """
    config = RunnableConfig(configurable={"thread_id": thread_id, "checkpoint_ns": namespace})
    found = {one.checkpoint["id"]: one async for one in kept.saver.alist(config)}
    if not found:
        raise ThreadNotFoundError(
            f"there is no thread {thread_id}.", "`replan threads` lists what there is."
        )
    for wanted in (start, end):
        if wanted and wanted not in found:
            raise UsageError(f"the thread has no checkpoint {wanted[:60]!r}.", _LISTS)
    checkpoints = _back_from(found, end or max(found), start)
    if start and checkpoints[0].checkpoint["id"] != start:
        last = end or "the latest one"
        raise UsageError(f"no branch leads from checkpoint {start} to {last}.", _LISTS)
    first = checkpoints[0].checkpoint["id"]
    before = [one.checkpoint["id"] for one in _line(found, first)][1:]
    chain = Chain(thread_id, checkpoints, before[::-1], namespace)
    if not chain.steps():
        raise UsageError(f"nothing ran between {chain.first} and {chain.last}.", _LISTS)
    return chain


def _back_from(found: Mapping[str, CheckpointTuple], end: str, start: str) -> list[CheckpointTuple]:
    """From `end` back by parents to `start`, or to the input of the latest goal; oldest first."""
    chain = []
    for one in _line(found, end):
        chain.append(one)
        begins = one.metadata.get("source") == "input"
        if one.checkpoint["id"] == start or (begins and not start):
            break
    return chain[::-1]


def _line(found: Mapping[str, CheckpointTuple], end: str) -> Iterator[CheckpointTuple]:
    """From a checkpoint back by parents to the thread's first, or where others were pruned."""
    one = found.get(end)
    while one is not None:
        yield one
        parent: Any = (one.parent_config or {}).get("configurable", {})
        one = found.get(parent.get("checkpoint_id", ""))
