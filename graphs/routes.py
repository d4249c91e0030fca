"""Where the run goes next: small pure functions of the state and the limits."""

from langgraph.types import Send

from replan.graphs.limits import limit_reached, remaining_seconds
from replan.graphs.state_view import branch_of, ready_tasks, tasks_of
from replan.state.agent_state import AgentState
from replan.state.context import Context


def route_plan(state: AgentState, context: Context) -> list[Send] | str:
    """From `plan`: the ready tasks side by side; to `review` when there is nothing to do or
    nothing left to do it with.
    """
    if limit_reached(state.get("usage", {}), context):
        return "review"
    return dispatch(state, context) or "review"


def route_review(state: AgentState, context: Context) -> list[Send] | str:
    """From `review`: on, back to `plan`, or to the end."""
    decision = state["decision"]
    if decision == "next":
        return dispatch(state, context) or "report"
    return "plan" if decision == "replan" else "report"


def dispatch(state: AgentState, context: Context) -> list[Send]:
    """One branch for each ready task, as many as may run side by side and as steps are left."""
    usage = state.get("usage", {})
    steps_left = context.max_steps - usage.get("steps", 0)
    seconds = remaining_seconds(usage, context)
    ready = ready_tasks(tasks_of(state))[: max(1, min(context.max_parallel, steps_left))]
    return [Send("select_tool", branch_of(state, task, seconds)) for task in ready]
