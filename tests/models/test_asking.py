import asyncio
import json
import time
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from openai_server import OpenAIServer, Reply, openai_server

from replan.models.asking import Asker
from replan.models.chat import open_chat_model
from replan.state.errors import ModelAnswerError, ModelUnavailableError

ASK = [SystemMessage("You choose a tool."), HumanMessage("Which tool comes next?")]
SCHEMA = {
    "type": "object",
    "properties": {"tool": {"enum": ["python", "write_file"]}, "thought": {"type": "string"}},
    "required": ["tool", "thought"],
    "additionalProperties": False,
}
GOOD = {"tool": "python", "thought": "compute"}
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "read_file",
            "description": "Read a file.",
            "parameters": {
                "type": "object",
                "properties": {"path": {"type": "string"}},
                "required": ["path"],
                "additionalProperties": False,
            },
        },
    }
]


@pytest.fixture
def asker(configure):
    """Makes an asker of a scripted server's model."""

    async def make(server: OpenAIServer, *, key: str = "test-key", **options: Any) -> Asker:
        configure(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=key, OPENAI_MODEL="scripted")
        chat = await open_chat_model()
        chat.client.root_async_client.max_retries = 1
        return Asker(chat, **options)

    return make


def last_text(body: dict[str, Any]) -> str:
    return str(body["messages"][-1]["content"])


async def ask_json(asker: Asker) -> dict[str, Any]:
    return await asker.json(ASK, SCHEMA, name="choice", max_tokens=50)


async def test_json_is_asked_for_by_schema(asker):
    async with openai_server([GOOD]) as server:
        assert await ask_json(await asker(server)) == GOOD
    [body] = server.requests
    wanted = body["response_format"]["json_schema"]
    assert (wanted["name"], wanted["schema"], wanted["strict"]) == ("choice", SCHEMA, True)
    assert body["temperature"] == 0
    assert body["max_completion_tokens"] == 50


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ('{"tool": "python", "thou', "not valid JSON"),
        ({"tool": "shell", "thought": ""}, "'shell' is not one of"),
        ({"tool": "python"}, "'thought' is a required property"),
        ("[1, 2]", "not an object"),
        ("", "empty"),
        ("  \n", "empty"),
        (Reply(refusal="I can't help with that."), "refusal"),
        (Reply(content='{"tool": "py', finish_reason="length"), "cut off"),
        (Reply(content="", finish_reason="content_filter"), "content filter"),
    ],
)
async def test_an_unusable_answer_is_asked_for_again(asker, bad: Any, said: str):
    async with openai_server([bad, GOOD]) as server:
        mine = await asker(server)
        assert await ask_json(mine) == GOOD
    first, second = server.requests
    assert (first["temperature"], second["temperature"]) == (0.0, 0.4)
    assert said in last_text(second)
    # What stood before stays as it was, so that the server's prefix cache holds.
    assert second["messages"][:-1] == first["messages"][:-1]
    assert last_text(second).startswith(last_text(first))
    assert mine.usage["model_calls"] == 2


@pytest.mark.parametrize("wrapped", ["```json\n{}\n```", "Here it is: {} Good luck!"])
async def test_json_is_found_between_words(asker, wrapped: str):
    async with openai_server([wrapped.replace("{}", json.dumps(GOOD))]) as server:
        assert await ask_json(await asker(server)) == GOOD


async def test_only_bad_answers_end_in_an_error_that_says_so(asker):
    async with openai_server(["", "nonsense", '{"tool": 1}', GOOD]) as server:
        mine = await asker(server)
        with pytest.raises(ModelAnswerError) as caught:
            await ask_json(mine)
    assert len(server.requests) == 3
    assert [body["temperature"] for body in server.requests] == [0.0, 0.4, 0.8]
    assert "scripted" in caught.value.what
    assert "3 attempts" in caught.value.what
    assert "does not fit the schema" in caught.value.what
    assert "resumed" in caught.value.todo
    assert mine.usage["model_calls"] == 3


async def test_text_comes_without_thinking(asker):
    async with openai_server(["<think>\nhm\n</think>\n\nHello."]) as server:
        assert await (await asker(server)).text(ASK, max_tokens=9) == "Hello."


async def test_empty_text_is_asked_for_again_and_truncation_is_told(asker):
    async with openai_server(["", Reply(content="Once upon", finish_reason="length")]) as server:
        mine = await asker(server)
        assert await mine.text(ASK, max_tokens=9, temperature=0.7) == "Once upon"
    assert mine.truncated
    assert [body["temperature"] for body in server.requests] == [0.7, 0.7]


