"""Where the run goes next: small pure functions of the state and the limits."""

from langgraph.types import Send

from replan.graphs.contenders import Going, branches_of
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
    """The branches of the ready tasks, as many as may run side by side and as steps are left.

    What is left of the other limits is divided among them. Those that run side by side each work in
    a copy of the workspace, and a task that has begun in one goes on in it.
    """
    room = side_by_side(state, context)
    going: list[Going] = []
    for task in ready_tasks(tasks_of(state))[: context.max_parallel]:
        branches = branches_of(state, task, context.best_of)
        if going and len(going) + len(branches) > room:
            break
        going += branches[:room]
    share = share_of(state, context, max(1, len(going)))
    apart = len(going) > 1 or bool(state.get("copies"))
    return [Send("select_tool", branch_of(state, one, share, apart)) for one in going]
