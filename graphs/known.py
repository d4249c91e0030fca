"""The graphs that the command line runs, and which of them a thread is of."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from replan.state.errors import UsageError

if TYPE_CHECKING:
    from langgraph.checkpoint.base import CheckpointTuple
    from langgraph.graph.state import CompiledStateGraph
    from langgraph.store.base import BaseStore
    from langgraph.types import Checkpointer

    from replan.tools.protocol import Tool

AGENT, RESEARCH = "agent", "research_report"
# Metadata of a checkpoint in which the command line, or the LangGraph server, names the graph.
GRAPH_KEY = "replan_graph"
_SERVERS_KEY = "graph_id"
_BRANCH = "branch:to:"


def build(
    name: str, checkpointer: "Checkpointer", store: "BaseStore | None"
) -> "CompiledStateGraph[Any, Any, Any, Any]":
    """The graph of that name, one of those above."""
    if name == RESEARCH:
        from replan.graphs.research_report import build_research_report

        return build_research_report(checkpointer=checkpointer, store=store)
    from replan.graphs.build import build_agent

    return build_agent(checkpointer=checkpointer, store=store)


def name_of(found: "CheckpointTuple") -> str:
    """The name of the graph that a thread is of; the agent's, where it is not said."""
    metadata: Mapping[str, Any] = {**found.metadata}
    return str(metadata.get(GRAPH_KEY) or metadata.get(_SERVERS_KEY) or AGENT)


def must_be_known(
    found: "CheckpointTuple", graph: "CompiledStateGraph[Any, Any, Any, Any]", what: str
) -> None:
    """That a thread is of a graph, told by the name and by its nodes.

    Args:
        found: the thread's latest checkpoint.
        graph: the graph.
        what: is not possible otherwise, such as "resumed".

    Raises:
        UsageError: it is not.
    """
    thread = found.config["configurable"]["thread_id"]
    name = name_of(found)
    if name in (AGENT, RESEARCH) and nodes_of(found) <= graph.nodes.keys():
        return
    called = f"the graph {name!r}" if name not in (AGENT, RESEARCH) else "a graph of your own"
    raise UsageError(
        f"the thread is of {called}, so it cannot be {what} here.",
        f"Run that graph with the thread's id; `replan history {thread}` and `replan show` "
        "read it.",
    )


def agent_that_made(
    found: "CheckpointTuple",
    roles: Mapping[str, Any] | None,
    tools: "Sequence[Tool]",
    **compiled: Any,
) -> "CompiledStateGraph[Any, Any, Any, Any]":
    """The agent, or one task's cycle, that made a checkpoint, to replay it with.

    Args:
        found: the checkpoint; of a part, where its namespace says so.
        roles: implementations that it was given as objects; a research report's own are known.
        tools: tools that it was given as objects.
        compiled: the checkpointer and the means, as for `build_agent`.

    Raises:
        UsageError: another graph made it.
    """
    from replan.graphs.build import build_agent
    from replan.graphs.research_report import build_gatherer
    from replan.graphs.task import build_task

    place = found.config["configurable"]
    thread, namespace = place["thread_id"], place.get("checkpoint_ns", "")
    research = name_of(found) == RESEARCH
    if namespace or not research:
        builds = (build_gatherer,) if research else (build_agent, build_task)
        for build_one in builds:
            graph = build_one(roles, tools=tools, **compiled)
            if nodes_of(found) <= graph.nodes.keys():
                return graph
    if namespace:
        raise UsageError(
            f"what ran in {namespace.partition(':')[0]} ({namespace}) is no agent of this project.",
            f"`replan history {thread}` shows it.",
        )
    raise UsageError(
        "the thread is of a graph with agents as its parts, and LangGraph cannot replay through "
        "such a part (its issue 8458).",
        f"Replay one of them from a checkpoint inside it: replan replay {thread} --from "
        f"CHECKPOINT; `replan history {thread}` lists them.",
    )


def nodes_of(found: "CheckpointTuple") -> set[str]:
    """The nodes that a thread has come to, as its channels name them."""
    channels = found.checkpoint["channel_versions"]
    return {one.removeprefix(_BRANCH) for one in channels if one.startswith(_BRANCH)}


def not_inside(thread_id: str, checkpoint_id: str, namespace: str, caller: str) -> None:
    """That a checkpoint, which is to be forked, is one of the graph itself, not of a part of it.

    Args:
        thread_id: the thread.
        checkpoint_id: the checkpoint.
        namespace: its own.
        caller: id of the checkpoint of the graph itself that the part was called from.

    Raises:
        UsageError: it is inside a part. LangGraph runs a part from its beginning whatever
            checkpoint inside it is named.
    """
    if not namespace:
        return
    node = namespace.partition(":")[0]
    raise UsageError(
        f"the checkpoint {checkpoint_id} is inside {node} ({namespace}), a part that LangGraph "
        f"runs whole (its issue 8458), so it cannot be forked by itself.",
        f"To fork the thread from before that part, name {caller or 'an earlier checkpoint'}: "
        f"replan history {thread_id}",
    )
