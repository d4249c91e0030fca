"""Compares what a super-step made of the state with what was recorded of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from langgraph.checkpoint.base import CheckpointTuple
from langgraph.types import Send

from replan.storage.replaying import difference

# Measured, so never the same again; the next step starts from the recorded ones.
_MEASURED = {"seconds", "model_seconds", "tool_seconds", "remaining_seconds"}
# Where the files are: in a replay, in a folder of its own. What the usage and the settings, which
# count, come to: runs that were recorded before it was told of lack it.
_LEFT_OUT = {*_MEASURED, "workspace", "remaining_steps"}
_SENDS = "__pregel_tasks"
_TRIGGER = "branch:to:"


def state_difference(recorded: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[str, str] | None:
    """What differs, in a line and as a diff; None where the states are equal but for what is
    measured and for the path of the workspace.

    Args:
        recorded: the channels of the recorded checkpoint.
        now: those that today's code has made.
    """
    missing = object()
    differing = [
        name
        for name in recorded.keys() | now.keys()
        if recorded.get(name, missing) != now.get(name, missing)
    ]
    before, after = _comparable(recorded, differing), _comparable(now, differing)
    changed = [
        name
        for name in sorted(before.keys() | after.keys())
        if before.get(name, missing) != after.get(name, missing)
    ]
    if not changed:
        return None
    shown = difference(
        {_told(name): before.get(name) for name in changed},
        {_told(name): after.get(name) for name in changed},
    )
    return f"the state differs in {', '.join(map(_told, changed))}", shown


def nodes_of(checkpoint: CheckpointTuple) -> list[str]:
    """The nodes that run next, one for each execution."""
    values = checkpoint.checkpoint["channel_values"]
    pulled = [name.removeprefix(_TRIGGER) for name in values if name.startswith(_TRIGGER)]
    return [*pulled, *(send.node for send in values.get(_SENDS, []))]


def task_of(checkpoint: CheckpointTuple) -> str:
    """The plan's task that the next step works on; "" where that is none, or several."""
    sends = checkpoint.checkpoint["channel_values"].get(_SENDS, [])
    ids = [str(send.arg.get("task", {}).get("id", "")) for send in sends]
    return ids[0] if len(ids) == 1 else ""


def _comparable(values: Mapping[str, Any], channels: Sequence[str]) -> dict[str, Any]:
    return {
        name: _comparable_part(values[name])
        for name in channels
        if name in values and name not in _LEFT_OUT
    }


def _comparable_part(value: Any) -> Any:
    if isinstance(value, Send):
        return {"node": value.node, "payload": _comparable_part(value.arg)}
    if isinstance(value, dict):
        return {
            # The arguments of a call are nobody's measurements.
            name: one if name == "args" else _comparable_part(one)
            for name, one in value.items()
            if name not in _LEFT_OUT
        }
    if isinstance(value, list):
        return [_comparable_part(one) for one in value]
    return value


def _told(channel: str) -> str:
    if channel == _SENDS:
        return "what is dispatched next"
    return f"next {channel.removeprefix(_TRIGGER)}" if channel.startswith(_TRIGGER) else channel
