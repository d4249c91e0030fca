"""A fork: a copy of a checkpoint, with its state edited, from which a new branch runs."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, get_type_hints

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver, Checkpoint, copy_checkpoint
from langgraph.checkpoint.base.id import uuid6
from langgraph.types import Send
from pydantic import TypeAdapter, ValidationError

from replan.state.agent_state import AgentState
from replan.state.errors import UsageError
from replan.state.goal import check_goal
from replan.storage.lineage import OWN_BRANCH

_TASKS = "__pregel_tasks"  # the channel in which a checkpoint keeps its Sends
_OURS = ("workspace", "revision")


async def fork(
    saver: BaseCheckpointSaver[Any],
    thread_id: str,
    checkpoint_id: str,
    edits: Mapping[str, Any],
    metadata: Mapping[str, Any],
) -> RunnableConfig:
    """Make a fork. The copy keeps what is to run next, with the payloads of dispatched tasks.

    `update_state` would not do: in the middle of a branch it drops the pending Sends.

    Args:
        saver: of the thread.
        thread_id: the thread.
        checkpoint_id: what is forked.
        edits: new values by channel; see `checked_edits`.
        metadata: to keep with the copy, beside our own.

    Returns:
        The config that runs the branch.

    Raises:
        UsageError: the thread has no such checkpoint, or nothing follows it.
    """
    at = RunnableConfig(
        configurable={
            "thread_id": thread_id,
            "checkpoint_ns": "",
            "checkpoint_id": checkpoint_id,
        }
    )
    found = await saver.aget_tuple(at)
    if found is None:
        raise UsageError(
            f"the thread {thread_id} has no checkpoint {checkpoint_id}.",
            f"`replan history {thread_id}` lists what there is.",
        )
    copied = copy_checkpoint(found.checkpoint)
    copied["id"] = str(uuid6(clock_seq=found.metadata.get("step", 0) & 0x3FFF))
    copied["ts"] = datetime.now(UTC).isoformat()
    changed = _apply(copied, edits, saver)
    kept = {**metadata, "source": "fork", "step": found.metadata.get("step", 0), OWN_BRANCH: True}
    made = await saver.aput(found.config, copied, {"parents": {}, **kept}, changed)  # type: ignore[typeddict-item]
    return RunnableConfig(configurable={"thread_id": thread_id, **made["configurable"]})


def checked_edits(edits: Mapping[str, Any], state: type = AgentState) -> dict[str, Any]:
    """The edits, each of its channel's type.

    Args:
        edits: new values by channel.
        state: the channels of the graph.

    Raises:
        UsageError: there is no such channel, it is not to be edited, or the value does not fit.
    """
    hints = get_type_hints(state, include_extras=True)
    for name, value in edits.items():
        if name not in hints or name in _OURS:
            known = ", ".join(sorted(hints.keys() - set(_OURS)))
            raise UsageError(f"the state has no {name!r} to be set.", f"There are: {known}.")
        try:
            TypeAdapter(hints[name]).validate_python(value, strict=True)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, (name, *first["loc"])))
            raise UsageError(
                f"the value of {where} does not fit: {first['msg']}.",
                "Give JSON of the channel's type, or text.",
            ) from error
    if "goal" in edits:
        check_goal(edits["goal"])
    return dict(edits)


def _apply(
    checkpoint: Checkpoint, edits: Mapping[str, Any], saver: BaseCheckpointSaver[Any]
) -> dict[str, Any]:
    """Put the edits into the channels, and into the payloads of dispatched tasks; the versions of
    what is changed.
    """
    values, versions = checkpoint["channel_values"], checkpoint["channel_versions"]
    new = dict(edits)
    if sends := values.get(_TASKS):
        new[_TASKS] = [_edited(send, edits) for send in sends]
    changed = {}
    for name, value in new.items():
        values[name] = value
        versions[name] = changed[name] = saver.get_next_version(versions.get(name), None)
    return changed


def _edited(send: Send, edits: Mapping[str, Any]) -> Send:
    if not isinstance(send.arg, dict):
        return send
    arg = {name: edits.get(name, value) for name, value in send.arg.items()}
    tasks = edits.get("tasks") or {}
    if isinstance(arg.get("task"), dict) and (task := tasks.get(arg["task"].get("id"))):
        arg["task"] = task
    return Send(send.node, arg)
