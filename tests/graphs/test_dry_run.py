"""Dry runs: what would be done is told, nothing is done, and it can be done in earnest later."""

from typing import Any

from scripted_agent import Move, ScriptedAgent

from replan.graphs.rehearsal import in_earnest
from replan.state.task import Observation
from replan.tools.protocol import CallContext, schema

GOAL = "Write the word hello to hello.txt and to bye.txt"
TASKS = [
    {"title": "Write hello.txt", "writes": ["hello.txt"]},
    {"title": "Write bye.txt", "writes": ["bye.txt"]},
]
USES = {"hello.txt": "create", "bye.txt": "create"}
WRITES = [
    Move("write_file", "hello", path="hello.txt"),
    Move("python", "open('bye.txt', 'w').write('hello')"),
]


def writer(moves: list[Move] = WRITES) -> ScriptedAgent:
    return ScriptedAgent(moves, tasks=TASKS, uses=USES)


async def test_every_task_is_told_of_and_nothing_is_changed_nor_learned(start_agent) -> None:
    async with start_agent(writer()) as agent:
        (agent.workspace / "given.txt").write_text("given")
        values = await agent.run(GOAL, execute="dry_run")
        assert values["status"] == "stopped"
        assert [path.name for path in agent.workspace.iterdir()] == ["given.txt"]
        assert "It was a dry run: nothing was changed." in values["report"]
        assert "--set execute=direct" in values["report"]
        assert "write_file path=hello.txt with:\nhello" in values["report"]
        assert "open('bye.txt', 'w')" in values["report"]
        assert values["report"].count("not done, only told of") == 2
        assert values["artifacts"] == []
        assert values["memories"]["learned"] == []


async def test_resumed_in_earnest_it_is_done(start_agent) -> None:
    async with start_agent(writer([*WRITES, *WRITES])) as agent:
        await agent.run(GOAL, execute="dry_run")
        tasks = in_earnest((await agent.values())["tasks"])
        # As the command's resume has it.
        await agent.graph.aupdate_state(
            agent.config, {"status": "", "report": "", "tasks": tasks}, as_node="reflect"
        )
        values = await agent.run(None, execute="direct")
        assert values["status"] == "done"
        assert (agent.read("hello.txt"), agent.read("bye.txt")) == ("hello", "hello")


class Announce:
    """A tool that reaches beyond the workspace, and counts its calls."""

    name = "announce"
    description = "tell everybody"
    parameters = schema(["text"], text={"type": "string"})
    content = None
    content_language = ""
    leaves = True

    def __init__(self) -> None:
        self.calls = 0

    def unavailable(self) -> str:
        return ""

    async def call(self, args: dict[str, Any], context: CallContext) -> Observation:
        self.calls += 1
        return Observation(ok=True, text="told")


async def test_nobody_is_asked_about_a_call_that_is_not_made(start_agent, monkeypatch) -> None:
    tool = Announce()
    monkeypatch.setattr("replan.graphs.means.default_tools", lambda documents: [tool])
    async with start_agent(ScriptedAgent([Move("announce", text="hello")])) as agent:
        values = await agent.run("Tell everybody hello", execute="dry_run", decompose="none")
        assert (values["status"], tool.calls) == ("stopped", 0)
        assert "It would call announce text=hello. A person would be asked" in values["report"]
