"""The real embedded model, loaded once for all tests here; and a process that uses it and ends."""

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest
from langchain_core.messages import HumanMessage, SystemMessage

from replan.models import local_server
from replan.models.asking import Asker
from replan.models.chat import ChatModel, open_chat_model
from replan.state.errors import ModelUnavailableError
from replan.state.settings import settings

pytestmark = [pytest.mark.embedded_model, pytest.mark.timeout(600)]

RULES = "You choose the next step. " + "Name files plainly and keep them in order. " * 11
SCHEMA = {
    "type": "object",
    "properties": {
        "thought": {"type": "string", "maxLength": 60},
        "tool": {"enum": ["run_python", "write_file"]},
    },
    "required": ["thought", "tool"],
    "additionalProperties": False,
}


@pytest.fixture(autouse=True)
def shared_cache(monkeypatch: pytest.MonkeyPatch):
    """The user's cache folder, where the weights are or will be, and keys that must not be sent."""
    monkeypatch.delenv("REPLAN_CACHE")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-must-not-be-sent")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    settings.cache_clear()


@pytest.fixture
async def embedded() -> ChatModel:
    return await open_chat_model("embedded")


async def test_it_answers_by_schema_and_keeps_the_prefix(embedded: ChatModel, capfd):
    async def choose(goal: str) -> Asker:
        asker = Asker(embedded)
        messages = [SystemMessage(RULES), HumanMessage(goal)]
        choice = await asker.json(messages, SCHEMA, name="choice", max_tokens=60)
        assert choice["tool"] in ("run_python", "write_file")
        return asker

    first = await choose("Count the words of a.txt.")
    assert first.usage["model_calls"] == 1
    assert first.usage["input_tokens"] > 100
    assert 0 < first.usage["output_tokens"] <= 60
    assert first.usage["cost_usd"] == 0.0
    answer = await embedded.client.ainvoke(
        [SystemMessage(RULES), HumanMessage("Write b.txt.")], max_tokens=2
    )
    assert answer.usage_metadata is not None
    assert answer.usage_metadata["input_token_details"]["cache_read"] > 100
    assert capfd.readouterr() == ("", "")


async def test_it_is_open_to_this_process_only(embedded: ChatModel):
    assert embedded.base_url.startswith("http://127.0.0.1:")
    async with httpx2.AsyncClient(trust_env=False) as client:
        for headers in ({}, {"Authorization": "Bearer sk-must-not-be-sent"}):
            answer = await client.post(
                f"{embedded.base_url}/chat/completions", json={"messages": []}, headers=headers
            )
            assert answer.status_code == 401
    assert embedded.client.openai_api_key.get_secret_value() != "sk-must-not-be-sent"


async def test_two_openings_load_it_once(embedded: ChatModel):
    both = await asyncio.gather(open_chat_model("embedded"), open_chat_model("embedded"))
    assert both[0] is embedded
    assert both[1] is embedded


def test_weights_that_are_none_give_an_error_and_no_output(tmp_path: Path, capfd):
    wrong = tmp_path / "wrong.gguf"
    wrong.write_bytes(b"GGUF, or so it says")
    with pytest.raises(ModelUnavailableError, match=r"cannot load .*wrong\.gguf"):
        local_server._load(wrong, "key")
    assert capfd.readouterr() == ("", "")


def test_a_process_ends_quickly_and_silently_while_an_answer_is_made(tmp_path: Path):
    script = tmp_path / "leave.py"
    script.write_text(
        "import asyncio, sys, time\n"
        "from langchain_core.messages import HumanMessage\n"
        "from replan.models.asking import Asker\n"
        "from replan.models.chat import open_chat_model\n"
        "async def main():\n"
        "    asker = Asker(await open_chat_model('embedded'))\n"
        "    ask = asker.text([HumanMessage('Count from 1 to 900.')], max_tokens=3000)\n"
        "    await asyncio.wait([asyncio.create_task(ask)], timeout=2)\n"
        "    print(time.time())\n"
        "    sys.exit(7)\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, env=dict(os.environ), timeout=300
    )
    seconds = time.time() - float(done.stdout)
    assert done.returncode == 7
    assert done.stderr == ""
    assert seconds < 10
