"""`replan fork`: another branch, with the files as they were, beside the one that was."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openai_server import OpenAIServer, openai_server_in_thread
from scripted_agent import Move, ScriptedAgent

from replan.graphs.build import build_agent
from replan.storage.database import Database
from replan.storage.persistence import open_persistence
from replan.storage.thread_lock import thread_lock

KEY = "sk-scripted-0123456789"
GOAL = "Write the word hello to hello.txt"
UNKNOWN = "1f000000-0000-6000-8000-000000000000"


def move(prompt: str) -> Move:
    return Move("write_file", "bye" if "LOUDLY" in prompt else "hello", path="hello.txt")


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with openai_server_in_thread(ScriptedAgent(move), key=KEY) as server:
        yield server


@pytest.fixture
def done(inside, workspace: str, thread: str, server: OpenAIServer) -> str:
    """A thread whose run wrote hello.txt beside the given given.txt."""
    Path(workspace, "given.txt").write_text("given")
    ran = inside("run", GOAL, "--workspace", workspace, "--thread", thread,
                 "--json", OPENAI_BASE_URL=server.url)  # fmt: skip
    assert ran.result["status"] == "done"
    return thread


def history(database: Database, thread: str) -> list[Any]:
    """The thread's checkpoints, the latest first."""

    async def read() -> list[Any]:
        async with open_persistence(database) as kept:
            graph = build_agent(checkpointer=kept.saver, store=kept.store)
            config: Any = {"configurable": {"thread_id": thread}}
            return [step async for step in graph.aget_state_history(config)]

    return asyncio.run(read())


def before(steps: list[Any], *nodes: str) -> str:
    """Id of the checkpoint that these nodes follow."""
    [found] = [step for step in steps if step.next == nodes]
    return str(found.config["configurable"]["checkpoint_id"])


def test_another_way_in_a_folder_of_its_own(
    inside, done: str, workspace: str, database: Database, server: OpenAIServer
) -> None:
    steps = history(database, done)
    Path(workspace, "hello.txt").write_text("changed since")
    said = inside("fork", done, before(steps, "plan"), "--state", 'constraints=["LOUDLY"]',
                  "--json", OPENAI_BASE_URL=server.url)  # fmt: skip
    assert (said.code, said.result["status"]) == (0, "done")
    branch = Path(said.result["workspace"])
    assert branch != Path(workspace)
    files = {file.name: file.read_text().strip() for file in branch.iterdir()}
    assert files == {"given.txt": "given", "hello.txt": "bye"}
    assert Path(workspace, "hello.txt").read_text() == "changed since"
    now = history(database, done)
    assert [step.config for step in steps] == [
        step.config for step in now if step.config in [old.config for old in steps]
    ]
    assert steps[0].values == next(one for one in now if one.config == steps[0].config).values


def test_in_the_middle_of_a_dispatched_task(
    inside, done: str, database: Database, server: OpenAIServer
) -> None:
    """What was chosen is carried out, without asking the model again."""
    asked = len(server.requests)
    said = inside("fork", done, before(history(database, done), "execute"),
                  "--json", OPENAI_BASE_URL=server.url)  # fmt: skip
    assert said.result["status"] == "done"
    assert Path(said.result["workspace"], "hello.txt").read_text().strip() == "hello"
    assert len(server.requests) == asked + 1  # the report


def test_another_goal_reaches_a_dispatched_task(
    inside, done: str, database: Database, server: OpenAIServer
) -> None:
    goal = "Write the word LOUDLY to hello.txt"
    said = inside("fork", done, before(history(database, done), "select_tool"), "--goal", goal,
                  "--json", OPENAI_BASE_URL=server.url)  # fmt: skip
    assert said.result["status"] == "done"
    assert Path(said.result["workspace"], "hello.txt").read_text().strip() == "bye"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((UNKNOWN,), f"has no checkpoint {UNKNOWN}"),
        (("nonsense",), "has no checkpoint 'nonsense'"),
        (("head",), "nothing follows the checkpoint"),
        (("ab",), "'ab' names no checkpoint"),
        (("HEAD",), "nothing follows the checkpoint"),
        (("PLAN", "--state", "tasks=three"), "the value of tasks does not fit"),
        (("PLAN", "--state", "replans=1.5"), "the value of replans does not fit"),
        (("PLAN", "--state", "speed=1"), "the state has no 'speed' to be set"),
        (("PLAN", "--state", "workspace=/tmp"), "the state has no 'workspace' to be set"),
        (("PLAN", "--state", "goal"), "--state takes CHANNEL=VALUE, not 'goal'"),
        (("PLAN", "--goal", " "), "the goal is empty"),
        (("PLAN", "--set", "plan=htn"), "no implementation 'htn'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_what_cannot_be_forked(
    inside, done: str, database: Database, server: OpenAIServer, args: tuple[str, ...], said: str
) -> None:
    steps = history(database, done)
    names = {
        "HEAD": steps[0].config["configurable"]["checkpoint_id"],
        "PLAN": before(steps, "plan"),
    }
    refused = inside("fork", done, *(names.get(arg, arg) for arg in args),
                     OPENAI_BASE_URL=server.url)  # fmt: skip
    assert refused.code == 2
    assert said in refused.complaint
    assert [step.config for step in history(database, done)] == [step.config for step in steps]


def test_an_unknown_thread_and_a_checkpoint_of_another(
    inside, done: str, database: Database, server: OpenAIServer
) -> None:
    checkpoint = before(history(database, done), "plan")
    refused = inside("fork", UNKNOWN, checkpoint, OPENAI_BASE_URL=server.url)
    assert (refused.code, f"there is no thread {UNKNOWN}" in refused.complaint) == (2, True)
    other = inside("run", GOAL, "--json", OPENAI_BASE_URL=server.url).result["thread_id"]
    refused = inside("fork", other, checkpoint, OPENAI_BASE_URL=server.url)
    assert (refused.code, f"has no checkpoint {checkpoint}" in refused.complaint) == (2, True)


def test_while_the_thread_runs(
    replan, inside, done: str, database: Database, server: OpenAIServer
) -> None:
    steps = history(database, done)

    async def meanwhile() -> Any:
        async with thread_lock(database, done):
            return await asyncio.to_thread(
                replan, "fork", done, before(steps, "plan"), OPENAI_BASE_URL=server.url
            )

    refused = asyncio.run(meanwhile())
    assert (refused.code, refused.out) == (2, "")
    assert "is running elsewhere" in refused.complaint
    assert [step.config for step in history(database, done)] == [step.config for step in steps]
