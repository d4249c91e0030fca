"""An agent inside a bigger graph: which call of it a node belongs to, and what it is told."""

import hashlib
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from langgraph.runtime import Runtime

from replan.state.context import Context

_BETWEEN = "|"  # LangGraph's mark between the parts of a namespace
_DIGEST = 12

Node = Callable[[Any, Runtime[Context]], Awaitable[Any]]


def thread_of(runtime: Runtime[Any]) -> str:
    """The thread's id, "" when nothing is kept of the run."""
    return (runtime.execution_info.thread_id if runtime.execution_info else None) or ""


def namespace_of(runtime: Runtime[Any]) -> str:
    """The namespace of the graph whose node runs now: "" unless it is part of a bigger one.

    It names the node that called the graph and LangGraph's id of that call, so that it stays the
    same when the run is resumed, and no two calls have the same.
    """
    info = runtime.execution_info
    return info.checkpoint_ns.rpartition(_BETWEEN)[0] if info else ""


def agent_of(runtime: Runtime[Any]) -> str:
    """What tells the agents of all threads apart, and is fit for the name of a folder: the
    thread's id, and of one inside a bigger graph a digest of its namespace too.
    """
    thread, namespace = thread_of(runtime), namespace_of(runtime)
    if not thread or not namespace:
        return thread
    return f"{thread}-{hashlib.sha256(namespace.encode()).hexdigest()[:_DIGEST]}"


def context_of(runtime: Runtime[Any], own: Context | None = None) -> Context:
    """What the agent is told.

    Args:
        runtime: of the run. A bigger graph may have a context of another type, which says
            nothing about the agents in it.
        own: the fields that were set here hold whatever the run says; its approval rules are
            added.
    """
    told = runtime.context if isinstance(runtime.context, Context) else Context()
    if own is None:
        return told
    fields = {name: getattr(own, name) for name in own.model_fields_set}
    if own.approvals:
        fields["approvals"] = [*told.approvals, *own.approvals]
    return told.model_copy(update=fields)


def told(node: Node, own: Context | None) -> Node:
    """The node, whose runtime has the context that its agent is told."""

    @wraps(node)
    async def with_context(state: Any, runtime: Runtime[Context]) -> Any:
        return await node(state, runtime.override(context=context_of(runtime, own)))

    return with_context
