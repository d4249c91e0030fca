"""A research report: an outline, an agent for each section side by side, claims that are checked
against their sources, and a report that cites them.

The graph that langgraph.json names. Compiled without a checkpointer: `langgraph dev` brings ours.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.store.base import BaseStore
from langgraph.types import Checkpointer, Send

from replan.graphs.branching import in_folder_of_branch
from replan.graphs.cast import Cast
from replan.graphs.means import LIVE, Means
from replan.graphs.part import context_of, told
from replan.graphs.research_steps import Research, dispatch
from replan.graphs.task import TaskGraph, build_task
from replan.nodes.research.gathering import GatherSources, ReflectOnSources
from replan.state.context import Context
from replan.state.research import ResearchInput, ResearchOutput, ResearchState
from replan.tools.protocol import Tool

ResearchGraph = CompiledStateGraph[ResearchState, Context, ResearchInput, ResearchOutput]


def build_research_report(
    gather_by: Mapping[str, Any] | None = None,
    *,
    tools: Sequence[Tool] = (),
    checkpointer: Checkpointer = None,
    store: BaseStore | None = None,
    means: Means = LIVE,
    context: Context | None = None,
) -> ResearchGraph:
    """The research report as a graph: to be run, served, or added to a bigger graph as a node.

    Args:
        gather_by: implementations of the roles of a section's agent; by default those of
            `nodes.research.gathering`, which search for the section's question.
        tools: your own, beside the built-in ones.
        checkpointer: as for `build_agent`.
        store: as for `build_agent`.
        means: as for `build_agent`.
        context: as for `build_agent`.

    Raises:
        SettingError: there is no role of a given name.
    """
    # A copy takes the checkpointer as the outer graph lends it. Under strict msgpack the original
    # would derive one from it, and that of `langgraph dev` (langgraph_api 0.16.7) cannot be copied.
    gatherer = build_gatherer(gather_by, tools=tools, means=means).copy()
    steps = Research(Cast(None, tools, means), gatherer)

    def step(node: Any) -> Any:
        return in_folder_of_branch(told(node, context))

    def after(state: ResearchState, runtime: Runtime[Context]) -> list[Send] | str:
        return dispatch(state, context_of(runtime, context))

    graph = StateGraph(
        ResearchState,
        context_schema=Context,
        input_schema=ResearchInput,
        output_schema=ResearchOutput,
    )
    graph.add_node("outline", step(steps.outline))
    graph.add_node("gather", step(steps.gather), destinations=("claim",))
    graph.add_node("claim", step(steps.claim))
    graph.add_node("merge", step(steps.merge))
    graph.add_node("check", step(steps.check))
    graph.add_node("write", step(steps.write))

    graph.add_edge(START, "outline")
    graph.add_conditional_edges("outline", after, ["gather", "check"])
    graph.add_edge("claim", "merge")
    graph.add_conditional_edges("merge", after, ["gather", "check"])
    graph.add_edge("check", "write")
    graph.add_edge("write", END)
    return graph.compile(checkpointer=checkpointer, store=store, name="research_report")


def build_gatherer(
    roles: Mapping[str, Any] | None = None,
    *,
    tools: Sequence[Tool] = (),
    checkpointer: Checkpointer = None,
    means: Means = LIVE,
) -> TaskGraph:
    """The agent of a section: one task's cycle that gathers sources, in `roles` as given."""
    own = {"select_tool": GatherSources(), "reflect": ReflectOnSources(), **(roles or {})}
    return build_task(own, tools=tools, checkpointer=checkpointer, means=means)


graph = build_research_report()
