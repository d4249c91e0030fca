import asyncio
import importlib.util
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from openai_server import Reply, openai_server, openai_server_in_thread

from replan.models import chat
from replan.models.asking import Asker
from replan.models.chat import ModelChoice, choose, open_chat_model, preflight
from replan.state.errors import ModelUnavailableError, SettingError, WeightsError

HELLO = [HumanMessage("Hello.")]


def test_auto_without_settings_is_the_embedded_model():
    assert choose() == ModelChoice("embedded", "embedded")


def test_auto_with_a_key_is_openai(configure):
    configure(OPENAI_API_KEY="sk-test")
    assert choose() == ModelChoice("openai", chat.DEFAULT_OPENAI_MODEL, chat.OPENAI_URL)
    configure(OPENAI_MODEL="gpt-6-luna")
    assert choose() == ModelChoice("openai", "gpt-6-luna", chat.OPENAI_URL)
    assert choose("gpt-6-sol").name == "gpt-6-sol"


def test_an_address_goes_before_a_key(configure):
    configure(OPENAI_API_KEY="sk-test", OPENAI_BASE_URL="http://localhost:11434/v1/")
    assert choose() == ModelChoice("server", "", "http://localhost:11434/v1")
    assert choose("qwen") == ModelChoice("server", "qwen", "http://localhost:11434/v1")
    configure(OPENAI_MODEL="llama")
    assert choose().name == "llama"


def test_openais_own_address_is_openai(configure):
    configure(OPENAI_API_KEY="sk-test", OPENAI_BASE_URL="https://api.openai.com/v1")
    assert choose().provider == "openai"


def test_embedded_is_embedded_whatever_is_set(configure):
    configure(OPENAI_API_KEY="sk-test", OPENAI_BASE_URL="http://localhost:1/v1", OPENAI_MODEL="x")
    assert choose("embedded") == ModelChoice("embedded", "embedded")


@pytest.mark.parametrize("name", ["gpt-9", "embeddedd", "", "  "])
def test_an_unknown_name_without_a_server(name: str):
    with pytest.raises(SettingError, match=r"auto.*embedded"):
        choose(name)


async def test_the_servers_first_model_is_taken_where_none_is_named(configure):
    async with openai_server(["hi"], key=None, models=["zeta", "alpha"]) as server:
        configure(OPENAI_BASE_URL=server.url)
        opened = await open_chat_model()
        assert (opened.name, opened.provider) == ("zeta", "server")
        assert await Asker(opened).text(HELLO, max_tokens=5) == "hi"
        assert await open_chat_model() is opened
        assert await preflight() == ModelChoice("server", "zeta", server.url)
    assert set(server.authorizations) == {"Bearer not-needed"}


async def test_a_server_without_a_list_of_models_takes_any_name(configure):
    async with openai_server(["hi"], models=None) as server:
        configure(OPENAI_BASE_URL=server.url, OPENAI_API_KEY="test-key")
        assert (await preflight("anything")).name == "anything"
        assert await Asker(await open_chat_model("anything")).text(HELLO, max_tokens=5) == "hi"
        with pytest.raises(ModelUnavailableError, match="OPENAI_MODEL"):
            await preflight()


async def test_an_unknown_model_lists_what_there_is(configure):
    models = [f"model-{number:02d}" for number in reversed(range(25))]
    async with openai_server([], models=models) as server:
        configure(OPENAI_BASE_URL=server.url, OPENAI_API_KEY="test-key")
        with pytest.raises(SettingError) as caught:
            await preflight("model-77")
    assert "'model-77'" in caught.value.what
    assert "It has: model-00, model-01," in caught.value.todo
    assert "model-19 and 5 more." in caught.value.todo


async def test_a_wrong_key_is_noticed_before_the_run(configure):
    async with openai_server([]) as server:
        configure(OPENAI_BASE_URL=server.url, OPENAI_API_KEY="sk-wrong-secret")
        with pytest.raises(ModelUnavailableError, match="refuses the key") as caught:
            await preflight("scripted")
    assert "wrong-secret" not in str(caught.value)


