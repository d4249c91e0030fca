"""The graph's state carries the files: each checkpoint can be brought back."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from scripted_agent import Move, ScriptedAgent

from replan.graphs.build import build_agent
from replan.nodes.contract import ReviewRequest, ReviewResult, Use
from replan.nodes.review.checks import ReviewByChecks
from replan.state.agent_state import later_revision
from replan.state.errors import WorkspaceError
from replan.storage.restore import restore
from replan.storage.revisions import Revisions

GOAL = "Write the word hello to hello.txt"
WRITE = Move("write_file", "hello", path="hello.txt")


@pytest.mark.parametrize(
    ("known", "new", "later"),
    [
        (None, None, ""),
        ("", "7", "7"),
        ("7", "", "7"),
        ("9", "10", "10"),
        ("10", "9", "10"),
        ("10", "nonsense", "10"),
        ("nonsense", "1", "1"),
        ("3", "9" * 5000, "3"),
    ],
)
def test_of_two_revisions_the_later_one_stays(known: str, new: str, later: str) -> None:
    assert later_revision(known, new) == later


async def files_at(agent, revision: str, folder: Path) -> dict[str, str]:
    """What a restore of the revision writes into an empty folder."""
    await restore(Revisions(agent.kept.pool), revision, folder)
    return texts_in(folder)


def texts_in(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text().strip() for path in folder.iterdir()}


async def test_every_step_has_its_files(start_agent, tmp_path: Path) -> None:
    astray = Move("python", "open('other.txt', 'w').write('astray')")
    async with start_agent(ScriptedAgent([astray, WRITE])) as agent:
        (agent.workspace / "given.txt").write_text("given")
        assert (await agent.run(GOAL))["status"] == "done"
        assert sorted(path.name for path in agent.workspace.iterdir()) == [
            "given.txt", "hello.txt", "other.txt",
        ]  # fmt: skip
        seen: dict[str, str] = {}
        for step in await agent.history():
            if step.values.get("revision"):
                seen.setdefault(step.next[0] if step.next else "end", step.values["revision"])
        steps = [seen["decompose"], seen["reflect"], seen["end"]]
        assert len(set(steps)) == 3
        found = [await files_at(agent, one, tmp_path / one) for one in steps]
        rows = await Revisions(agent.kept.pool).of_thread(agent.thread)
    assert found == [
        {"given.txt": "given"},
        {"given.txt": "given", "other.txt": "astray"},  # The call that led nowhere left this.
        {"given.txt": "given", "other.txt": "astray", "hello.txt": "hello"},
    ]
    assert [row.revision for row in rows] == steps[::-1]


def files_in(folder: Path) -> dict[str, str]:
    return {file.name: file.read_text().strip() for file in folder.iterdir()}


async def test_two_tasks_side_by_side_lose_nothing(start_agent, tmp_path: Path) -> None:
    tasks = [
        {"title": "ALPHA: one to a.txt", "writes": ["a.txt"]},
        {"title": "BETA: two to b.txt", "writes": ["b.txt"]},
    ]
    script = (
        "import time\nfile = open('a.txt', 'w')\nfile.write('half')\nfile.flush()\n"
        "time.sleep(0.5)\nfile.write(' and half')\nfile.close()"
    )

    def move(prompt: str) -> Move:
        if "ALPHA" in prompt:
            return Move("python", script)
        return Move("write_file", "two", path="b.txt")

    async with start_agent(ScriptedAgent(move, tasks=tasks)) as agent:
        result = await agent.run("Write one to a.txt and two to b.txt", plan="dag")
        assert (result["status"], result["usage"]["steps"]) == ("done", 2)
        history = await agent.history()
        [executed] = [step for step in history if step.next == ("reflect", "reflect")]
        rows = await Revisions(agent.kept.pool).of_thread(agent.thread)
        apart = {
            name: await files_at(agent, copy["revision"], tmp_path / f"of-{name}")
            for name, copy in executed.values["copies"].items()
        }
        merged = await files_at(agent, history[-1].values["revision"], tmp_path / "merged")
        each = [await files_at(agent, row.revision, tmp_path / row.revision) for row in rows]
    assert merged == {"a.txt": "half and half", "b.txt": "two"}
    # Until they are joined, each is in its own copy.
    assert apart == {"t1": {"a.txt": "half and half"}, "t2": {"b.txt": "two"}}
    # No revision holds what a call that was still at work had written so far.
    assert "half" not in [text for files in each for text in files.values()]


async def test_a_branch_gets_the_files_of_its_checkpoint_and_a_later_revision(start_agent) -> None:
    async with start_agent(ScriptedAgent([WRITE])) as agent:
        await agent.run(GOAL)
        first = (await agent.values())["revision"]
        planning = next(step for step in await agent.history() if step.next == ("plan",))
        (agent.workspace / "more.txt").write_text("by the user, meanwhile")
        result = await agent.run(None, planning.config)
        values = await agent.values()
        revisions = Revisions(agent.kept.pool)
        kept = await revisions.load(values["revision"])
    assert result["status"] == "done"
    assert int(values["revision"]) > int(first)
    assert sorted(kept.manifest) == ["hello.txt"]
    assert values["workspace"] == kept.workspace != str(agent.workspace)
    assert files_in(Path(values["workspace"])) == {"hello.txt": "hello"}
    assert files_in(agent.workspace) == {"hello.txt": "hello", "more.txt": "by the user, meanwhile"}


async def test_a_file_too_large_is_said_in_the_observation(start_agent) -> None:
    script = "open('hello.txt', 'w').write('hello')\nopen('big.bin', 'wb').write(b'x' * 2_000_000)"
    async with start_agent(ScriptedAgent([Move("python", script)])) as agent:
        result = await agent.run(GOAL, revision_file_mb=1)
        assert result["status"] == "done"
        [task] = await agent.tasks()
        kept = await Revisions(agent.kept.pool).load((await agent.values())["revision"])
    said = task["attempts"][0]["observation"]["text"]
    assert "big.bin (2.0 MB; 1 MB are the most)" in said
    assert list(kept.manifest) == ["hello.txt"]
    assert list(kept.left_out) == ["big.bin"]


async def test_a_file_too_large_from_the_start_is_said_once(start_agent) -> None:
    model = ScriptedAgent([WRITE])
    async with start_agent(model) as agent:
        (agent.workspace / "big.bin").write_bytes(b"x" * 2_000_000)
        told = []
        async for event in agent.graph.astream(
            {"goal": GOAL}, agent.config, context=agent.context(revision_file_mb=1),
            stream_mode="custom",
        ):  # fmt: skip
            told.append(event)
        notes = [event["what"] for event in told if event["event"] == "note"]
        survey = (await agent.values())["survey"]
    note = "Not in the workspace's revisions, so not to be restored: big.bin (2.0 MB; 1 MB"
    assert [line.startswith(note) for line in notes] == [True]
    assert survey.splitlines()[-1] == notes[0]


async def test_a_workspace_removed_behind_the_last_verdict_is_not_done(start_agent) -> None:
    """Only the report is left to be made."""

    class Removing:
        async def __call__(self, request: ReviewRequest, use: Use) -> ReviewResult:
            result = await ReviewByChecks()(request, use)
            if result.decision == "done":
                shutil.rmtree(agents[0].workspace)
            return result

    agents: list[Any] = []
    async with start_agent(ScriptedAgent([WRITE]), {"review": Removing()}) as agent:
        agents.append(agent)
        with pytest.raises(WorkspaceError, match="is gone"):
            await agent.run(GOAL)
        assert (await agent.graph.aget_state(agent.config)).next == ("report",)


async def test_a_workspace_removed_in_the_middle_stops_the_run_resumably(
    start_agent, tmp_path: Path
) -> None:
    """Without the stop, the agent writes hello.txt into a new, empty folder and is content."""
    astray = Move("python", "open('other.txt', 'w').write('astray')")
    agents = []

    def move(prompt: str) -> Move:
        if "other.txt" not in prompt:
            return astray
        if not (agents[0].workspace.parent / "resumed").exists():
            shutil.rmtree(agents[0].workspace)
        return WRITE

    async with start_agent(ScriptedAgent(move)) as agent:
        agents.append(agent)
        with pytest.raises(WorkspaceError, match=r"is gone.*replan resume") as raised:
            await agent.run(GOAL)
        assert "\n" not in str(raised.value)
        state = await agent.graph.aget_state(agent.config)
        assert state.next == ("execute",)
        (tmp_path / "resumed").touch()
        with pytest.raises(WorkspaceError):
            await agent.run(None)
        assert not agent.workspace.exists()
        revision = state.values["revision"]
        await restore(Revisions(agent.kept.pool), revision, agent.workspace, revision)
        assert agent.read("other.txt") == "astray"
        assert (await agent.run(None))["status"] == "done"
        assert agent.read("hello.txt") == "hello"


async def test_without_a_store_it_runs_without_revisions(start_agent) -> None:
    async with start_agent(ScriptedAgent([WRITE])) as agent:
        graph = build_agent(checkpointer=agent.kept.saver)
        result = await graph.ainvoke({"goal": GOAL}, agent.config, context=agent.context())
        assert result["status"] == "done"
        assert (await agent.values())["revision"] == ""
        assert await Revisions(agent.kept.pool).of_thread(agent.thread) == []
