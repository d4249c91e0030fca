"""A whole agent: the real graph on the real embedded Postgres, with a scripted model server."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from langgraph.types import StateSnapshot
from openai_server import OpenAIServer, Script, openai_server

from replan.graphs.build import AgentGraph, build_agent
from replan.memory.owner import Owner
from replan.memory.postgres import PostgresMemories
from replan.models.embeddings import choose_embedder
from replan.state.agent_state import AgentInput
from replan.state.context import Context
from replan.state.settings import settings
from replan.storage.database import Database
from replan.storage.persistence import Persistence, open_persistence

KEY = "sk-scripted-0123456789"


class Agent:
    """One thread of the agent, working in a folder of the test's own."""

    def __init__(
        self, graph: AgentGraph, server: OpenAIServer, kept: Persistence, workspace: Path
    ) -> None:
        self.graph = graph
        self.server = server
        self.kept = kept
        self.workspace = workspace
        self.thread = str(uuid4())

    @property
    def config(self) -> Any:
        return {"configurable": {"thread_id": self.thread}}

    def context(self, **settings_of_run: Any) -> Context:
        return Context(workspace=str(self.workspace), **settings_of_run)

    async def run(self, goal: str | None, config: Any = None, **settings_of_run: Any) -> Any:
        """The values at the end; None as the goal goes on from the checkpoint of the config."""
        return await self.graph.ainvoke(
            AgentInput(goal=goal) if goal else None,
            config or self.config,
            context=self.context(**settings_of_run),
            durability="sync",
        )

    async def values(self) -> dict[str, Any]:
        return dict((await self.graph.aget_state(self.config)).values)

    async def tasks(self) -> list[dict[str, Any]]:
        return list((await self.values())["tasks"].values())

    async def history(self) -> list[StateSnapshot]:
        """Oldest first."""
        return [step async for step in self.graph.aget_state_history(self.config)][::-1]

    def read(self, path: str) -> str:
        return (self.workspace / path).read_text(encoding="utf-8").strip()


StartAgent = Callable[..., AbstractAsyncContextManager[Agent]]


@pytest.fixture
def start_agent(database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> StartAgent:
    """Starts the agent with a scripted model, and with own implementations of roles."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    workspace = tmp_path / "workspace"
    workspace.mkdir()

    @asynccontextmanager
    async def start(
        model: Script, roles: dict[str, Any] | None = None, models: tuple[str, ...] = ("scripted",)
    ) -> AsyncIterator[Agent]:
        async with openai_server(model, key=KEY, models=models) as server:
            monkeypatch.setenv("OPENAI_BASE_URL", server.url)
            monkeypatch.setenv("OPENAI_API_KEY", KEY)
            settings.cache_clear()
            async with open_persistence(database, choose_embedder) as kept:
                graph = build_agent(roles, checkpointer=kept.saver, store=kept.store)
                yield Agent(graph, server, kept, workspace)
        monkeypatch.undo()
        settings.cache_clear()

    return start


@pytest.fixture
def memories_of() -> Callable[[Persistence], PostgresMemories]:
    """The memories of the runs of a test, as a run has them, and as a person looks through them."""
    return lambda kept: PostgresMemories(kept.store, Owner.named())
