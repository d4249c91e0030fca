"""A run that acts by code: its calls are a run's calls, each made once whatever interrupts it."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from langgraph.types import Command
from replay_again import again
from scripted_agent import ScriptedAgent

from replan.graphs import recording
from replan.graphs.build import build_agent
from replan.state.task import Observation
from replan.storage.journal import OF_CODE, Entry, Journal
from replan.storage.revisions import Revisions
from replan.tools.protocol import CallContext, schema

GOAL = "Write the word hello to hello.txt"
WRITE = "write_file('hello.txt', 'hello')"


class Ticket:
    """Must not be called twice for the same: neither repeatable nor able to find out."""

    name = "ticket"
    description = "opens a ticket"
    parameters = schema(["title"], title={"type": "string"})
    content = None
    content_language = ""
    subject = "title"

    def __init__(self, leaves: bool = False) -> None:
        self.leaves = leaves
        self.opened: list[str] = []
        self.folders: list[list[str]] = []

    def unavailable(self) -> str:
        return ""

    async def call(self, args: dict[str, Any], context: CallContext) -> Observation:
        self.opened.append(args["title"])
        name = f"{args['title']}.txt"
        await context.workspace.write_text(name, f"opened as {len(self.opened)}")
        return Observation(ok=True, text=f"ticket {args['title']}")


class Gate:
    """Holds the code up until it is opened."""

    name = "gate"
    description = "waits"
    parameters = schema()
    content = None
    content_language = ""
    reads_only = True
    repeatable = True

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.open = False

    def unavailable(self) -> str:
        return ""

    async def call(self, args: dict[str, Any], context: CallContext) -> Observation:
        self.reached.set()
        if not self.open:
            await asyncio.sleep(60)
        return Observation(ok=True, text="open")


def with_tools(agent: Any, *tools: Any) -> None:
    agent.graph = build_agent(checkpointer=agent.kept.saver, store=agent.kept.store, tools=tools)


async def entries(agent: Any) -> list[Entry]:
    return await Journal(Revisions(agent.kept.pool)).of_thread(agent.thread)


async def interrupted(agent: Any, gate: Gate) -> None:
    """Run until the code waits at the gate, then stop as Ctrl-C does; what goes on is another
    process, which knows nothing of this one.
    """
    run = asyncio.create_task(agent.run(GOAL, select_tool="code"))
    await asyncio.wait_for(gate.reached.wait(), 30)
    run.cancel()
    with suppress(asyncio.CancelledError):
        await run
    recording._NOTED.clear()
    assert (await agent.graph.aget_state(agent.config)).next == ("execute",)


async def test_a_goal_is_done_by_code(start_agent) -> None:
    code = f"for n in range(3):\n    write_file(f'{{n}}.txt', str(n))\n{WRITE}"
    async with start_agent(ScriptedAgent([], codes=[code])) as agent:
        result = await agent.run(GOAL, select_tool="code")
        assert result["status"] == "done"
        assert agent.read("hello.txt") == "hello"
        assert result["usage"]["steps"] == 5  # the code's own calls are steps too
        [task] = await agent.tasks()
        [attempt] = task["attempts"]
        assert attempt["action"]["tool"] == "code_action"
        assert attempt["observation"]["calls"] == 4
        made = [one for one in await entries(agent) if one.role == OF_CODE]
        assert [(one.name, one.outcome, one.number) for one in made] == [
            ("write_file", "ok", number) for number in range(4)
        ]
        [outer] = [one for one in await entries(agent) if one.name == "code_action"]
        assert {one.place.execution for one in made} == {outer.call_id}
        # Each left a revision of its own.
        assert len({one.left for one in made}) == 4


async def test_what_failed_is_told_and_the_next_script_mends_it(start_agent) -> None:
    model = ScriptedAgent([], codes=["read_file('none.txt')\nprint(1)", WRITE])
    async with start_agent(model) as agent:
        assert (await agent.run(GOAL, select_tool="code"))["status"] == "done"
        [task] = await agent.tasks()
        failed, made = task["attempts"]
        assert "ToolError: none.txt does not exist" in failed["observation"]["error"]
        # One call and nothing else is that call.
        assert made["action"]["tool"] == "write_file"
        asked = [body for body in agent.server.requests if "response_format" not in body]
        told = asked[1]["messages"][-1]["content"]
        assert "none.txt does not exist" in told


async def test_a_replay_makes_none_of_its_calls(start_agent) -> None:
    code = f"read = write_file('a.txt', 'a')\n{WRITE}"
    async with start_agent(ScriptedAgent([], codes=[code])) as agent:
        assert (await agent.run(GOAL, select_tool="code"))["status"] == "done"
        done = await again(agent)
        assert done.divergence is None
        assert done.calls["tool"] == 1


async def test_after_an_interruption_calls_that_were_made_are_not_made_again(start_agent) -> None:
    ticket, gate = Ticket(), Gate()
    code = (
        "first = ticket('one')\n"
        "open('own.txt', 'w').write(first)\n"
        "write_file('tool.txt', open('one.txt').read())\n"
        "gate()\n"
        "second = ticket('two')\n"
        "open('hello.txt', 'w').write(f'{first}, {second}, {open(\"one.txt\").read()}')"
    )
    async with start_agent(ScriptedAgent([], codes=[code])) as agent:
        with_tools(agent, ticket, gate)
        await interrupted(agent, gate)
        assert ticket.opened == ["one"]
        gate.open = True
        # What somebody does to the files meanwhile is not what the code goes on from.
        (agent.workspace / "own.txt").unlink()
        (agent.workspace / "one.txt").write_text("spoilt")
        result = await agent.run(None, select_tool="code")
        assert result["status"] == "done"
        assert ticket.opened == ["one", "two"]
        assert agent.read("hello.txt") == "ticket one, ticket two, opened as 1"
        assert agent.read("own.txt") == "ticket one"
        assert agent.read("tool.txt") == "opened as 1"
        [task] = await agent.tasks()
        assert task["attempts"][-1]["observation"]["calls"] == 4
        assert (await again(agent, tools=[ticket, gate])).divergence is None
        assert ticket.opened == ["one", "two"]


async def test_code_that_calls_something_else_when_run_again_is_stopped(start_agent) -> None:
    ticket, gate = Ticket(), Gate()
    code = (
        "import time\nticket(f'at {time.time_ns()}')\ngate()\nopen('hello.txt', 'w').write('hello')"
    )
    async with start_agent(ScriptedAgent([], codes=[code, WRITE])) as agent:
        with_tools(agent, ticket, gate)
        await interrupted(agent, gate)
        gate.open = True
        assert (await agent.run(None, select_tool="code"))["status"] == "done"
        assert len(ticket.opened) == 1
        [task] = await agent.tasks()
        stopped = task["attempts"][0]["observation"]
        assert stopped["reason"] == "outcome unknown"
        assert (
            "after it had called ticket; run again, it called ticket in its place"
            in (stopped["error"])
        )


class Cut(Ticket):
    """Is interrupted in the middle of its call."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = asyncio.Event()

    async def call(self, args: dict[str, Any], context: CallContext) -> Observation:
        self.opened.append(args["title"])
        self.reached.set()
        await asyncio.sleep(60)
        return Observation(ok=True)


