"""What a run reaches of the world: its workspace, the record, the model, the tools, the store."""

import asyncio
import json
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from langgraph.runtime import Runtime
from langgraph.store.base import BaseStore

from replan.graphs.copies import copy_for
from replan.graphs.part import agent_of, context_of
from replan.graphs.recording import recording_of
from replan.graphs.strategies import with_strategy
from replan.memory.choice import memories_in
from replan.memory.owner import Owner
from replan.memory.protocol import Memories
from replan.memory.recorded import RecordedMemories
from replan.models.chat import ChatModel, open_chat_model
from replan.models.embeddings import choose_embedder
from replan.state.context import Context
from replan.state.settings import settings
from replan.storage.recorded_store import recorded_store
from replan.storage.recording import UNRECORDED, Recording
from replan.tools.documents.search_documents import SearchDocuments
from replan.tools.mcp import mcp_tools
from replan.tools.policy import Policy, policy_of
from replan.tools.protocol import Tool
from replan.tools.toolbox import default_tools
from replan.tools.workspace import Workspace, open_workspace

if TYPE_CHECKING:
    from replan.graphs.cast import Scene


class Means(Protocol):
    """Where the nodes get from what is not in the state: a run from the world, a replay from the
    record.
    """

    def context(self, runtime: Runtime[Context], own: Context | None = None) -> Context:
        """What the run was told, and what holds whatever it says (`own`), with what its strategy
        sets.

        Raises:
            SettingError: there is no such strategy.
        """
        ...

    async def open_workspace(self, runtime: Runtime[Context]) -> Workspace:
        """The run's folder, made where it is the thread's own.

        Raises:
            WorkspaceError: it is missing, not a folder, or not writable.
        """
        ...

    def workspace(self, path: str) -> Workspace:
        """The folder that the state names."""
        ...

    async def copy(
        self,
        runtime: Runtime[Context],
        workspace: Workspace,
        branch: str,
        apart: Mapping[str, str],
    ) -> tuple[Workspace, dict[str, str]] | None:
        """The copy of the workspace in which a branch works; see `replan.graphs.copies`."""
        ...

    async def recording(
        self, runtime: Runtime[Context], workspace: Workspace, task: str, main: Workspace
    ) -> Recording:
        """What the calls of the node that runs now go through; `main` is the run's workspace, of
        which the node's may be a copy.
        """
        ...

    async def chat(self, where: "Scene") -> ChatModel:
        """The model of a node."""
        ...

    async def tools(self, where: "Scene", own: Sequence[Tool]) -> tuple[list[Tool], Policy]:
        """The tools of a node, those given as objects (`own`) among them, and the rules."""
        ...

    def store(self, where: "Scene") -> BaseStore | None:
        """Long-term memory."""
        ...

    async def memory(self, where: "Scene") -> Memories | None:
        """The memories of the run's owner, kept in that store."""
        ...

    def seconds(self, limit: float | None) -> float | None:
        """How long a role may take that is given so many seconds."""
        ...


class Live:
    """Of a run."""

    def context(self, runtime: Runtime[Context], own: Context | None = None) -> Context:
        """With what the strategy sets today."""
        return with_strategy(context_of(runtime, own))

    async def open_workspace(self, runtime: Runtime[Context]) -> Workspace:
        """The folder asked for, or one of the thread's own; of the agent's, in a bigger graph."""
        # Without a checkpointer there is no thread, and each run gets a folder of its own.
        agent = agent_of(runtime) or f"unsaved-{uuid.uuid4()}"
        asked = context_of(runtime).workspace

        def prepare() -> Workspace:
            own = settings().workspaces / agent
            return open_workspace(Path(asked) if asked else own, create=not asked)

        return await asyncio.to_thread(prepare)

    def workspace(self, path: str) -> Workspace:
        """That folder."""
        return Workspace(path)

    async def copy(
        self,
        runtime: Runtime[Context],
        workspace: Workspace,
        branch: str,
        apart: Mapping[str, str],
    ) -> tuple[Workspace, dict[str, str]] | None:
        """Made, or brought back where it is gone."""
        return await copy_for(runtime, workspace, branch, apart)

    async def recording(
        self, runtime: Runtime[Context], workspace: Workspace, task: str, main: Workspace
    ) -> Recording:
        """The journal."""
        return await recording_of(runtime, workspace, task, main)

    async def chat(self, where: "Scene") -> ChatModel:
        """The model that the context names."""
        return await open_chat_model(where.context.model)

    async def tools(self, where: "Scene", own: Sequence[Tool]) -> tuple[list[Tool], Policy]:
        """The built-in tools, the own, and those of MCP servers; the record has what they are."""
        policy = await asyncio.to_thread(policy_of, where.context)
        documents = SearchDocuments(where.context.documents, choose_embedder, where.tell_progress)
        built_in = default_tools(documents)
        servers = settings().replan_mcp.servers
        others = [*own, *await mcp_tools(servers, where.agent)]
        await where.recording.note_settings(
            lambda: told_of(where.context, policy, built_in, others)
        )
        return [*built_in, *others], policy

    def store(self, where: "Scene") -> BaseStore | None:
        """The graph's, read and written through the record."""
        return recorded_store(where.runtime.store, where.recording)

    async def memory(self, where: "Scene") -> Memories | None:
        """Read and written through the record."""
        memories = memories_in(where.runtime.store, owner_of(where))
        if memories is None or where.recording is UNRECORDED:
            return memories
        return RecordedMemories(memories, where.recording)

    def seconds(self, limit: float | None) -> float | None:
        """As given."""
        return limit


LIVE = Live()


def owner_of(where: "Scene") -> Owner:
    """Whose memories a run has: of whom the server authenticated, whatever the context says.

    Raises:
        UsageError: a name is too long.
    """
    server = where.runtime.server_info
    user = server.user.identity if server and server.user else ""
    context = where.context
    return Owner.named(context.memory_user, context.memory_project, user)


def told_of(
    context: Context, policy: Policy, built_in: Sequence[Tool], others: Sequence[Tool]
) -> dict[str, Any]:
    """What a replay has to know of a run beside its calls, as JSON: what it was told, the rules
    of the settings file too, why built-in tools could not be used, and the other tools.
    """
    return {
        "context": context.changed(),
        "rules": [str(rule) for rule in policy.rules],
        "built_in": {tool.name: tool.unavailable() for tool in built_in},
        "others": [
            {
                "name": tool.name,
                "description": tool.description,
                # As text: prompts show the arguments in the order of the schema.
                "parameters": json.dumps(tool.parameters),
                "content": tool.content,
                "content_language": tool.content_language,
                "leaves": bool(getattr(tool, "leaves", False)),
                "subject": getattr(tool, "subject", ""),
                "names_others": hasattr(tool, "named"),
                "why_not": tool.unavailable(),
            }
            for tool in others
        ],
    }
