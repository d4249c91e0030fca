"""One task's cycle as a graph of its own: select_tool, execute, reflect, again within its limits.

Made from the agent's nodes. Nothing is decomposed, planned, reported or learned from the whole:
who needs that takes the agent (`graphs.build`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.store.base import BaseStore
from langgraph.types import Checkpointer, Send
from pydantic import ValidationError

from replan.graphs.branch import Branch
from replan.graphs.branching import in_folder_of_branch
from replan.graphs.build import check_roles
from replan.graphs.cast import Cast
from replan.graphs.cycle import Cycle, artifacts_of
from replan.graphs.means import LIVE, Means
from replan.graphs.part import context_of, told
from replan.graphs.routes import dispatch
from replan.graphs.state_view import tasks_of
from replan.state.context import Context
from replan.state.errors import UsageError
from replan.state.task import Check, Task
from replan.state.task_channels import TaskInput, TaskOutput, TaskState
from replan.tools.mcp import close_servers
from replan.tools.protocol import Tool

TaskGraph = CompiledStateGraph[TaskState, Context, TaskInput, TaskOutput]

# What cannot be planned anew ends: the task has its attempts.
_NO_REPLANS = {"max_replans": 0}


def build_task(
    roles: Mapping[str, Any] | None = None,
    *,
    tools: Sequence[Tool] = (),
    checkpointer: Checkpointer = None,
    store: BaseStore | None = None,
    means: Means = LIVE,
    context: Context | None = None,
) -> TaskGraph:
    """The cycle of one task as a graph, to be run by itself or added to a bigger one as a node.

    Arguments and errors are those of `build_agent`.
    """
    check_roles(roles or {})
    cast = Cast(roles, tools, means)
    cycle, branch, ends = Cycle(cast), Branch(cast), _Ends(cast)
    own = (context or Context()).model_copy(update=_NO_REPLANS)

    def step(node: Any) -> Any:
        return in_folder_of_branch(told(node, own))

    def after_review(state: TaskState, runtime: Runtime[Context]) -> list[Send] | str:
        return route_task(state, context_of(runtime, own))

    def after_begin(state: TaskState, runtime: Runtime[Context]) -> list[Send] | str:
        return dispatch(state, context_of(runtime, own)) or "review"

    graph = StateGraph(
        TaskState, context_schema=Context, input_schema=TaskInput, output_schema=TaskOutput
    )
    graph.add_node("recall", step(cycle.recall))
    graph.add_node("begin", step(ends.begin))
    graph.add_node("select_tool", step(branch.select_tool), destinations=("execute", "review"))
    graph.add_node("execute", step(branch.execute), destinations=("reflect",))
    graph.add_node("reflect", step(branch.reflect))
    graph.add_node("review", step(cycle.review))
    graph.add_node("end", step(ends.end))

    graph.add_edge(START, "recall")
    graph.add_edge("recall", "begin")
    graph.add_conditional_edges("begin", after_begin, ["select_tool", "review"])
    graph.add_edge("reflect", "review")
    graph.add_conditional_edges("review", after_review, ["select_tool", "end"])
    graph.add_edge("end", END)
    return graph.compile(checkpointer=checkpointer, store=store, name="task")


def route_task(state: TaskState, context: Context) -> list[Send] | str:
    """From `review`: another round of the task, or its end."""
    if state["decision"] == "next":
        return dispatch(state, context) or "end"
    return "end"


class _Ends:
    """The nodes before and after the rounds."""

    def __init__(self, cast: Cast) -> None:
        self._cast = cast

    async def begin(self, state: TaskState, runtime: Runtime[Context]) -> dict[str, Any]:
        """Put the task down as the one of the plan.

        Raises:
            UsageError: a check is none.
        """
        where = await self._cast.scene(state["workspace"], runtime)
        checks = _checks(state.get("acceptance", []))
        for check in checks:
            if check.kind == "workspace_changed":
                check.text = await where.workspace.digest()
        task = Task(
            id="t1",
            title=state.get("task") or state["goal"],
            writes=state.get("writes", []),
            checks=checks,
        )
        return {"tasks": {task.id: task.model_dump()}}

    async def end(self, state: TaskState, runtime: Runtime[Context]) -> dict[str, Any]:
        """Say what came of it, and end the run's MCP servers."""
        where = await self._cast.scene(state["workspace"], runtime)
        [task] = tasks_of(state)
        decision = state["decision"]
        status = decision if decision in ("done", "stopped") else "failed"
        # A review speaks of replans, which there are none of here.
        failed = task.attempts[-1].reason if status == "failed" and task.attempts else ""
        await close_servers(where.agent)
        return {
            "status": status,
            "reason": failed or state.get("reason", ""),
            "result": task.result,
            "attempts": [attempt.model_dump() for attempt in task.attempts],
            "artifacts": await artifacts_of(state, where.workspace),
        }


def _checks(given: Sequence[Mapping[str, Any]]) -> list[Check]:
    try:
        return [Check.model_validate(check) for check in given]
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UsageError(f"a check of the task does not fit: {where}: {first['msg']}.") from error
