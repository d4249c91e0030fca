"""The contract of each role: a narrow request, a narrow result, nothing of the graph.

An implementation is any object with `async def __call__(self, request, use) -> result`.
"""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

from langgraph.store.base import BaseStore
from pydantic import Field

from replan.memory.protocol import Memories
from replan.models.asking import Asker
from replan.state.memory import Mention
from replan.state.noun import Noun
from replan.state.task import (
    Action,
    Check,
    CheckResult,
    Observation,
    Task,
    Verdict,
)
from replan.state.usage import Usage
from replan.tools.protocol import MOST_CALLS
from replan.tools.toolbox import Toolbox

Status = Literal["done", "failed", "stopped"]
Decision = Literal["next", "replan", "done", "failed", "stopped"]


@dataclass
class Use:
    """What an implementation may use: the model, the tools, and long-term memory, which is kept in
    the store. Thread and checkpoint say where what it keeps comes from.
    """

    model: Asker
    tools: Toolbox
    store: BaseStore | None = None
    thread_id: str = ""
    memory: Memories | None = None
    checkpoint_id: str = ""


class Brief(Noun):
    """What every role is told of the run: the stable beginning of every prompt."""

    goal: str
    constraints: list[str] = Field(default_factory=list)
    survey: str = ""
    recalled: list[str] = Field(default_factory=list)


class RecallRequest(Noun):
    """Asks for what earlier runs learned that may help: with the goal, or with its `task`, which
    last failed with `problem`. `start` is what the files are like; the lines of the answer may
    take about so many `tokens`.
    """

    goal: str
    task: Task | None = None
    problem: str = ""
    start: dict[str, str] = Field(default_factory=dict)
    tokens: int = 400


class RecallResult(Noun):
    """Memories, most useful first, each one short line, and which they are.

    A plan that reached a goal like this one comes as `tasks` and `checks`, the calls that did a
    task like this one as `calls`: both with the names of now, and empty where none fits.
    """

    memories: list[str] = Field(default_factory=list)
    mentions: list[Mention] = Field(default_factory=list)
    tasks: list[Task] = Field(default_factory=list)
    checks: list[Check] = Field(default_factory=list)
    calls: list[Action] = Field(default_factory=list)


class DecomposeRequest(Noun):
    """Asks for the tasks of a goal. `existing` are the workspace's paths, `named` the paths
    that the goal or the files it names mention. `recalled` are tasks that reached a goal like this
    one, and `recalled_checks` what they passed. `recipe` names a recipe, with its values.
    """

    brief: Brief
    existing: list[str] = Field(default_factory=list)
    named: list[str] = Field(default_factory=list)
    recalled: list[Task] = Field(default_factory=list)
    recalled_checks: list[Check] = Field(default_factory=list)
    recipe: str = ""


class DecomposeResult(Noun):
    """Tasks in the order thought of (ids unset: `t1`, `t2`, ...), and the goal's own checks."""

    tasks: list[Task]
    checks: list[Check] = Field(default_factory=list)


class PlanRequest(Noun):
    """Asks for an executable plan. On a replan `problem` says what failed and why, and `tasks`
    holds every task so far; done ones stay done. `avoid` are calls, in words, that led nowhere and
    must not be made again.
    """

    brief: Brief
    tasks: list[Task]
    checks: list[Check] = Field(default_factory=list)
    problem: str = ""
    existing: list[str] = Field(default_factory=list)
    avoid: list[str] = Field(default_factory=list)


class PlanResult(Noun):
    """Tasks that are new or changed; a task that is no longer wanted has status `dropped`."""

    tasks: list[Task]


class SelectToolRequest(Noun):
    """Asks for the next action of a task. `earlier` are the results of finished tasks,
    `existing` the workspace's paths, `protected` those that must not change, `avoid` calls, in
    words, that led nowhere and must not be made again. `contender` is the number of this attempt,
    from 1, where several are made side by side: each is to go another way. It is 0 otherwise.
    """

    brief: Brief
    task: Task
    contender: int = 0
    earlier: list[str] = Field(default_factory=list)
    existing: list[str] = Field(default_factory=list)
    protected: list[str] = Field(default_factory=list)
    avoid: list[str] = Field(default_factory=list)


