"""The checkpoints of a thread as a tree, read without the graph that made them."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from replan.state.errors import ThreadNotFoundError, UsageError

if TYPE_CHECKING:
    from langgraph.checkpoint.serde.base import SerializerProtocol

    from replan.storage.persistence import Persistence

HEAD = "head"
_SHORT_CHARS = 6  # The last part of LangGraph's ids is random, the first a time.
_ID_CHARS = 36  # of a UUID
_LEAST_CHARS = 3
_NAMED = 5
_SENDS = "__pregel_tasks"
_BRANCH = "branch:to:"
_START = "__start__"


@dataclass(frozen=True)
class Due:
    """A node that runs next, and the payload that a `Send` gives it, None for the state."""

    node: str
    payload: Any = None


@dataclass(frozen=True)
class Checkpoint:
    """One checkpoint.

    Attributes:
        checkpoint_id: LangGraph's id; later checkpoints have greater ones.
        namespace: "" for the graph itself, otherwise which call of which subgraph.
        parent_id: the checkpoint it was made from, "" for none.
        created: when it was made.
        step: number of its super-step; -1 for an input.
        source: input, loop, update or fork.
        values: the channels of the state, without LangGraph's own.
        updated: the channels that its step wrote.
        writes: what the nodes that ran from here wrote, as (channel, value).
        due: the nodes that run from here, finished or not.
        interrupts: what a person is asked, where the run waits here.
        settings: the metadata that the run was given, such as its context.
    """

    checkpoint_id: str
    namespace: str
    parent_id: str
    created: datetime | None
    step: int
    source: str
    values: Mapping[str, Any]
    updated: frozenset[str]
    writes: list[tuple[str, Any]]
    due: list[Due]
    interrupts: list[Any]
    settings: Mapping[str, Any]

    @property
    def key(self) -> tuple[str, str]:
        """Namespace and id."""
        return self.namespace, self.checkpoint_id


@dataclass(frozen=True)
class Branch:
    """A line of checkpoints, oldest first. `start_id` is the one it leaves from, "" for none."""

    number: int
    namespace: str
    start_id: str
    checkpoints: list[Checkpoint] = field(default_factory=list)


class History:
    """All checkpoints of a thread.

    Args:
        thread_id: the thread.
        checkpoints: oldest first, at least one.

    Attributes:
        branches: those of the graph itself first. A fork starts one, and so does every child of
            a checkpoint but the first.
    """

    def __init__(self, thread_id: str, checkpoints: list[Checkpoint]) -> None:
        self.thread_id = thread_id
        self.checkpoints = checkpoints
        self._by_key = {one.key: one for one in checkpoints}
        self.branches = _branches(checkpoints)
        self._branch = {
            one.key: branch.number for branch in self.branches for one in branch.checkpoints
        }
        self._short_chars = _unambiguous([one.checkpoint_id for one in checkpoints])

    @property
    def head(self) -> Checkpoint:
        """The checkpoint that the thread goes on from."""
        own = [one for one in self.checkpoints if not one.namespace]
        return (own or self.checkpoints)[-1]

    def parent(self, checkpoint: Checkpoint) -> Checkpoint | None:
        """The one it was made from, None at the beginning or where that one was pruned."""
        return self._by_key.get((checkpoint.namespace, checkpoint.parent_id))

    def maker(self, checkpoint: Checkpoint) -> Checkpoint | None:
        """The one whose nodes made it; None for an input, an update and a fork, which no node
        made.
        """
        return self.parent(checkpoint) if checkpoint.source == "loop" else None

    def branch(self, checkpoint: Checkpoint) -> int:
        """The number of its branch."""
        return self._branch[checkpoint.key]

    def short(self, checkpoint_id: str) -> str:
        """The end of an id, as long as it has to be to name one checkpoint only."""
        return checkpoint_id[-self._short_chars :]

    def find(self, name: str) -> Checkpoint:
        """The checkpoint of a name: `head`, an id, or a part of one, the end of it first.

        Raises:
            UsageError: there is none of that name, or several.
        """
        shown = name[:60]
        wanted = name.strip().lower()
        if wanted == HEAD:
            return self.head
        if len(wanted) < _LEAST_CHARS:
            raise UsageError(
                f"{shown!r} names no checkpoint.", "Give at least the last 6 characters, or head."
            )
        for fits in (str.__eq__, str.endswith, str.__contains__):
            found = [one for one in self.checkpoints if fits(one.checkpoint_id, wanted)]
            if len(found) == 1:
                return found[0]
            if found:
                named = ", ".join(one.checkpoint_id for one in found[:_NAMED])
                more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
                raise UsageError(f"{shown!r} is the name of several checkpoints: {named}{more}.")
        raise UsageError(
            f"the thread {self.thread_id} has no checkpoint {shown!r}.",
            f"They are listed by: replan history {self.thread_id}",
        )


async def read_history(opened: "Persistence", thread_id: str) -> History:
    """All checkpoints of a thread, of all its branches and namespaces.

    The saver's `alist` looks the parts of every checkpoint up by themselves, which takes seconds
    for a long thread, and reads what checkpoints share once for each. Here each table is read
    once, by the saver's own serializer, at one moment.

    Raises:
        ThreadNotFoundError: there is no such thread.
    """
    found: list[list[dict[str, Any]]] = []
    async with opened.pool.connection() as connection, connection.transaction():
        await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        for query in (_CHECKPOINTS, _CHANNELS, _WRITES):
            cursor = await connection.execute(query, (thread_id,), binary=True)
            found.append(await cursor.fetchall())
    if not found[0]:
        raise ThreadNotFoundError(
            f"there is no thread {thread_id}.", "`replan threads` lists what there is."
        )
    rows, channels, writes = found
    parts = await asyncio.to_thread(_Parts, opened.saver.serde, channels, writes)
    return History(thread_id, await asyncio.to_thread(lambda: [_read(row, parts) for row in rows]))


async def find_checkpoint(opened: "Persistence", history: History, name: str) -> Checkpoint:
    """Like `History.find`; one of another thread is told apart from one that is nowhere.

    Raises:
        UsageError: there is none of that name in this thread, or several.
    """
    try:
        return history.find(name)
    except UsageError:
        async with opened.pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT thread_id FROM checkpoints WHERE checkpoint_id = %s LIMIT 1",
                (name.strip().lower().replace("\0", ""),),
            )
            row = await cursor.fetchone()
        if row is None or row["thread_id"] == history.thread_id:
            raise
    raise UsageError(
        f"the checkpoint {name[:60]} is of another thread, {row['thread_id']}.",
        f"Those of this one are listed by: replan history {history.thread_id}",
    )


async def id_of_checkpoint(opened: "Persistence", thread_id: str, name: str) -> str:
    """The whole id behind a name; what is a whole id, or no name at all, stays as it is.

    Raises:
        ThreadNotFoundError: there is no such thread.
        UsageError: there is none of that name in this thread, or several.
    """
    if not name or len(name) == _ID_CHARS:
        return name
    return (
        await find_checkpoint(opened, await read_history(opened, thread_id), name)
    ).checkpoint_id


@dataclass(frozen=True)
class Standing:
    """Where a checkpoint stands: its namespace, and, where that is not the graph's own, the
    checkpoint of the graph itself that the part was called from ("" when unknown).
    """

    namespace: str = ""
    caller_id: str = ""


async def standing_of(opened: "Persistence", thread_id: str, checkpoint_id: str) -> Standing:
    """Where a checkpoint of a thread stands; one that is not there stands nowhere inside."""
    async with opened.pool.connection() as connection:
        cursor = await connection.execute(
            "SELECT checkpoint_ns, metadata -> 'parents' ->> '' AS caller FROM checkpoints "
            "WHERE thread_id = %s AND checkpoint_id = %s",
            (thread_id, checkpoint_id),
        )
        row = await cursor.fetchone()
    return Standing(row["checkpoint_ns"], row["caller"] or "") if row else Standing()


_CHECKPOINTS = b"""
SELECT checkpoint_ns, checkpoint_id, parent_checkpoint_id, checkpoint, metadata
FROM checkpoints WHERE thread_id = %s ORDER BY checkpoint_id"""
_CHANNELS = b"""
SELECT checkpoint_ns, channel, version, type, blob
FROM checkpoint_blobs WHERE thread_id = %s AND type <> 'empty'"""
_WRITES = b"""
SELECT checkpoint_ns, checkpoint_id, channel, type, blob
FROM checkpoint_writes WHERE thread_id = %s ORDER BY task_path, task_id, idx"""


class _Parts:
    """The values that checkpoints point to, each read once, and what was written from each."""

    def __init__(
        self,
        serde: "SerializerProtocol",
        channels: list[dict[str, Any]],
        writes: list[dict[str, Any]],
    ) -> None:
        self.channels = {
            (row["checkpoint_ns"], row["channel"], row["version"]): serde.loads_typed(
                (row["type"], row["blob"])
            )
            for row in channels
        }
        self.writes: dict[tuple[str, str], list[tuple[str, Any]]] = {}
        for row in writes:
            value = serde.loads_typed((row["type"], row["blob"]))
            place = (row["checkpoint_ns"], row["checkpoint_id"])
            self.writes.setdefault(place, []).append((row["channel"], value))


def _read(row: dict[str, Any], parts: _Parts) -> Checkpoint:
    namespace, checkpoint, metadata = row["checkpoint_ns"], row["checkpoint"], row["metadata"]
    values = dict(checkpoint.get("channel_values") or {})
    for name, version in checkpoint["channel_versions"].items():
        key = (namespace, name, str(version))
        if key in parts.channels:
            values[name] = parts.channels[key]
    stamp = checkpoint.get("ts")
    writes = parts.writes.get((namespace, row["checkpoint_id"]), [])
    return Checkpoint(
        checkpoint_id=row["checkpoint_id"],
        namespace=namespace,
        parent_id=row["parent_checkpoint_id"] or "",
        created=datetime.fromisoformat(stamp) if stamp else None,
        step=int(metadata.get("step", 0)),
        source=str(metadata.get("source", "")),
        values={
            name: value for name, value in values.items() if not name.startswith(("__", _BRANCH))
        },
        updated=frozenset(checkpoint.get("updated_channels") or ()),
        writes=[write for write in writes if not write[0].startswith("__")],
        due=_due({**checkpoint, "channel_values": values}),
        interrupts=[
            one
            for channel, value in writes
            if channel == "__interrupt__"
            for one in (value if isinstance(value, list | tuple) else [value])
        ],
        settings={
            name: value for name, value in metadata.items() if name not in ("step", "source")
        },
    )


def _due(checkpoint: Mapping[str, Any]) -> list[Due]:
    """What runs from a checkpoint, by the rule of LangGraph's state graphs: every `Send`, and
    every node whose channel was written since the node last saw it.
    """
    values, versions = checkpoint["channel_values"], checkpoint["channel_versions"]
    due = [Due(send.node, send.arg) for send in values.get(_SENDS) or []]
    for channel in values:
        if not channel.startswith((_BRANCH, _START)):
            continue
        node = channel.removeprefix(_BRANCH)
        seen = checkpoint["versions_seen"].get(node, {}).get(channel)
        if seen is None or versions.get(channel, "") > seen:
            due.append(Due(node))
    return due


def _branches(checkpoints: Iterable[Checkpoint]) -> list[Branch]:
    ends: dict[tuple[str, str], Branch] = {}  # the branch that a checkpoint is the end of
    branches: list[Branch] = []
    for one in sorted(checkpoints, key=lambda one: one.key):
        above = (one.namespace, one.parent_id)
        branch = None if one.source == "fork" else ends.pop(above, None)
        if branch is None:
            branch = Branch(len(branches) + 1, one.namespace, one.parent_id)
            branches.append(branch)
        branch.checkpoints.append(one)
        ends[one.key] = branch
    return branches


def _unambiguous(ids: list[str]) -> int:
    """How many characters from the end tell all of the ids apart."""
    different = set(ids)
    longest = max(map(len, different))
    return next(
        (
            chars
            for chars in range(_SHORT_CHARS, longest)
            if len({one[-chars:] for one in different}) == len(different)
        ),
        longest,
    )
