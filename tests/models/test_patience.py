"""A model server that fails: what is waited for, what is asked again, what is said then."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx2
import pytest
from langchain_core.messages import HumanMessage
from openai_server import OpenAIServer, Reply, openai_server

from replan.models.asking import Asker
from replan.models.budget import Budget
from replan.models.chat import open_chat_model
from replan.models.patience import MOST_RETRIES, retry_after
from replan.state.errors import LimitReachedError, ModelUnavailableError

ASK = [HumanMessage("Which tool comes next?")]
LONG = "a long answer " * 20


@pytest.fixture
def asker(configure: Callable[..., None]) -> Any:
    async def make(server: OpenAIServer, streaming: bool = False, **options: Any) -> Asker:
        configure(OPENAI_BASE_URL=server.url, OPENAI_API_KEY="test-key", OPENAI_MODEL="scripted")
        chat = await open_chat_model()
        chat.client.streaming = streaming
        return Asker(chat, **options)

    return make


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize(
    "fault",
    [
        Reply(status=500, content="on fire"),
        Reply(status=503, content="loading"),
        Reply(status=429, content="slow down", headers={"Retry-After": "0.3"}),
        Reply(status=429, content="slow down", headers={"retry-after-ms": "300"}),
        Reply(content=LONG, cut="connection"),
    ],
)
async def test_a_passing_fault_is_waited_out(asker, fault: Reply, streaming: bool) -> None:
    async with openai_server([fault, "fine"]) as server:
        mine = await asker(server, streaming)
        began = time.monotonic()
        assert await mine.text(ASK, max_tokens=9) == "fine"
        waited = time.monotonic() - began
    assert len(server.requests) == 2
    assert 0.25 < waited < 3
    assert mine.usage["model_calls"] == 1
    assert mine.usage["model_seconds"] == pytest.approx(waited, abs=0.2)


@pytest.mark.parametrize("cut", ["connection", "stream"])
async def test_a_stream_that_breaks_off_is_asked_for_again(asker, cut: Any) -> None:
    """Half an answer that looks like a whole one is never taken for one."""
    async with openai_server([Reply(content=LONG, cut=cut), Reply(content=LONG)]) as server:
        mine = await asker(server, streaming=True)
        assert (await mine.text(ASK, max_tokens=99)).strip() == LONG.strip()
    assert len(server.requests) == 2


async def test_broken_json_of_the_protocol_is_asked_for_again(asker) -> None:
    broken = Reply(raw='{"id": "chatcmpl-1", "choices": [{"index": 0, "mess')
    async with openai_server([broken, "fine"]) as server:
        assert await (await asker(server)).text(ASK, max_tokens=9) == "fine"
    assert len(server.requests) == 2


@pytest.mark.parametrize("streaming", [False, True])
async def test_answers_that_always_break_off_end_in_one_line(asker, streaming: bool) -> None:
    async with openai_server(lambda body: Reply(content=LONG, cut="connection")) as server:
        mine = await asker(server, streaming)
        mine.chat.client.root_async_client.max_retries = 2
        with pytest.raises(ModelUnavailableError, match="break off") as caught:
            await mine.text(ASK, max_tokens=9)
    assert len(server.requests) == 3
    assert "\n" not in str(caught.value)
    assert "resumed" in str(caught.value)


async def test_retries_have_a_ceiling(asker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.01)
    async with openai_server(lambda body: Reply(status=500, content="on fire")) as server:
        with pytest.raises(ModelUnavailableError, match=r"failed \(500\)"):
            await (await asker(server)).text(ASK, max_tokens=9)
    assert len(server.requests) == 1 + MOST_RETRIES


@pytest.mark.parametrize("as_date", [False, True], ids=["seconds", "a date"])
async def test_a_server_that_asks_to_wait_longer_than_there_is_time_is_not_waited_for(
    asker, as_date: bool
) -> None:
    header = format_datetime(datetime.now(UTC) + timedelta(seconds=95)) if as_date else "90"
    limited = Reply(status=429, content="slow down", headers={"Retry-After": header})
    async with openai_server([limited]) as server:
        began = time.monotonic()
        with pytest.raises(ModelUnavailableError, match=r"\(429\): .*resumed in [89]\d s, at 20"):
            await (await asker(server, budget=Budget(seconds=60))).text(ASK, max_tokens=9)
        assert time.monotonic() - began < 2
    assert len(server.requests) == 1


async def test_no_call_is_made_without_time(asker) -> None:
    async with openai_server(["never"]) as server:
        with pytest.raises(LimitReachedError) as caught:
            await (await asker(server, budget=Budget(seconds=0))).text(ASK, max_tokens=9)
    assert caught.value.limit == "max_seconds"
    assert server.requests == []


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "7", "retry-after-ms": "1500"}, 1.5),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Mon, 01 Jan 2001 00:00:00 GMT"}, 0.0),
    ],
)
def test_what_a_server_asks_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(httpx2.Headers(headers)) == seconds
