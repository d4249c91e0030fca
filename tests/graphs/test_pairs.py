"""Every role played by each implementation there is, one at a time: the run stays a valid one."""

from typing import Any

import pytest
from openai_server import Reply
from scripted_agent import Move, ScriptedAgent

from replan.nodes.registry import BUILT_IN, implementation, names

GOAL = "Write the word hello to hello.txt"
WRITE = Move("write_file", "hello", path="hello.txt")
PAIRS = [(role, name) for role in BUILT_IN for name in names(role)]


@pytest.mark.parametrize(("role", "name"), PAIRS)
async def test_any_role_can_be_swapped(start_agent, role: str, name: str) -> None:
    by_code = ["write_file(path='hello.txt', text='hello')"]
    scripted = ScriptedAgent([WRITE], report="It is written.", codes=by_code)

    def answer(body: dict[str, Any]) -> Any:
        if "tools" in body:  # the server's own tool calling
            return Reply(tool_calls=[("write_file", {"path": "hello.txt", "text": "hello"})])
        return scripted(body)

    async with start_agent(answer) as agent:
        (agent.workspace / "given.txt").write_text("left alone")
        values = await agent.run(GOAL, **{role: name})
        assert agent.read("given.txt") == "left alone"
        assert values["report"]
        if role == "execute" and getattr(implementation(role, name), "rehearses", False):
            assert values["status"] == "stopped"
            assert not (agent.workspace / "hello.txt").exists()
            assert "write_file path=hello.txt with:\nhello" in values["report"]
        else:
            assert (values["status"], agent.read("hello.txt")) == ("done", "hello")
        assert (await agent.graph.aget_state(agent.config)).next == ()
