"""Who plays the roles of a run, and calling them within their contract."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from langgraph.errors import GraphBubbleUp
from langgraph.runtime import Runtime

from replan.models.asking import Asker
from replan.models.chat import open_chat_model
from replan.models.embeddings import choose_embedder
from replan.nodes.contract import CONTRACTS, Use
from replan.nodes.registry import implementation
from replan.state.context import Context
from replan.state.errors import ContractError, ReplanError
from replan.state.settings import settings
from replan.state.task import Action, Noun
from replan.state.usage import Usage, add_usage
from replan.tools.documents.search_documents import SearchDocuments
from replan.tools.mcp import mcp_tools
from replan.tools.policy import policy_of
from replan.tools.sandbox.protocol import Confinement
from replan.tools.toolbox import Toolbox, default_tools
from replan.tools.workspace import Workspace


@dataclass(frozen=True)
class Scene:
    """Where and with what one node works: the run's context, workspace, thread, runtime."""

    context: Context
    workspace: Workspace
    thread_id: str
    runtime: Runtime[Context]

    @property
    def confinement(self) -> Confinement:
        """The sandbox of this run, and its limits."""
        return Confinement.of(self.context)

    def tell(self, **what: Any) -> None:
        """Send a progress event to whoever streams with mode `custom`."""
        self.runtime.stream_writer(what)

    def tell_progress(self, line: str, fraction: float) -> None:
        """Say how far long work has come, 0 to 1."""
        self.tell(event="progress", what=line, fraction=fraction)


def thread_of(runtime: Runtime[Context]) -> str:
    """The thread's id, "" when nothing is kept of the run."""
    return (runtime.execution_info.thread_id if runtime.execution_info else None) or ""


def scene(workspace: str, runtime: Runtime[Context]) -> Scene:
    """The scene of a node."""
    return Scene(
        context=runtime.context or Context(),
        workspace=Workspace(workspace),
        thread_id=thread_of(runtime),
        runtime=runtime,
    )


class Cast:
    """The implementations of the roles: given as objects, otherwise named in the context."""

    def __init__(self, given: Mapping[str, Any] | None = None) -> None:
        self._given = dict(given or {})

    async def toolbox(self, where: Scene, goal: str, approved: Action | None = None) -> Toolbox:
        """The tools of a node, those of MCP servers too, under the run's policy.

        Args:
            where: the node's scene.
            goal: what the prompt says of the tools depends on it alone.
            approved: the call that a person has agreed to.
        """
        policy = await asyncio.to_thread(policy_of, where.context)
        documents = SearchDocuments(where.context.documents, choose_embedder, where.tell_progress)
        outside = await mcp_tools(settings().replan_mcp.servers, where.thread_id)
        tools = [*default_tools(documents), *outside]
        return Toolbox(
            where.workspace,
            tools=tools,
            confinement=where.confinement,
            policy=policy,
            approved=approved,
            goal=goal,
        )

    async def play(
        self,
        role: str,
        request: Noun,
        where: Scene,
        seconds: float | None = None,
        tools: Toolbox | None = None,
    ) -> tuple[Any, Usage]:
        """Has the role answered.

        Args:
            role: one of `CONTRACTS`.
            request: of the role's request type.
            where: the node's scene.
            seconds: how long the answer may take; None for as long as it takes.
            tools: in place of the node's own.

        Returns:
            The result, of the role's result type, or None when the time ran out; and what was
            used.

        Raises:
            ContractError: the implementation answered with another type, or failed with an
                error of its own.
        """
        name = getattr(where.context, role)
        player = self._given.get(role) or implementation(role, name)
        started = time.monotonic()
        chat = await open_chat_model(where.context.model)
        use = Use(
            model=Asker(chat),
            tools=tools or await self.toolbox(where, goal_of(request)),
            store=where.runtime.store,
            thread_id=where.thread_id,
        )
        where.tell(event="role", role=role, implementation=name)
        try:
            async with asyncio.timeout(seconds) as limit:
                result = await player(request, use)
        except TimeoutError:
            if not limit.expired():
                raise
            return None, add_usage(use.model.usage, Usage(seconds=time.monotonic() - started))
        except (ReplanError, OSError, GraphBubbleUp):
            raise
        except Exception as error:
            raise ContractError(
                f"the implementation {name!r} of {role} failed: {type(error).__name__}: {error}.",
                f"Choose another with --set {role}=NAME, then resume.",
            ) from error
        if not isinstance(result, CONTRACTS[role].result):
            raise ContractError(
                f"the implementation {name!r} of {role} answered with {type(result).__name__}, "
                f"not {CONTRACTS[role].result.__name__}.",
                f"Choose another with --set {role}=NAME, then resume.",
            )
        spent = Usage(seconds=time.monotonic() - started)
        return result, add_usage(use.model.usage, spent)


def goal_of(request: Noun) -> str:
    """What the run is for, as a request of any role says it."""
    return str(getattr(getattr(request, "brief", request), "goal", ""))
