"""The graph's channels: what goes in, what comes out, and what is kept between.

Everything in a channel is plain JSON. A fork that edits the state through Studio or the SDK
thus hands a node exactly what it would have got, and no checkpoint names a Python class.
"""

from typing import Annotated, Any, NotRequired

from typing_extensions import TypedDict

from replan.state.settled_tasks import with_settled_small
from replan.state.usage import Usage, add_usage

MOST_MENTIONS = 20


def merge_tasks(tasks: dict[str, Any] | None, changed: dict[str, Any] | None) -> dict[str, Any]:
    """Reducer: tasks by id; a branch writes only its own task, a plan writes several. Of those
    that were done or dropped long ago little is kept.
    """
    return with_settled_small({**(tasks or {}), **(changed or {})}, except_for=changed or ())


def later_revision(known: str | None, new: str | None) -> str:
    """Reducer: the later of two revisions of the workspace; "" is none.

    Branches that run side by side each write theirs, and the later one holds the files of both.
    """
    return max(known or "", new or "", key=revision_number)


def folder_now(known: str | None, new: str | None) -> str:
    """Reducer: the folder last named; tasks side by side that begin a branch all name the same."""
    return new or known or ""


def revision_number(revision: str) -> int:
    """Revisions are numbered in the order of their making; -1 for what is none."""
    known = revision.isascii() and revision.isdigit() and len(revision) < 19  # a bigint
    return int(revision) if known else -1


def latest(known: str | None, new: str | None) -> str:
    """Reducer: what was written last; branches side by side write the same."""
    return known or "" if new is None else new


def merge_moves(known: dict[str, Any] | None, new: dict[str, Any] | None) -> dict[str, Any]:
    """Reducer: the moves of the branches since the last review, by task."""
    return {**(known or {}), **(new or {})}


def merge_parts(known: dict[str, Any] | None, new: dict[str, Any] | None) -> dict[str, Any]:
    """Reducer: parts by name, each written by one branch; None takes one out."""
    merged = {**(known or {}), **(new or {})}
    return {name: part for name, part in merged.items() if part is not None}


def merge_memories(
    known: dict[str, Any] | None, new: dict[str, Any] | None
) -> dict[str, list[dict[str, Any]]]:
    """Reducer: which memories were recalled and learned, each once, of many the latest."""
    merged: dict[str, list[dict[str, Any]]] = {}
    for name in ("recalled", "learned"):
        every = [*(known or {}).get(name, []), *(new or {}).get(name, [])]
        latest_of = {one["id"]: one for one in every}
        merged[name] = list(latest_of.values())[-MOST_MENTIONS:]
    return merged


class AgentInput(TypedDict):
    """What a caller gives: the goal in words, files to look at first, further constraints."""

    goal: str
    files: NotRequired[list[str]]
    constraints: NotRequired[list[str]]


class AgentOutput(TypedDict):
    """What a caller gets. `status` is done, failed or stopped; `memories` names what was `recalled`
    and `learned`.
    """

    status: str
    report: str
    artifacts: list[dict[str, Any]]
    usage: Usage
    memories: dict[str, Any]


class AgentState(TypedDict, total=False):
    """All channels of the agent graph.

    `short` names the limit of which too little was left for a call. `moves` are the steps since
    the last review, by task, and `progress` what the guard keeps of those before. `recalled` are
    the memories as the prompts show them, `memories` which were recalled and learned, and
    `recalled_plan` tasks and checks of an earlier run that fit. `start` is what the files were like
    at first.

    While tasks work side by side, `revision` is the workspace's, which nobody changes meanwhile,
    and `copies` holds, for each branch by its name, the revisions of the copy that it works in:
    `base`, what it began with, and `revision`, what it is now. `contenders` are the attempts at one
    task that are made side by side: the task as each branch has it, by the branch's name.
    """

    goal: str
    files: list[str]
    constraints: list[str]
    workspace: Annotated[str, folder_now]
    revision: Annotated[str, later_revision]
    survey: str
    baseline: dict[str, str]
    recalled: list[str]
    recalled_plan: dict[str, Any]
    memories: Annotated[dict[str, Any], merge_memories]
    start: dict[str, str]
    tasks: Annotated[dict[str, Any], merge_tasks]
    copies: Annotated[dict[str, Any], merge_parts]
    contenders: Annotated[dict[str, Any], merge_parts]
    checks: list[dict[str, Any]]
    replans: int
    problem: str
    decision: str
    reason: str
    usage: Annotated[Usage, add_usage]
    short: Annotated[str, latest]
    moves: Annotated[dict[str, Any], merge_moves]
    progress: dict[str, Any]
    status: str
    report: str
    artifacts: list[dict[str, Any]]


class TaskBranch(TypedDict, total=False):
    """What a dispatched branch carries with it from select_tool to reflect.

    `asked` says why a person has to agree to the action, "" when nobody has to: what resumes a
    waiting run may come without the rules that made it wait. `avoid` are calls that led nowhere,
    `made` the paths of code that finished tasks wrote last, `results` what earlier tasks brought
    that it refers to or waits for, by their ids.
    The remaining tokens and dollars are None without a limit; `shared` says that branches side by
    side share what is left of the run's limits.

    `branch` is its name: the task's id, or, of one of several attempts side by side,
    `ID/TRY.NUMBER`, and `contender` that number, 0 otherwise. `apart` are the revisions of the copy
    of the workspace that it works in, see `AgentState`: both "" where the copy is still to be made,
    and no `apart` at all where it works in the workspace itself.
    """

    goal: str
    constraints: list[str]
    workspace: str
    revision: str
    survey: str
    recalled: list[str]
    protected: list[str]
    only_removes: bool
    earlier: list[str]
    made: list[str]
    results: dict[str, str]
    task: dict[str, Any]
    action: dict[str, Any]
    asked: str
    fingerprint: str
    observation: dict[str, Any]
    avoid: list[str]
    remaining_seconds: float
    remaining_tokens: int | None
    remaining_dollars: float | None
    remaining_steps: int
    shared: bool
    branch: str
    contender: int
    apart: dict[str, str]
