"""The real `langgraph dev` on the project's own langgraph.json, through the real SDK client."""

import asyncio
import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from documents_asked import write_documents
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.schema import ThreadState
from openai_server import OpenAIServer, openai_server_in_thread
from scripted_research import ScriptedResearch

from replan.graphs.build import build_agent
from replan.graphs.strategies import strategies
from replan.memory.owner import Owner
from replan.memory.postgres import PostgresMemories
from replan.models.embeddings import choose_embedder
from replan.nodes.registry import names
from replan.state.agent_state import AgentInput
from replan.state.context import ROLES, Context
from replan.state.settings import settings
from replan.storage.database import Database
from replan.storage.persistence import list_threads, open_persistence

pytestmark = pytest.mark.server

PROJECT = Path(__file__).parents[2]
START_SECONDS = 120
GOAL = AgentInput(goal="Write hello.txt with the word hello")
PLAIN = {  # No role but select_tool asks the model.
    "recall": "none",
    "decompose": "none",
    "reflect": "checks",
    "report": "template",
    "remember": "none",
}
RESEARCH = ScriptedResearch([("Coffee", "How is espresso made?"), ("Tea", "How is tea made?")])


def answer(body: dict[str, Any]) -> Any:
    """First the choice of a tool, asked for as JSON, then the file's text. The questions of other
    graphs are told by the names of their schemas.
    """
    name = body.get("response_format", {}).get("json_schema", {}).get("name")
    if name in ("outline", "search", "claims"):
        return RESEARCH(body)
    if name == "triage":
        return {"kind": "question"}
    if name == "review":
        return {"answers": True, "problem": ""}
    if "response_format" in body:
        call = {"tool": "write_file", "path": "hello.txt"}
        return {"content": "given", "call": call}
    return "```\nhello\n```"


@pytest.fixture(scope="module")
def model() -> Iterator[OpenAIServer]:
    with openai_server_in_thread(answer) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_BASE_URL", server.url)
        patch.setenv("OPENAI_API_KEY", "test-key")
        settings.cache_clear()
        yield server
    settings.cache_clear()


