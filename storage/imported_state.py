"""The state of an imported thread: read without trust, and fitted to this database.

Revisions have other numbers here, and the thread works in folders of its own: both stand in the
state, beside each other, in channels and in the payloads of branches.
"""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from replan.storage.archive import ChannelRow, CheckpointRow, WriteRow

_REVISION, _WORKSPACE = "revision", "workspace"
_COPY = {"base", _REVISION}  # what a branch says of the copy of the workspace that it works in
_CONTEXT = "replan_context"
_PLAIN = ("null", "bytes", "bytearray", "empty", "msgpack")
_CONSTRUCTORS = range(6)  # extension codes of LangGraph's serializer that call what they name


class UnsafeStateError(ValueError):
    """The state names a class that reading it would import and call."""


@dataclass(frozen=True)
class Fitting:
    """What stands for what.

    Attributes:
        revisions: the new numbers by the old ones.
        folders: the new folders by the old ones.
    """

    revisions: Mapping[str, str]
    folders: Mapping[str, str]

    def revision(self, name: str) -> str:
        """The number here; "" for one that did not come along."""
        return self.revisions.get(name, "")

    def folder(self, name: str) -> str:
        """The folder here."""
        return self.folders.get(name, name)


class StateFitter:
    """Fits rows of LangGraph's tables.

    Args:
        fitting: what stands for what.
        checkpoints: all of the thread: they tell which namespaces are of this agent.
    """

    def __init__(self, fitting: Fitting, checkpoints: list[CheckpointRow]) -> None:
        self._fitting = fitting
        self._serde = JsonPlusSerializer(allowed_msgpack_modules=None)
        self._ours = {
            row.checkpoint_ns
            for row in checkpoints
            if {_REVISION, _WORKSPACE} <= row.checkpoint["channel_values"].keys()
        }

    def checkpoint(self, row: CheckpointRow) -> CheckpointRow:
        """With the state's short channels, and the settings of its run, fitted."""
        values = self._fitted(row.checkpoint["channel_values"])
        metadata = dict(row.metadata)
        if isinstance(kept := metadata.get(_CONTEXT), str):
            metadata[_CONTEXT] = _without_workspace(kept)
        checkpoint = {**row.checkpoint, "channel_values": values}
        return row.model_copy(update={"checkpoint": checkpoint, "metadata": metadata})

    def channel(self, row: ChannelRow) -> ChannelRow:
        """With the revisions in its payloads fitted."""
        if row.blob is None or row.type == "empty":
            return row
        kind, blob = self._typed(row.type, row.blob)
        return row.model_copy(update={"type": kind, "blob": blob})

    def write(self, row: WriteRow) -> WriteRow:
        """With the revisions that it writes, or that are in its payloads, fitted."""
        named = row.channel if row.checkpoint_ns in self._ours else ""
        kind, blob = self._typed(row.type or "null", row.blob, named)
        return row.model_copy(update={"type": kind, "blob": blob})

    def _typed(self, kind: str, blob: bytes, channel: str = "") -> tuple[str, bytes]:
        """What did not change keeps its very bytes."""
        value = self._serde.loads_typed((kind, blob))
        if channel == _REVISION and isinstance(value, str):
            fitted: Any = self._fitting.revision(value)
        elif channel == _WORKSPACE and isinstance(value, str):
            fitted = self._fitting.folder(value)
        else:
            fitted = self._fitted(value)
        return (kind, blob) if fitted is value else self._serde.dumps_typed(fitted)

    def _fitted(self, value: Any) -> Any:
        """The value, the same object where nothing in it changed."""
        if isinstance(value, dict):
            inner = {name: self._fitted(part) for name, part in value.items()}
            if {_REVISION, _WORKSPACE} <= inner.keys():
                inner.update(self._beside(inner))
            elif inner.keys() == _COPY and self._are_known(inner):
                inner = {name: self._fitting.revision(number) for name, number in inner.items()}
            same = all(inner[name] is part for name, part in value.items())
            return value if same else inner
        if isinstance(value, list | tuple) and type(value) in (list, tuple):
            parts = [self._fitted(part) for part in value]
            if all(new is old for new, old in zip(parts, value, strict=True)):
                return value
            return type(value)(parts)
        return self._payload(value)

    def _are_known(self, copy: Mapping[str, Any]) -> bool:
        """Whether these are revisions of a copy of the workspace: numbers that came along."""
        return all(
            isinstance(number, str) and number in self._fitting.revisions
            for number in copy.values()
        )

    def _payload(self, value: Any) -> Any:
        """A `Send` and a `Command` carry payloads."""
        from langgraph.types import Command, Send

        if isinstance(value, Send):
            arg = self._fitted(value.arg)
            return value if arg is value.arg else Send(value.node, arg, timeout=value.timeout)
        if isinstance(value, Command):
            parts = {
                name: self._fitted(getattr(value, name)) for name in ("update", "resume", "goto")
            }
            if all(part is getattr(value, name) for name, part in parts.items()):
                return value
            return dataclasses.replace(value, **parts)
        return value

    def _beside(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """A revision and a workspace that stand beside each other."""
        fitted: dict[str, Any] = {}
        if isinstance(revision := values.get(_REVISION), str):
            number = self._fitting.revision(revision)
            fitted[_REVISION] = revision if number == revision else number
        if isinstance(workspace := values.get(_WORKSPACE), str):
            folder = self._fitting.folder(workspace)
            fitted[_WORKSPACE] = workspace if folder == workspace else folder
        return fitted


def check_safe(kind: str | None, blob: bytes | None) -> None:
    """Make sure that a stored value is data: LangGraph's serializer, unless it is told to be
    strict, imports and calls whatever class a value names.

    Raises:
        UnsafeStateError: it names another class than the harmless ones that LangGraph lists.
        ValueError: it cannot be read.
    """
    if kind is None or blob is None:
        return
    if kind not in _PLAIN:
        raise UnsafeStateError(f"a value of the kind {kind[:40]!r}")
    if kind == "msgpack":
        unsafe: list[str] = []
        _look_through(blob, unsafe)
        if unsafe:
            raise UnsafeStateError(f"an object of {unsafe[0][:100]}")


def _look_through(blob: bytes, unsafe: list[str]) -> Any:
    """Unpack a value, and name in the list what reading it in earnest would call."""
    import ormsgpack

    # Private there, but the very list that its strict mode goes by.
    from langgraph.checkpoint.serde._msgpack import SAFE_MSGPACK_METHODS, SAFE_MSGPACK_TYPES

    def look(code: int, data: bytes) -> Any:
        inner = _look_through(data, unsafe)
        if code in _CONSTRUCTORS:
            named = tuple(inner[:2]) if isinstance(inner, list | tuple) else ()
            method = (*named, inner[3]) if len(named) == 2 and len(inner) > 3 else ()
            if named not in SAFE_MSGPACK_TYPES and method not in SAFE_MSGPACK_METHODS:
                unsafe.append(".".join(map(str, named)))
        return None

    return ormsgpack.unpackb(blob, ext_hook=look, option=ormsgpack.OPT_NON_STR_KEYS)


def _without_workspace(context: str) -> str:
    """The settings of the run; its folder is on another machine."""
    try:
        kept = json.loads(context)
    except ValueError:
        return context
    if isinstance(kept, dict):
        kept.pop(_WORKSPACE, None)
    return json.dumps(kept)