async def test_a_note_after_an_assistant_message_is_a_message_of_its_own(asker):
    async with openai_server(["", "fine"]) as server:
        await (await asker(server)).text([*ASK, AIMessage("So:")], max_tokens=9)
    assert server.requests[1]["messages"][-1]["role"] == "user"
    assert server.requests[1]["messages"][:-1] == server.requests[0]["messages"]


async def test_a_tool_call(asker):
    async with openai_server([Reply(tool_calls=[("read_file", {"path": "a.txt"})])]) as server:
        called = await (await asker(server)).tool_call(ASK, TOOLS, max_tokens=50)
    assert called == ("read_file", {"path": "a.txt"})
    assert server.requests[0]["tools"] == TOOLS
    assert server.requests[0]["tool_choice"] == "required"


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("I would read a.txt.", "no tool call"),
        ("", "empty"),
        (Reply(refusal="I can't."), "refusal"),
        (Reply(content="Well, I", finish_reason="length"), "cut off before a tool call"),
        ('{"name": "read_file", "arguments": "a.txt"}', "no tool call"),
        ('{"name": "rm", "arguments": {}}', "there is no tool 'rm'"),
        (Reply(tool_calls=[("rm", {})]), "there is no tool 'rm'; there are: read_file"),
        (Reply(tool_calls=[("read_file", {"file": "a"})]), "do not fit"),
        (Reply(tool_calls=[("read_file", '{"path": "a')]), "not valid JSON"),
    ],
)
async def test_an_unusable_tool_call_is_asked_for_again(asker, bad: Any, said: str):
    good = Reply(tool_calls=[("read_file", {"path": "a.txt"})])
    async with openai_server([bad, good]) as server:
        called = await (await asker(server)).tool_call(ASK, TOOLS, max_tokens=50)
    assert called == ("read_file", {"path": "a.txt"})
    assert said in last_text(server.requests[1])


async def test_a_tool_call_written_out_as_text_is_taken(asker):
    text = '```json\n{"name": "read_file", "arguments": {"path": "a.txt"}}\n```\n\nAnd then'
    async with openai_server([Reply(content=text, finish_reason="length")]) as server:
        called = await (await asker(server)).tool_call(ASK, TOOLS, max_tokens=50)
    assert called == ("read_file", {"path": "a.txt"})


async def test_usage_is_what_the_server_counts(asker):
    async with openai_server(["one two three", "four"]) as server:
        mine = await asker(server)
        await mine.text(ASK, max_tokens=9)
        await mine.text(ASK, max_tokens=9)
    asked = 2 * (4 + 4)
    assert mine.usage["model_calls"] == 2
    assert (mine.usage["input_tokens"], mine.usage["output_tokens"]) == (asked, 4)
    assert mine.usage["model_seconds"] > 0
    assert mine.usage.get("cost_usd") is None


async def test_cost_is_counted_for_a_model_with_a_price(asker):
    async with openai_server(["one two three"], models=["scripted", "gpt-4.1"]) as server:
        await asker(server)
        mine = Asker(await open_chat_model("gpt-4.1"))
        await mine.text(ASK, max_tokens=9)
    assert mine.usage["cost_usd"] == pytest.approx((8 * 2.0 + 3 * 8.0) / 1e6)


async def test_usage_is_counted_when_the_answer_is_streamed(asker):
    async with openai_server([GOOD]) as server:
        mine = await asker(server)
        mine.chat.client = mine.chat.client.model_copy(update={"streaming": True})
        assert await ask_json(mine) == GOOD
    assert server.requests[0]["stream"] is True
    assert mine.usage["input_tokens"] == 8
    assert mine.usage["output_tokens"] == 4


async def test_a_rate_limit_is_waited_out_as_the_server_says(asker):
    limited = Reply(status=429, content="slow down", headers={"Retry-After": "1"})
    async with openai_server([limited, "fine"]) as server:
        started = time.monotonic()
        assert await (await asker(server)).text(ASK, max_tokens=9) == "fine"
        assert time.monotonic() - started >= 1
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("reply", "error", "said"),
    [
        (Reply(status=500, content="on fire"), ModelUnavailableError, r"failed \(500\): .*on fire"),
        (Reply(status=403, content="no"), ModelUnavailableError, "refuses the key"),
        (Reply(status=400, content="too long"), ModelAnswerError, r"\(400\): .*too long"),
        (Reply(raw="<html>login</html>"), ModelUnavailableError, "does not follow OpenAI's"),
        (Reply(raw="{}"), ModelUnavailableError, "does not follow OpenAI's"),
    ],
)
async def test_a_server_that_fails_gives_one_clear_error(asker, reply, error, said: str):
    async with openai_server([reply, reply]) as server:
        with pytest.raises(error, match=said) as caught:
            await (await asker(server)).text(ASK, max_tokens=9)
    assert "\n" not in str(caught.value)