async def test_a_call_whose_end_was_not_seen_is_not_made_again_either(start_agent) -> None:
    ticket = Cut()
    code = "ticket('one')\nopen('hello.txt', 'w').write('hello')"
    async with start_agent(ScriptedAgent([], codes=[code, WRITE])) as agent:
        with_tools(agent, ticket)
        await interrupted(agent, ticket)  # type: ignore[arg-type]
        assert (await agent.run(None, select_tool="code"))["status"] == "done"
        assert ticket.opened == ["one"]
        [task] = await agent.tasks()
        assert (
            "it may or may not have had its effect" in task["attempts"][0]["observation"]["error"]
        )


async def test_a_person_is_asked_about_a_call_alone_and_not_within_code(start_agent) -> None:
    ticket = Ticket(leaves=True)
    codes = [f"print(ticket('a'))\n{WRITE}", "ticket('b')", WRITE]
    async with start_agent(ScriptedAgent([], codes=codes)) as agent:
        with_tools(agent, ticket)
        waiting = await agent.run(GOAL, select_tool="code")
        [question] = waiting["__interrupt__"]
        assert (question.value["tool"], question.value["args"]) == ("ticket", {"title": "b"})
        assert ticket.opened == []
        [task] = await agent.tasks()
        refused = task["attempts"][0]["observation"]
        assert "Give a script that is the call of ticket and nothing else." in refused["error"]
        result = await agent.graph.ainvoke(
            Command(resume={question.id: {"decision": "approve"}}),
            agent.config,
            context=agent.context(select_tool="code"),
            durability="sync",
        )
        assert result["status"] == "done"
        assert ticket.opened == ["b"]


@pytest.mark.parametrize(("steps", "opened"), [(3, 2), (1, 0)])
async def test_its_calls_count_against_the_steps(start_agent, steps: int, opened: int) -> None:
    ticket = Ticket()
    code = "for n in range(9):\n    ticket(str(n))"
    async with start_agent(ScriptedAgent([], codes=[code])) as agent:
        with_tools(agent, ticket)
        result = await agent.run(GOAL, select_tool="code", max_steps=steps)
    assert len(ticket.opened) == opened
    assert (result["status"], result["usage"]["steps"]) == ("stopped", steps)


@pytest.mark.parametrize("sandbox", ["bubblewrap", "landlock"])
async def test_in_either_sandbox(start_agent, sandbox: str, tmp_path: Path) -> None:
    async with start_agent(ScriptedAgent([], codes=[f"a = 1\n{WRITE}"])) as agent:
        result = await agent.run(GOAL, select_tool="code", sandbox=sandbox)
        assert result["status"] == "done"