@pytest.fixture(scope="module")
def address(
    database: Database, model: OpenAIServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The server's address. It runs in a folder of its own, so that nobody's `.env` counts and
    nothing is written into the project."""
    folder = tmp_path_factory.mktemp("served")
    for name in ("langgraph.json", "graphs", "storage"):
        (folder / name).symlink_to(PROJECT / name)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    langgraph = Path(sys.executable).parent / "langgraph"
    log = folder / "log"
    with log.open("w") as output:
        server = subprocess.Popen(
            [langgraph, "dev", "--no-browser", "--no-reload", "--port", str(port)],
            cwd=folder,
            env={
                **os.environ,
                "LANGSMITH_TRACING": "false",
                "LANGGRAPH_CLI_NO_ANALYTICS": "1",
            },
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_ready(server, url, log)
        yield url
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


def wait_until_ready(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/ok", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"langgraph dev does not answer:\n{log.read_text()[-4000:]}")


async def run_on_server(client: LangGraphClient, **options: Any) -> dict[str, Any]:
    values = await client.runs.wait(assistant_id="agent", context=PLAIN, **options)
    assert isinstance(values, dict)
    return values


def values_of(state: ThreadState) -> dict[str, Any]:
    assert isinstance(state["values"], dict)
    return state["values"]


async def run_in_process(database: Database, thread_id: str) -> dict[str, Any]:
    """As the command line does."""
    async with open_persistence(database) as persistence:
        agent = build_agent(checkpointer=persistence.saver, store=persistence.store)
        config: Any = {"configurable": {"thread_id": thread_id}}
        context = Context.model_validate(PLAIN)
        values = await agent.ainvoke(GOAL, config, context=context, durability="sync")
    return dict(values)


async def test_schemas_describe_input_and_settings(address: str) -> None:
    async with get_client(url=address) as client:
        [assistant] = await client.assistants.search(graph_id="agent")
        schemas = await client.assistants.get_schemas(assistant["assistant_id"])
    taken = schemas["input_schema"]
    assert taken is not None
    assert set(taken["properties"]) == {"goal", "files", "constraints"}
    assert taken["required"] == ["goal"]
    form = schemas["context_schema"]
    assert form is not None
    assert set(form["properties"]) == set(Context.model_fields)
    for name, shown in form["properties"].items():
        assert shown["description"] == Context.model_fields[name].description
        assert shown["default"] == Context.model_fields[name].default


async def test_the_form_lists_every_implementation_and_strategy(address: str) -> None:
    async with get_client(url=address) as client:
        [assistant] = await client.assistants.search(graph_id="agent")
        schemas = await client.assistants.get_schemas(assistant["assistant_id"])
    fields: Any = (schemas["context_schema"] or {})["properties"]
    for role in ROLES:
        known, own = fields[role]["anyOf"]
        assert known["enum"] == fields[role]["examples"] == names(role)
        assert fields[role]["default"] in known["enum"]
        assert re.fullmatch(own["pattern"], "my_package.planners:Mine")
    assert fields["strategy"]["enum"] == ["", *strategies()]


async def test_a_strategy_is_named_through_the_sdk(address: str, model: OpenAIServer) -> None:
    asked = len(model.requests)
    async with get_client(url=address) as client:
        context = {"strategy": "one_shot", "recall": "none", "remember": "none"}
        values: Any = await client.runs.wait(None, "agent", input=GOAL, context=context)
        assert values["status"] == "done"
        assert values["report"].startswith("Done.")  # by template: two questions, and no more
        assert len(model.requests) == asked + 2
        wrong: Any = await client.runs.wait(
            None, "agent", input=GOAL, context={"strategy": "two_shots"}, raise_error=False
        )
    assert wrong["__error__"]["error"] == "SettingError"  # the server keeps messages to its log


async def test_a_run_its_history_a_replay_and_a_fork(address: str, model: OpenAIServer) -> None:
    async with get_client(url=address) as client:
        thread = (await client.threads.create(graph_id="agent"))["thread_id"]
        result = await run_on_server(client, thread_id=thread, input=GOAL)
        assert result["status"] == "done"
        assert [artifact["path"] for artifact in result["artifacts"]] == ["hello.txt"]

        history = await client.threads.get_history(thread, limit=100)
        assert [step["next"] for step in reversed(history)][1:] == [
            ["recall"], ["decompose"], ["plan"], ["select_tool"], ["execute"], ["reflect"],
            ["review"], ["report"], ["remember"], [],
        ]  # fmt: skip

        asked = len(model.requests)
        executing = next(step for step in history if step["next"] == ["execute"])
        first = Path(values_of(history[0])["workspace"])
        (first / "hello.txt").write_text("changed since")
        replayed = await run_on_server(
            client, thread_id=thread, input=None, checkpoint=executing["checkpoint"]
        )
        assert replayed["status"] == "done"
        assert len(model.requests) == asked  # What came before the checkpoint is not done again.
        branch = Path(values_of(await client.threads.get_state(thread))["workspace"])
        assert (branch / "hello.txt").read_text().strip() == "hello"
        assert (first / "hello.txt").read_text() == "changed since"

        planning = next(step for step in history if step["next"] == ["plan"])
        fork = await client.threads.update_state(
            thread,
            {"constraints": ["say it loudly"]},
            as_node="decompose",
            checkpoint=planning["checkpoint"],
        )
        forked = await run_on_server(
            client, thread_id=thread, input=None, checkpoint=fork["checkpoint"]
        )
        assert forked["status"] == "done"
        assert "say it loudly" in json.dumps(model.requests[-1]["messages"])
        longer = await client.threads.get_history(thread, limit=100)
        assert len(longer) > len(history) + 6
        assert values_of(longer[0])["constraints"] == ["say it loudly"]
        again = Path(values_of(longer[0])["workspace"])
        assert again not in (first, branch)
        assert (again / "hello.txt").read_text().strip() == "hello"
        assert (first / "hello.txt").read_text() == "changed since"


async def test_a_thread_of_the_command_line_opens_under_the_server(
    address: str, database: Database
) -> None:
    thread = str(uuid4())
    result = await run_in_process(database, thread)
    assert result["status"] == "done"
    async with get_client(url=address) as client:
        await client.threads.create(thread_id=thread, if_exists="do_nothing", graph_id="agent")
        state = await client.threads.get_state(thread)
        assert values_of(state)["report"] == result["report"]
        history = await client.threads.get_history(thread, limit=100)
        assert len(history) == 11
        reviewing = next(step for step in history if step["next"] == ["review"])
        # Its store is ours, so the files have revisions: the empty folder, and hello.txt.
        kept = [values_of(step).get("revision", "") for step in history]
        assert len(set(filter(None, kept))) == 2
        replayed = await run_on_server(
            client, thread_id=thread, input=None, checkpoint=reviewing["checkpoint"]
        )
        assert replayed["report"] == result["report"]


async def test_a_thread_of_the_server_opens_in_the_command_line(
    address: str, database: Database
) -> None:
    async with get_client(url=address) as client:
        thread = (await client.threads.create(graph_id="agent"))["thread_id"]
        result = await run_on_server(client, thread_id=thread, input=GOAL)
        await client.store.put_item(("shared",), "key", {"by": "the server"})
    latest = (await list_threads(database, limit=1))[0]
    assert (latest.thread_id, latest.goal, latest.status) == (thread, GOAL["goal"], "done")
    async with open_persistence(database) as persistence:
        agent = build_agent(checkpointer=persistence.saver, store=persistence.store)
        config: Any = {"configurable": {"thread_id": thread}}
        history = [state async for state in agent.aget_state_history(config)]
        item = await persistence.store.aget(("shared",), "key")
    assert len(history) == 11
    assert history[0].values["report"] == result["report"]
    assert item is not None
    assert item.value == {"by": "the server"}


async def test_memories_are_shared_by_the_sdk_the_server_and_the_command_line(
    address: str, database: Database
) -> None:
    owner = Owner("sdk", "shared")
    async with get_client(url=address) as client:
        told = "The greeting that everybody here expects is hello"
        await client.store.put_item(owner.namespace("fact"), "greeting", {"text": told})
        await client.store.put_item(
            owner.namespace("fact"), "other", {"text": "Invoices are sent on the first Monday"}
        )
        found = await client.store.search_items(
            owner.namespace("fact"), query="which word do people want to be greeted with?", limit=1
        )
        assert [item["key"] for item in found["items"]] == ["greeting"]
        thread = (await client.threads.create(graph_id="agent"))["thread_id"]
        recalling = {**PLAIN, "recall": "store", "memory_user": "sdk", "memory_project": "shared"}
        goal = AgentInput(goal="Write the greeting that everybody expects, hello, to hello.txt")
        await client.runs.wait(thread, "agent", input=goal, context=recalling)
        values = values_of(await client.threads.get_state(thread))
        assert told in values["recalled"][0]
        assert [one["id"] for one in values["memories"]["recalled"]] == ["greeting"]
    async with open_persistence(database, choose_embedder) as kept:
        memories = PostgresMemories(kept.store, owner)
        [first, *_] = (await memories.recall("how to greet")).found
        assert (first.memory.text, first.similarity is not None) == (told, True)


async def test_impossible_settings_fail_the_run_with_their_name(address: str) -> None:
    async with get_client(url=address) as client, asyncio.timeout(60):
        thread = (await client.threads.create(graph_id="agent"))["thread_id"]
        with pytest.raises(Exception, match="max_steps"):
            await client.runs.wait(thread, "agent", input=GOAL, context={"max_steps": 0})


async def test_a_call_that_waits_is_answered_through_the_sdk(address: str) -> None:
    asking = {**PLAIN, "approvals": ["ask:write_file(hello.*)"]}
    async with get_client(url=address) as client:
        thread = (await client.threads.create(graph_id="agent"))["thread_id"]
        await client.runs.wait(thread, "agent", input=GOAL, context=asking)
        waits = await client.threads.get(thread)
        assert waits["status"] == "interrupted"
        [[asked]] = waits["interrupts"].values()
        assert asked["value"]["tool"] == "write_file"
        assert asked["value"]["args"] == {"path": "hello.txt", "text": "hello\n"}
        state = await client.threads.get_state(thread)
        assert state["next"] == ["execute"]

        # An answer that cannot be used is asked for again, and nothing is lost.
        await client.runs.wait(thread, "agent", command={"resume": "yes"}, context=asking)
        [again] = (await client.threads.get_state(thread))["tasks"][0]["interrupts"]
        assert "the answer" in again["value"]["problem"]

        edited = {"path": "hello.txt", "text": "hello, edited"}
        answer = {again["id"]: {"decision": "edit", "args": edited}}
        result = await client.runs.wait(thread, "agent", command={"resume": answer}, context=asking)
    assert isinstance(result, dict)
    assert result["status"] == "done"
    [artifact] = result["artifacts"]
    assert artifact["sha256"] == hashlib.sha256(b"hello, edited").hexdigest()


async def test_the_research_report_is_served_too(address: str, tmp_path: Path) -> None:
    write_documents(tmp_path)
    async with get_client(url=address) as client:
        [assistant] = await client.assistants.search(graph_id="research_report")
        schemas = await client.assistants.get_schemas(assistant["assistant_id"])
        assert schemas["input_schema"] is not None
        assert set(schemas["input_schema"]["properties"]) == {"goal", "constraints"}
        thread = (await client.threads.create(graph_id="research_report"))["thread_id"]
        result = await client.runs.wait(
            thread,
            "research_report",
            input={"goal": "Write a report on coffee and tea"},
            context={"documents": str(tmp_path)},
        )
        history = await client.threads.get_history(thread, limit=100)
    assert isinstance(result, dict)
    assert result["status"] == "done", result
    for one in result["citations"]:
        assert one["passage"] in (tmp_path / one["source"]).read_text(encoding="utf-8")
    assert [step["next"] for step in reversed(history)][1:] == [
        ["outline"], ["gather", "gather"], ["claim", "claim"], ["merge"], ["check"], ["write"], [],
    ]  # fmt: skip


async def test_the_served_agent_is_a_part_of_a_graph_elsewhere(
    address: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The desk of examples/ here, its agent there, both on one database."""
    monkeypatch.syspath_prepend(str(PROJECT / "examples" / "support_desk"))
    from desk import build_desk
    from remote_agent import RemoteAgent

    agent = RemoteAgent(address, Context.model_validate(PLAIN))
    thread = str(uuid4())
    config: Any = {"configurable": {"thread_id": thread}}
    asked = {"customer": "Ann", "message": "Write hello.txt with the word hello"}
    async with open_persistence(database) as kept:
        desk = build_desk(agent, checkpointer=kept.saver, store=kept.store)
        sent = await desk.ainvoke(asked, config, durability="sync")
        assert (sent["kind"], sent["by"], sent["sent"]) == ("question", "agent", True)
        assert sent["reply"].startswith("Done.")
        here = [step.next async for step in desk.aget_state_history(config)]
    assert here[::-1] == [("__start__",), ("triage",), ("answer",), ("review",), ("send",), ()]
    rows = {one.thread_id: one for one in await list_threads(database, 3)}
    [there] = [one for one in rows.values() if asked["message"] in one.goal]
    assert there.thread_id != thread
    assert there.status == "done"