async def test_a_lasting_rate_limit_is_reported_without_keys(asker):
    content = "over quota for sk-proj-abcdef123456"
    limited = Reply(status=429, content=content, headers={"Retry-After": "0.01"})
    async with openai_server([limited, limited]) as server:
        with pytest.raises(ModelUnavailableError, match=r"429.*over quota") as caught:
            await (await asker(server)).text(ASK, max_tokens=9)
    assert "abcdef" not in str(caught.value)


async def test_a_wrong_key_is_not_repeated_in_the_error(asker):
    async with openai_server(["never"]) as server:
        with pytest.raises(ModelUnavailableError, match="refuses the key") as caught:
            await (await asker(server, key="secret-wrong-key")).text(ASK, max_tokens=9)
    assert "secret-wrong-key" not in str(caught.value)


async def test_an_unknown_model_is_named(asker):
    async with openai_server(["never"], models=["other"]) as server:
        with pytest.raises(ModelUnavailableError, match="no model scripted"):
            await (await asker(server)).text(ASK, max_tokens=9)


async def test_nobody_listening(asker):
    async with openai_server([]) as server:
        mine = await asker(server)
    with pytest.raises(ModelUnavailableError, match=r"reached at http://127\.0\.0\.1"):
        await mine.text(ASK, max_tokens=9)


async def test_the_time_of_an_asker_is_limited(asker):
    async with openai_server(["quick", Reply(content="late", delay=30)]) as server:
        mine = await asker(server, seconds=0.8)
        await mine.text(ASK, max_tokens=9)
        started = time.monotonic()
        with pytest.raises(ModelUnavailableError, match="did not answer in time"):
            await mine.text(ASK, max_tokens=9)
        assert time.monotonic() - started < 2
    assert 0.5 < mine.usage["model_seconds"] < 2
    assert mine.usage["model_calls"] == 1


async def test_cancelling_is_not_turned_into_an_error(asker):
    async with openai_server([Reply(content="late", delay=30)]) as server:
        mine = await asker(server)
        task = asyncio.create_task(mine.text(ASK, max_tokens=9))
        await asyncio.sleep(0.3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_a_refused_parameter_is_left_out_from_then_on(asker):
    def picky(body: dict[str, Any]) -> Any:
        if "temperature" in body:
            return Reply(status=400, content="Unsupported value: 'temperature' must be 1.")
        if "response_format" in body:
            return Reply(status=400, content="response_format is not supported")
        return GOOD

    async with openai_server(picky) as server:
        mine = await asker(server)
        assert await ask_json(mine) == GOOD
        assert "'write_file'" in last_text(server.requests[-1])  # the schema, in words
        assert len(server.requests) == 3
        assert await ask_json(mine) == GOOD
        assert len(server.requests) == 4
    assert mine.usage["model_calls"] == 2


async def test_a_reasoning_model_gets_room_to_think_and_no_temperature(asker):
    tool = Reply(tool_calls=[("read_file", {"path": "a"})])
    async with openai_server(["fine", tool], models=["scripted", "gpt-6-luna"]) as server:
        await asker(server)
        mine = Asker(await open_chat_model("gpt-6-luna"))
        await mine.text(ASK, max_tokens=100)
        await mine.tool_call(ASK, TOOLS, max_tokens=100)
    text, call = server.requests
    assert "temperature" not in text
    assert text["max_completion_tokens"] > 1000
    assert text["reasoning_effort"] == "low"
    assert call["reasoning_effort"] == "none"
    assert "messages" in call


async def test_nothing_blocks_the_event_loop(asker):
    from blockbuster import blockbuster_ctx

    async with openai_server([GOOD, "fine"]) as server:
        mine = await asker(server)
        with blockbuster_ctx():
            assert await ask_json(mine) == GOOD
            assert await mine.text(ASK, max_tokens=9) == "fine"
