"""The channels of the graph of one task's cycle: what goes in, what comes out."""

from typing import Any, NotRequired

from typing_extensions import TypedDict

from replan.state.agent_state import AgentState
from replan.state.usage import Usage


class TaskInput(TypedDict):
    """What a caller gives: the goal in words, which is what the task is for; the task itself, where
    it is only a part of that; the files it makes or changes; as `acceptance` the checks, as JSON
    of `Check`, that decide whether it is done; files to look at first, and further constraints.
    """

    goal: str
    task: NotRequired[str]
    writes: NotRequired[list[str]]
    acceptance: NotRequired[list[dict[str, Any]]]
    files: NotRequired[list[str]]
    constraints: NotRequired[list[str]]


class TaskOutput(TypedDict):
    """What a caller gets. `status` is done, failed or stopped, `reason` why; `result` is what the
    last call gave; `attempts` are the latest ones, as JSON of `Attempt`.
    """

    status: str
    reason: str
    result: str
    attempts: list[dict[str, Any]]
    artifacts: list[dict[str, Any]]
    usage: Usage
    memories: dict[str, Any]


class TaskState(AgentState, total=False):
    """The agent's channels, of which its nodes use those that a single task needs, and the task as
    it was given and as it ended.
    """

    task: str
    writes: list[str]
    acceptance: list[dict[str, Any]]
    result: str
    attempts: list[dict[str, Any]]
