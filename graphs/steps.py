"""What a step of the agent did, told from the checkpoints on both sides of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from replan.state.usage import Usage, add_usage
from replan.storage.checkpoints import Checkpoint, History


@dataclass(frozen=True)
class Call:
    """A tool call that a step chose, made or judged; `task` is the plan's task."""

    task: str
    tool: str
    args: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class StepDone:
    """What made a checkpoint.

    Attributes:
        nodes: the nodes that ran, in the order they were dispatched; none for an input, an
            update or a fork.
        tasks: ids of the plan's tasks that branches of the step worked on.
        calls: their tool calls.
        verdicts: of the tasks that were judged in it, by id.
        decision: of a review, "" otherwise.
        usage: what the step used.
        revision: of the workspace, after it.
    """

    nodes: list[str]
    tasks: list[str]
    calls: list[Call]
    verdicts: dict[str, str]
    decision: str
    usage: Usage
    revision: str


def step_before(history: History, checkpoint: Checkpoint) -> StepDone:
    """The step that made a checkpoint."""
    maker = history.maker(checkpoint)
    revision = str(checkpoint.values.get("revision") or "")
    if maker is None:
        return StepDone([], [], [], {}, "", Usage(), revision)
    after = dict(_branches(checkpoint))
    # What a branch holds now, or what it went in with where it ended.
    branches = [(task, after.get(task, payload)) for task, payload in _branches(maker)]
    decided = "decision" in checkpoint.updated
    return StepDone(
        nodes=[due.node for due in maker.due],
        tasks=[task for task, _ in branches],
        calls=[call for task, payload in branches if (call := _call(task, payload))],
        verdicts=_verdicts(maker, checkpoint),
        decision=str(checkpoint.values.get("decision") or "") if decided else "",
        usage=_used(maker),
        revision=revision,
    )


def _branches(checkpoint: Checkpoint) -> Iterator[tuple[str, dict[str, Any]]]:
    """Task and payload of every branch that goes on from a checkpoint."""
    for due in checkpoint.due:
        if isinstance(due.payload, dict) and isinstance(task := due.payload.get("task"), dict):
            yield str(task.get("id", "")), due.payload


def _call(task: str, payload: dict[str, Any]) -> Call | None:
    action = payload.get("action")
    if not isinstance(action, dict):
        return None
    return Call(task, str(action.get("tool", "")), dict(action.get("args") or {}))


def _verdicts(maker: Checkpoint, made: Checkpoint) -> dict[str, str]:
    before = maker.values.get("tasks") or {}
    return {
        name: str(task["attempts"][-1].get("verdict", ""))
        for name, task in (made.values.get("tasks") or {}).items()
        if task.get("attempts") and task.get("rounds", 0) > before.get(name, {}).get("rounds", 0)
    }


def _used(maker: Checkpoint) -> Usage:
    used = Usage()
    for channel, value in maker.writes:
        counts = getattr(value, "value", value)  # one that replaces the last run's: Overwrite
        if channel == "usage" and isinstance(counts, dict):
            used = add_usage(used, counts)  # type: ignore[arg-type]
    return used