async def test_a_server_that_is_not_there(configure):
    configure(OPENAI_BASE_URL="http://127.0.0.1:9/v1")
    with pytest.raises(ModelUnavailableError, match=r"reached at http://127\.0\.0\.1:9/v1"):
        await preflight("scripted")


@pytest.mark.parametrize("address", ["not a url", "localhost:11434", "http://[", "ftp://x/v1"])
async def test_an_address_that_is_none(configure, address: str):
    configure(OPENAI_BASE_URL=address)
    with pytest.raises(SettingError, match="OPENAI_BASE_URL") as caught:
        await preflight("scripted")
    assert address in caught.value.what


async def test_a_server_that_does_not_answer_is_not_waited_for(configure, monkeypatch):
    monkeypatch.setattr(chat, "PREFLIGHT_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # it listens and never accepts
        configure(OPENAI_BASE_URL=f"http://127.0.0.1:{silent.getsockname()[1]}/v1")
        started = time.monotonic()
        with pytest.raises(ModelUnavailableError, match="in time"):
            await preflight("scripted")
        assert time.monotonic() - started < 5


async def test_a_web_page_in_place_of_a_server(configure):
    from aiohttp import web

    async def page(request: web.Request) -> web.Response:
        return web.Response(text="<html>Welcome</html>", content_type="text/html")

    app = web.Application()
    app.router.add_get("/v1/models", page)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        configure(OPENAI_BASE_URL=f"http://127.0.0.1:{runner.addresses[0][1]}/v1")
        with pytest.raises(ModelUnavailableError, match="does not follow OpenAI's protocol"):
            await preflight("scripted")
    finally:
        await runner.cleanup()


async def test_the_embedded_model_needs_its_package(monkeypatch):
    found = importlib.util.find_spec
    hidden = {"xllamacpp"}
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name in hidden else found(name)
    )
    for check in (preflight, open_chat_model):
        with pytest.raises(ModelUnavailableError) as caught:
            await check("embedded")
        assert "pip install 'replan[local]'" in caught.value.todo
        assert "OPENAI_API_KEY" in caught.value.todo


async def test_the_embedded_model_refuses_other_weights(configure, tmp_path: Path):
    wrong = tmp_path / "wrong.gguf"
    wrong.write_bytes(b"GGUF but not really")
    configure(REPLAN_MODEL_PATH=wrong)
    with pytest.raises(WeightsError, match="sha256"):
        await open_chat_model("embedded")


def test_one_client_serves_several_event_loops(configure):
    """langgraph may run graphs on loops of its own; a client must not belong to one."""
    with openai_server_in_thread(lambda body: "hi", key=None) as server:
        configure(OPENAI_BASE_URL=server.url)
        seen: list[Any] = []

        async def ask() -> None:
            opened = await open_chat_model("scripted")
            seen.append((opened, await Asker(opened).text(HELLO, max_tokens=5)))

        for _ in range(2):
            thread = threading.Thread(target=asyncio.run, args=(ask(),))
            thread.start()
            thread.join()
        asyncio.run(ask())
    assert [text for _, text in seen] == ["hi"] * 3
    assert len({id(opened) for opened, _ in seen}) == 1


async def test_usage_is_there_when_langgraph_streams(configure):
    from langgraph.graph import START, StateGraph
    from typing_extensions import TypedDict

    class State(TypedDict, total=False):
        tokens: int
        said: str

    async with openai_server([Reply(content="streamed words, several of them")]) as server:
        configure(OPENAI_BASE_URL=server.url, OPENAI_API_KEY="test-key")
        opened = await open_chat_model("scripted")

        async def node(state: State) -> State:
            asker = Asker(opened)
            said = await asker.text(HELLO, max_tokens=9)
            return {"said": said, "tokens": asker.usage["output_tokens"]}

        builder = StateGraph(State)
        builder.add_node("node", node)
        builder.add_edge(START, "node")
        pieces: list[str] = []
        async for mode, part in builder.compile().astream({}, stream_mode=["messages", "values"]):
            if mode == "messages":
                pieces.append(part[0].content)
            else:
                last = part
    assert server.requests[0]["stream"] is True
    assert len([piece for piece in pieces if piece]) > 1
    assert last == {"said": "streamed words, several of them", "tokens": 5}
