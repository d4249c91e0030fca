"""What an implementation on trial works with: a folder, real tools, a store, and a model."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from langgraph.store.memory import InMemoryStore

from replan.memory.choice import memories_in
from replan.memory.owner import Owner
from replan.models.asking import Asker
from replan.models.budget import UNLIMITED, Budget
from replan.models.chat import chat_model_at
from replan.nodes.contract import Use
from replan.nodes.testing.model_server import Manner, model_server
from replan.nodes.testing.requests import FILES
from replan.tools.toolbox import Toolbox
from replan.tools.workspace import open_workspace

_SECONDS_PER_CALL = 20.0


@asynccontextmanager
async def stage(
    manner: Manner = "fitting", budget: Budget = UNLIMITED, memory: bool = True
) -> AsyncIterator[Use]:
    """What the implementation may use; the folder holds `FILES` and is removed afterwards.

    Args:
        manner: how the model answers.
        budget: what may be used up.
        memory: whether there is a store, and so a long-term memory.
    """
    folder = await asyncio.to_thread(_folder)
    try:
        async with model_server(manner) as url:
            chat = await asyncio.to_thread(chat_model_at, url, "trial")
            tools = Toolbox(await asyncio.to_thread(open_workspace, folder, create=False))
            tools.seconds_per_call = _SECONDS_PER_CALL
            store = InMemoryStore() if memory else None
            yield Use(
                model=Asker(chat, budget=budget),
                tools=tools,
                store=store,
                thread_id="trial",
                memory=memories_in(store, Owner("trial")),
            )
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, True)


def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="replan-trial-"))
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder
