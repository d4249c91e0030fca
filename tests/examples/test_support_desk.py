"""The support desk of examples/, with a scripted model and a real Postgres."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from langgraph.types import Command
from openai_server import openai_server
from scripted_agent import Move, ScriptedAgent

from replan.models.embeddings import choose_embedder
from replan.state.context import Context
from replan.state.settings import settings
from replan.storage.database import Database
from replan.storage.persistence import open_persistence

EXAMPLE = Path(__file__).parents[2] / "examples" / "support_desk"
KEY = "sk-scripted-0123456789"
QUESTION = {"customer": "Ann", "message": "When do you open on Sundays?"}
OPENING = "On Sundays the shop is open from ten to four."
CITED = f"{OPENING}\nSources:\n[1] hours.md, line 1"


class ScriptedDesk:
    """The agent's script, and what the desk's own questions are answered with."""

    def __init__(self, kind: str, verdicts: list[bool]) -> None:
        search = Move("search_documents", query="open on Sundays")
        self._agent = ScriptedAgent([search], report=OPENING)
        self._kind = kind
        self._verdicts = verdicts
        self.asked: list[str] = []

    def __call__(self, body: dict[str, Any]) -> Any:
        name = body.get("response_format", {}).get("json_schema", {}).get("name", "")
        self.asked.append(name)
        if name == "triage":
            return {"kind": self._kind}
        if name == "review":
            return {"answers": self._verdicts.pop(0), "problem": "it names no hours"}
        return self._agent(body)


@pytest.fixture
def start(database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.syspath_prepend(str(EXAMPLE))
    handbook = tmp_path / "handbook"
    handbook.mkdir()
    (handbook / "hours.md").write_text(OPENING)

    @asynccontextmanager
    async def started(model: ScriptedDesk) -> AsyncIterator[Any]:
        async with openai_server(model, key=KEY) as server:
            monkeypatch.setenv("OPENAI_BASE_URL", server.url)
            monkeypatch.setenv("OPENAI_API_KEY", KEY)
            settings.cache_clear()
            from desk import build_desk

            context = Context(documents=str(handbook), decompose="none", reflect="checks")
            async with open_persistence(database, choose_embedder) as kept:
                desk = build_desk(context=context, checkpointer=kept.saver, store=kept.store)
                config = {"configurable": {"thread_id": str(uuid4())}}

                async def run(given: Any) -> Any:
                    return await desk.ainvoke(given, config, durability="sync")

                yield run
        settings.cache_clear()

    return started


async def test_a_question_is_answered_by_the_agent(start) -> None:
    model = ScriptedDesk("question", [True])
    async with start(model) as run:
        sent = await run(QUESTION)
    assert sent == {"kind": "question", "reply": CITED, "by": "agent", "sent": True}
    assert model.asked.index("triage") < model.asked.index("select_tool")
    assert model.asked[-1] == "review"


async def test_a_complaint_waits_for_a_person(start) -> None:
    model = ScriptedDesk("complaint", [])
    async with start(model) as run:
        [asked] = (await run(QUESTION))["__interrupt__"]
        assert asked.value["customer"] == "Ann"
        sent = await run(Command(resume={asked.id: {"reply": "We are sorry."}}))
    assert sent == {"kind": "complaint", "reply": "We are sorry.", "by": "person", "sent": True}
    assert model.asked == ["triage"]


async def test_what_is_turned_down_twice_goes_to_a_person(start) -> None:
    model = ScriptedDesk("question", [False, False])
    async with start(model) as run:
        [asked] = (await run(QUESTION))["__interrupt__"]
        assert asked.value["draft"] == CITED
        assert asked.value["objection"] == "it names no hours"
        sent = await run(Command(resume={asked.id: {"reply": "From ten to four."}}))
    assert (sent["by"], sent["reply"]) == ("person", "From ten to four.")
    assert model.asked.count("review") == 2


async def test_a_person_may_send_nothing(start) -> None:
    async with start(ScriptedDesk("other", [])) as run:
        [asked] = (await run(QUESTION))["__interrupt__"]
        sent = await run(Command(resume={asked.id: {"reply": ""}}))
    assert sent["sent"] is False
