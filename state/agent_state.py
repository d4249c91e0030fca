"""The graph's channels: what goes in, what comes out, and what is kept between.

Everything in a channel is plain JSON. A fork that edits the state through Studio or the SDK
thus hands a node exactly what it would have got, and no checkpoint names a Python class.
"""

from typing import Annotated, Any, NotRequired

from typing_extensions import TypedDict

from replan.state.usage import Usage, add_usage


def merge_tasks(tasks: dict[str, Any] | None, changed: dict[str, Any] | None) -> dict[str, Any]:
    """Reducer: tasks by id; a branch writes only its own task, a plan writes several."""
    return {**(tasks or {}), **(changed or {})}


def later_revision(known: str | None, new: str | None) -> str:
    """Reducer: the later of two revisions of the workspace; "" is none.

    Branches that run side by side each write theirs, and the later one holds the files of both.
    """
    return max(known or "", new or "", key=revision_number)


def revision_number(revision: str) -> int:
    """Revisions are numbered in the order of their making; -1 for what is none."""
    known = revision.isascii() and revision.isdigit() and len(revision) < 19  # a bigint
    return int(revision) if known else -1


class AgentInput(TypedDict):
    """What a caller gives: the goal in words, files to look at first, further constraints."""

    goal: str
    files: NotRequired[list[str]]
    constraints: NotRequired[list[str]]


class AgentOutput(TypedDict):
    """What a caller gets. `status` is done, failed or stopped."""

    status: str
    report: str
    artifacts: list[dict[str, Any]]
    usage: Usage


class AgentState(TypedDict, total=False):
    """All channels of the agent graph."""

    goal: str
    files: list[str]
    constraints: list[str]
    workspace: str
    revision: Annotated[str, later_revision]
    survey: str
    baseline: dict[str, str]
    recalled: list[str]
    tasks: Annotated[dict[str, Any], merge_tasks]
    checks: list[dict[str, Any]]
    replans: int
    problem: str
    decision: str
    reason: str
    usage: Annotated[Usage, add_usage]
    status: str
    report: str
    artifacts: list[dict[str, Any]]


class TaskBranch(TypedDict, total=False):
    """What a dispatched branch carries with it from select_tool to reflect.

    `asked` says why a person has to agree to the action, "" when nobody has to: what resumes a
    waiting run may come without the rules that made it wait.
    """

    goal: str
    constraints: list[str]
    workspace: str
    revision: str
    survey: str
    recalled: list[str]
    protected: list[str]
    earlier: list[str]
    made: list[str]
    task: dict[str, Any]
    action: dict[str, Any]
    asked: str
    fingerprint: str
    observation: dict[str, Any]
    remaining_seconds: float
