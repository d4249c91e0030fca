"""Checkpoints: replay, fork, a second goal, a bigger graph, and what must never be in them."""

import json

from langgraph.graph import END, START, StateGraph
from scripted_agent import Move, ScriptedAgent
from typing_extensions import TypedDict

from replan.graphs.build import build_agent
from replan.state.context import Context

GOAL = "Write the word hello to hello.txt"
WRITE = Move("write_file", "hello", path="hello.txt")
TABLES = ("checkpoints", "checkpoint_blobs", "checkpoint_writes", "store", "replan_blobs")


async def test_a_replay_does_again_only_what_follows_its_checkpoint(start_agent) -> None:
    model = ScriptedAgent([WRITE])
    async with start_agent(model) as agent:
        await agent.run(GOAL)
        history = await agent.history()
        executing = next(step for step in history if step.next == ("execute",))
        (agent.workspace / "hello.txt").unlink()
        asked = len(model.asked)
        result = await agent.run(None, executing.config)
        assert result["status"] == "done"
        assert agent.read("hello.txt") == "hello"
        assert model.asked[asked:] == ["report"]
        assert result["usage"]["steps"] == 1
        assert len(await agent.history()) > len(history)


async def test_a_fork_goes_another_way_and_leaves_the_first_one(start_agent) -> None:
    model = ScriptedAgent([WRITE])
    async with start_agent(model) as agent:
        await agent.run(GOAL)
        history = await agent.history()
        planning = next(step for step in history if step.next == ("plan",))
        (agent.workspace / "hello.txt").unlink()  # As it was then: files are not brought back yet.
        fork = await agent.graph.aupdate_state(
            planning.config, {"constraints": ["in a whisper"]}, as_node="decompose"
        )
        result = await agent.run(None, fork)
        assert result["status"] == "done"
        assert "in a whisper" in json.dumps(agent.server.requests[-1]["messages"])
        assert (await agent.values())["constraints"] == ["in a whisper"]
        first = await agent.graph.aget_state(history[-1].config)
        assert not first.values.get("constraints")
        assert first.values["status"] == "done"


async def test_a_goal_that_is_met_already_does_not_fail(start_agent) -> None:
    """As after a crash behind the write, or in a replay: the call changes nothing any more."""
    async with start_agent(ScriptedAgent([WRITE])) as agent:
        await agent.run(GOAL)
        planning = next(step for step in await agent.history() if step.next == ("plan",))
        result = await agent.run(None, planning.config)
        assert result["status"] == "done"
        assert result["usage"]["steps"] == 1


async def test_a_second_goal_on_a_thread_starts_clean(start_agent) -> None:
    moves = [WRITE, Move("write_file", "bye", path="bye.txt")]
    async with start_agent(ScriptedAgent(moves)) as agent:
        first = await agent.run(GOAL)
        second = await agent.run("Write the word bye to bye.txt")
        assert second["status"] == "done"
        assert [artifact["path"] for artifact in second["artifacts"]] == ["bye.txt"]
        assert second["usage"]["steps"] == 1
        assert second["usage"]["model_calls"] <= first["usage"]["model_calls"] + 1
        [task] = await agent.tasks()
        assert task["writes"] == ["bye.txt"]
        assert "hello.txt" in (await agent.values())["survey"]


async def test_lessons_of_a_run_are_told_to_the_next_one(start_agent) -> None:
    goal = "Write the word grüezi to greeting.txt"
    write = Move("write_file", "grüezi", path="greeting.txt")
    astray = Move("python", "raise SystemExit('xyzzy is not a way')")
    async with start_agent(ScriptedAgent([astray, write])) as agent:
        assert (await agent.run(goal))["status"] == "done"
    async with start_agent(ScriptedAgent([write])) as agent:
        (agent.workspace / "greeting.txt").unlink()
        assert (await agent.run(goal))["status"] == "done"
        assert goal in str((await agent.values())["recalled"])
        assert "xyzzy" in json.dumps(agent.server.requests[0]["messages"])
    async with start_agent(ScriptedAgent([write])) as agent:
        (agent.workspace / "greeting.txt").unlink()
        assert (await agent.run(goal, recall="none"))["status"] == "done"
        assert (await agent.values())["recalled"] == []


class Bigger(TypedDict, total=False):
    goal: str
    status: str
    report: str
    praised: str


def praise(state: Bigger) -> Bigger:
    return {"praised": f"{state['status']}: {state['report']}"}


async def test_the_agent_is_a_node_of_a_bigger_graph(start_agent) -> None:
    async with start_agent(ScriptedAgent([WRITE], report="Written.")) as agent:
        bigger = StateGraph(Bigger, context_schema=Context)
        bigger.add_node("work", build_agent())
        bigger.add_node("praise", praise)
        bigger.add_edge(START, "work").add_edge("work", "praise").add_edge("praise", END)
        graph = bigger.compile(checkpointer=agent.kept.saver, store=agent.kept.store)
        result = await graph.ainvoke(
            Bigger(goal=GOAL), agent.config, context=agent.context(), durability="sync"
        )
        assert result["praised"] == "done: Written."
        assert agent.read("hello.txt") == "hello"


async def test_without_a_checkpointer_it_just_runs(start_agent) -> None:
    async with start_agent(ScriptedAgent([WRITE])) as agent:
        result = await build_agent().ainvoke({"goal": GOAL}, context=agent.context())
    assert result["status"] == "done"


async def test_no_secret_reaches_a_checkpoint_or_a_prompt(start_agent, monkeypatch) -> None:
    secrets = {
        "TAVILY_API_KEY": "tvly-hush-4711",
        "DATABASE_URL": "postgresql://me:hush-4712@db/mine",
        "AWS_SECRET_ACCESS_KEY": "hush-4713",
    }
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    script = (
        "import os\nprint(dict(os.environ))\nprint('seen: ' + os.environ['PATH'])\n"
        "open('hello.txt', 'w').write('hello')"
    )
    async with start_agent(ScriptedAgent([Move("python", script)])) as agent:
        assert (await agent.run(GOAL))["status"] == "done"
        async with agent.kept.pool.connection() as connection:
            kept = b""
            for table in TABLES:
                rows = await (await connection.execute(f"SELECT * FROM {table}")).fetchall()
                assert rows
                kept += b"\n".join(
                    bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
                    for row in rows
                    for value in row.values()
                )
        sent = json.dumps([body["messages"] for body in agent.server.requests]).encode()
    assert b"seen: /" in kept  # The script's output is there, and the dump would show a key.
    for secret in ("sk-scripted", "hush-4711", "hush-4712", "hush-4713"):
        assert secret.encode() not in kept
        assert secret.encode() not in sent