class SelectToolResult(Noun):
    """The chosen action."""

    action: Action


class ExecuteRequest(Noun):
    """Asks for a tool call to be carried out within `seconds`, without changing what is
    `protected`; where it `only_removes`, no file may be renamed by a script. Where that is code
    that calls tools itself, it may make so many `calls`.
    """

    action: Action
    protected: list[str] = Field(default_factory=list)
    only_removes: bool = Field(False, exclude_if=lambda only: not only)
    seconds: float = 60.0
    calls: int = MOST_CALLS


class ExecuteResult(Noun):
    """What came back."""

    observation: Observation


class ReflectRequest(Noun):
    """Asks what an observation means for the task. `evidence` is what the task's checks found
    after the call, `existing` the workspace's paths now.
    """

    brief: Brief
    task: Task
    action: Action
    observation: Observation
    evidence: list[CheckResult] = Field(default_factory=list)
    existing: list[str] = Field(default_factory=list)


class ReflectResult(Noun):
    """`done`; `continue` (progress, another step is needed); `retry` (a failed attempt). `lesson`
    is what the next attempt should do differently, in words.
    """

    verdict: Verdict
    reason: str = ""
    lesson: str = ""


class ReviewRequest(Noun):
    """Asks what to do next, given all tasks and, when none is open, the goal's own checks. The
    `brief` is for those who ask a model.
    """

    goal: str
    brief: Brief | None = None
    tasks: list[Task]
    evidence: list[CheckResult] = Field(default_factory=list)
    usage: Usage = Field(default_factory=lambda: Usage())
    replans: int = 0
    max_replans: int = 2
    max_attempts: int = 3
    limit: str = ""


class ReviewResult(Noun):
    """The decision, and why, in one line."""

    decision: Decision
    reason: str = ""


class ReportRequest(Noun):
    """Asks for the report of a run that ended with `status`. `artifacts` are the paths of the
    files it wrote, `shown` how some of them begin.
    """

    brief: Brief
    status: Status
    reason: str = ""
    tasks: list[Task]
    evidence: list[CheckResult] = Field(default_factory=list)
    artifacts: list[str] = Field(default_factory=list)
    shown: dict[str, str] = Field(default_factory=dict)


class ReportResult(Noun):
    """The report, in the goal's language."""

    report: str


class RememberRequest(Noun):
    """Asks to keep what a run learned; or, when `task` is given, what that one task did, `status`
    saying how it ended. `lessons` are what went wrong, `seen` what the tools brought, `start` what
    the files were like, `refuted` the ids of memories that led astray.
    """

    goal: str
    status: Status
    report: str = ""
    task: Task | None = None
    tasks: list[Task] = Field(default_factory=list)
    checks: list[Check] = Field(default_factory=list)
    start: dict[str, str] = Field(default_factory=dict)
    lessons: list[str] = Field(default_factory=list)
    seen: list[str] = Field(default_factory=list)
    refuted: list[str] = Field(default_factory=list)


class RememberResult(Noun):
    """What was kept."""

    learned: list[Mention] = Field(default_factory=list)


RequestT = TypeVar("RequestT", bound=Noun, contravariant=True)
ResultT = TypeVar("ResultT", bound=Noun, covariant=True)


class Role(Protocol[RequestT, ResultT]):
    """What every implementation of every role looks like."""

    def __call__(self, request: RequestT, use: Use) -> Awaitable[ResultT]:
        """Answer the request."""
        ...


@dataclass(frozen=True)
class RoleContract:
    """The request and result types of a role."""

    request: type[Noun]
    result: type[Noun]


CONTRACTS: dict[str, RoleContract] = {
    "recall": RoleContract(RecallRequest, RecallResult),
    "decompose": RoleContract(DecomposeRequest, DecomposeResult),
    "plan": RoleContract(PlanRequest, PlanResult),
    "select_tool": RoleContract(SelectToolRequest, SelectToolResult),
    "execute": RoleContract(ExecuteRequest, ExecuteResult),
    "reflect": RoleContract(ReflectRequest, ReflectResult),
    "review": RoleContract(ReviewRequest, ReviewResult),
    "report": RoleContract(ReportRequest, ReportResult),
    "remember": RoleContract(RememberRequest, RememberResult),
}
