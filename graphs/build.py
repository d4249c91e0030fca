"""Wires the agent: which node follows which."""

from collections.abc import Mapping, Sequence
from typing import Any

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.store.base import BaseStore
from langgraph.types import Checkpointer, Send

from replan.graphs.branch import Branch
from replan.graphs.branching import in_folder_of_branch
from replan.graphs.cast import Cast
from replan.graphs.context_schema import OfferedContext
from replan.graphs.cycle import Cycle
from replan.graphs.means import LIVE, Means
from replan.graphs.part import told
from replan.graphs.routes import route_plan, route_review
from replan.nodes.contract import CONTRACTS
from replan.state.agent_state import AgentInput, AgentOutput, AgentState
from replan.state.context import Context
from replan.state.errors import SettingError
from replan.tools.protocol import Tool

AgentGraph = CompiledStateGraph[AgentState, Context, AgentInput, AgentOutput]


def build_agent(
    roles: Mapping[str, Any] | None = None,
    *,
    tools: Sequence[Tool] = (),
    checkpointer: Checkpointer = None,
    store: BaseStore | None = None,
    means: Means = LIVE,
    context: Context | None = None,
) -> AgentGraph:
    """The agent as a graph: to be run, served, or added to a bigger graph as a node.

    Args:
        roles: your own implementations by role: objects, functions, classes that are made without
            arguments, or names. Others are named in the context.
        tools: your own, beside the built-in ones and those of MCP servers; see `tools.protocol`.
        checkpointer: keeps the checkpoints; None inherits the parent graph's, or keeps none.
        store: long-term memory; None inherits, or does without.
        means: what the run reaches of the world; a replay brings its own.
        context: what this agent is told whatever the run says, by the fields that are set; for one
            inside a bigger graph, which may have a context of its own.

    Raises:
        SettingError: there is no role of a given name, or an implementation cannot be called.
    """
    check_roles(roles or {})
    cast = Cast(roles, tools, means)
    cycle, branch = Cycle(cast), Branch(cast)

    offered: type[Context] = OfferedContext
    graph = StateGraph(
        AgentState,
        context_schema=offered,
        input_schema=AgentInput,
        output_schema=AgentOutput,
    )

    def step(node: Any) -> Any:
        return in_folder_of_branch(told(node, context))

    def after_plan(state: AgentState, runtime: Runtime[Context]) -> list[Send] | str:
        return route_plan(state, means.context(runtime, context))

    def after_review(state: AgentState, runtime: Runtime[Context]) -> list[Send] | str:
        return route_review(state, means.context(runtime, context))

    graph.add_node("recall", step(cycle.recall))
    graph.add_node("decompose", step(cycle.decompose))
    graph.add_node("plan", step(cycle.plan))
    # A branch gets its own payload, not the state.
    graph.add_node("select_tool", step(branch.select_tool), destinations=("execute", "review"))
    graph.add_node("execute", step(branch.execute), destinations=("reflect",))
    graph.add_node("reflect", step(branch.reflect))
    graph.add_node("review", step(cycle.review))
    graph.add_node("report", step(cycle.report))
    graph.add_node("remember", step(cycle.remember))

    graph.add_edge(START, "recall")
    graph.add_edge("recall", "decompose")
    graph.add_edge("decompose", "plan")
    graph.add_conditional_edges("plan", after_plan, ["select_tool", "review"])
    graph.add_edge("reflect", "review")
    graph.add_conditional_edges("review", after_review, ["select_tool", "plan", "report"])
    graph.add_edge("report", "remember")
    graph.add_edge("remember", END)
    return graph.compile(checkpointer=checkpointer, store=store, name="agent")


def check_roles(roles: Mapping[str, Any]) -> None:
    """Whether there is a role of each name.

    Raises:
        SettingError: there is none.
    """
    for role in roles:
        if role not in CONTRACTS:
            raise SettingError(f"there is no role {role!r}.", f"Roles: {', '.join(CONTRACTS)}.")
