"""What an implementation is given to work with: a scripted model, real tools, a real folder."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from langgraph.store.base import BaseStore
from openai_server import OpenAIServer, Script, openai_server

from replan.memory.choice import memories_in
from replan.memory.owner import Owner
from replan.models.asking import Asker
from replan.models.chat import open_chat_model
from replan.nodes.contract import Use
from replan.state.settings import settings
from replan.tools.toolbox import Toolbox
from replan.tools.workspace import open_workspace

StartUse = Callable[..., AbstractAsyncContextManager[tuple[Use, OpenAIServer]]]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    return folder


@pytest.fixture
def use_of(monkeypatch: pytest.MonkeyPatch, workspace: Path) -> StartUse:
    """Starts a model server and yields what an implementation may use, and the server."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)

    @asynccontextmanager
    async def start(
        model: Script, store: BaseStore | None = None
    ) -> AsyncIterator[tuple[Use, OpenAIServer]]:
        async with openai_server(model) as server:
            monkeypatch.setenv("OPENAI_BASE_URL", server.url)
            monkeypatch.setenv("OPENAI_API_KEY", "test-key")
            settings.cache_clear()
            asker = Asker(await open_chat_model())
            tools = Toolbox(open_workspace(workspace, create=False))
            memory = memories_in(store, Owner("nodes"))
            yield Use(asker, tools, store, thread_id="a-thread", memory=memory), server
        monkeypatch.undo()
        settings.cache_clear()

    return start
