"""Where the run goes next: small pure functions of the state and the limits."""

from langgraph.types import Send

from replan.graphs.limits import limit_of, share_of, side_by_side
from replan.graphs.state_view import branch_of, ready_tasks, tasks_of
from replan.state.agent_state import AgentState
from replan.state.context import Context


def route_plan(state: AgentState, context: Context) -> list[Send] | str:
    """From `plan`: the ready tasks side by side; to `review` when there is nothing to do or
    nothing left to do it with, or the plan cannot be worked on.
    """
    if limit_of(state, context) or state.get("problem"):
        return "review"
    return dispatch(state, context) or "review"


def route_review(state: AgentState, context: Context) -> list[Send] | str:
    """From `review`: on, back to `plan`, or to the end."""
    decision = state["decision"]
    if decision == "next":
        return dispatch(state, context) or "report"
    return "plan" if decision == "replan" else "report"


def dispatch(state: AgentState, context: Context) -> list[Send]:
    """One branch for each ready task, as many as may run side by side and as steps are left.

    What is left of the other limits is divided among them.
    """
    ready = ready_tasks(tasks_of(state))[: side_by_side(state, context)]
    share = share_of(state, context, max(1, len(ready)))
    return [Send("select_tool", branch_of(state, task, share)) for task in ready]
