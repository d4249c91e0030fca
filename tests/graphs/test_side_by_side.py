"""Tasks side by side: each in its own copy of the workspace, and their files joined."""

import asyncio
import shutil
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from scripted_agent import Move
from told_tasks import GOAL, Apart, Told, again, files_in, moves, script, writing

from replan.graphs import joining
from replan.graphs.build import build_agent
from replan.graphs.copies import folder_of_copy
from replan.nodes.contract import ReviewRequest, ReviewResult, Use
from replan.state.task import Observation
from replan.storage.archive import Reader
from replan.storage.database import Database
from replan.storage.export import export_thread
from replan.storage.importing import import_thread, read_bundle
from replan.storage.prune import Wanted, prune
from replan.storage.restore import restore
from replan.storage.revisions import Revisions
from replan.tools.protocol import CallContext, schema


async def copies_at(agent: Any, nodes: tuple[str, ...]) -> dict[str, dict[str, str]]:
    """The files of each copy at the checkpoint that leads to these nodes, by branch."""
    [step] = [step for step in await agent.history() if step.next == nodes]
    revisions, found = Revisions(agent.kept.pool), {}
    for name, copy in step.values["copies"].items():
        folder = agent.workspace.parent / f"seen-{copy['revision']}"
        await restore(revisions, copy["revision"], folder)
        found[name] = files_in(folder)
    return found


async def test_each_has_its_own_copy_and_the_join_has_all(start_agent) -> None:
    told = Told(writing("ta", "a.txt"), writing("tb", "sub/b.txt"))
    model = moves(
        ta=script("open('a.txt', 'w').write('a')\nimport os\nos.remove('old.txt')"),
        tb=script("import os\nos.mkdir('sub')\nopen('sub/b.txt', 'w').write('b')"),
    )
    async with start_agent(model, told.roles) as agent:
        (agent.workspace / "old.txt").write_text("old")
        (agent.workspace / "given.txt").write_text("given")
        result = await agent.run(GOAL)
        assert (result["status"], result["usage"]["steps"]) == ("done", 2)
        apart = await copies_at(agent, ("reflect", "reflect"))
        values = await agent.values()
    given = {"given.txt": "given"}
    assert apart == {
        "ta": {**given, "a.txt": "a"},
        "tb": {**given, "old.txt": "old", "sub/b.txt": "b"},
    }
    assert files_in(agent.workspace) == {**given, "a.txt": "a", "sub/b.txt": "b"}
    assert values["copies"] == {}
    for name in ("ta", "tb"):
        assert not folder_of_copy(agent.workspace, agent.thread, name).exists()


class Meeting:
    """A tool whose calls wait for each other: one alone runs out of time."""

    name = "meet"
    description = "Meet the others, then write NAME.txt."
    parameters = schema(["name"], name={"type": "string", "minLength": 1})
    subject = "name"
    content = None
    content_language = ""

    def __init__(self, count: int) -> None:
        self.all_there = asyncio.Barrier(count)

    def unavailable(self) -> str:
        return ""

    async def call(self, args: dict[str, Any], context: CallContext) -> Observation:
        await self.all_there.wait()
        await context.workspace.write_text(f"{args['name']}.txt", args["name"])
        return Observation(ok=True, text="met")


async def test_the_calls_of_eight_tasks_are_made_at_the_same_time(start_agent) -> None:
    """How much sooner they are done is measured by `benchmarks/side_by_side.py`."""
    names = [f"t{letter}" for letter in "abcdefgh"]
    told = Told(*(writing(name, f"{name}.txt") for name in names))
    model = moves(**{name: Move("meet", name=name) for name in names})
    async with start_agent(model, told.roles) as agent:
        agent.graph = build_agent(
            told.roles,
            tools=[Meeting(len(names))],
            checkpointer=agent.kept.saver,
            store=agent.kept.store,
        )
        result = await agent.run(GOAL, max_parallel=8)
        assert (result["status"], result["usage"]["steps"]) == ("done", 8)
        assert files_in(agent.workspace) == {f"{name}.txt": name for name in names}


async def test_a_task_alone_works_in_the_workspace_itself(start_agent) -> None:
    told = Told(writing("ta", "a.txt"), writing("tb", "b.txt", depends_on=["ta"]))
    model = moves(
        ta=script("import os\nopen('a.txt', 'w').write(os.getcwd())"),
        tb=script("import os\nopen('b.txt', 'w').write(os.getcwd())"),
    )
    async with start_agent(model, told.roles) as agent:
        assert (await agent.run(GOAL))["status"] == "done"
        assert agent.read("a.txt") == agent.read("b.txt") == str(agent.workspace)
        rows = await Revisions(agent.kept.pool).of_thread(agent.thread)
    assert {row.workspace for row in rows} == {str(agent.workspace)}


async def test_different_changes_of_one_file_lead_to_a_new_plan_that_knows_both(
    start_agent,
) -> None:
    told = Told(
        writing("ta", "out.txt"),
        writing("tb", "out.txt"),
        then=(writing("tc", "both.txt"),),
    )
    kept = ".conflicts/tb/out.txt"
    model = moves(
        ta=script("open('out.txt', 'w').write('of a')"),
        tb=script("open('out.txt', 'w').write('of b')"),
        tc=script(f"texts = [open(path).read() for path in ('out.txt', {kept!r})]\n"
                  "open('both.txt', 'w').write(' and '.join(texts))"),
    )  # fmt: skip
    async with start_agent(model, told.roles) as agent:
        result = await agent.run(GOAL)
        tasks = {task["id"]: task for task in await agent.tasks()}
        assert agent.read("both.txt") == "of a and of b"
        [problem], [seen] = told.problems, told.seen
        done = await again(agent, told)
    assert result["status"] == "done"
    assert {name: task["status"] for name, task in tasks.items()} == {
        "ta": "done", "tb": "dropped", "tc": "done"
    }  # fmt: skip
    for part in ("out.txt was changed by ta", "by tb ('TB is to write')", kept):
        assert part in problem
    assert kept in seen
    assert done.divergence is None
    assert done.calls["join"] == 1


async def test_the_same_change_by_two_is_one(start_agent) -> None:
    told = Told(writing("ta", "out.txt"), writing("tb", "out.txt"))
    same = script("open('out.txt', 'w').write('the same')")
    async with start_agent(moves(ta=same, tb=same), told.roles) as agent:
        assert (await agent.run(GOAL))["status"] == "done"
        assert files_in(agent.workspace) == {"out.txt": "the same"}
    assert told.problems == []


async def test_changed_by_one_and_removed_by_the_other(start_agent) -> None:
    told = Told(writing("ta", "a.txt"), writing("tb", "b.txt"), then=(writing("tc", "c.txt"),))
    model = moves(
        ta=script("import os\nos.rename('data.txt', 'a.txt')"),
        tb=script("open('data.txt', 'a').write(' more')\nopen('b.txt', 'w').write('b')"),
        tc=Move("write_file", "c", path="c.txt"),
    )
    async with start_agent(model, told.roles) as agent:
        (agent.workspace / "data.txt").write_text("data")
        assert (await agent.run(GOAL))["status"] == "done"
        files = files_in(agent.workspace)
    # What is no conflict has come from both.
    assert files == {
        "a.txt": "data", "b.txt": "b", "c.txt": "c", ".conflicts/tb/data.txt": "data more"
    }  # fmt: skip
    assert "data.txt was changed by ta" in told.problems[0]


async def test_a_conflict_is_no_success_whoever_reviews(start_agent) -> None:
    class Content:
        async def __call__(self, request: ReviewRequest, use: Use) -> ReviewResult:
            return ReviewResult(decision="done", reason="all is well")

    told = Told(writing("ta", "out.txt"), writing("tb", "out.txt"))
    model = moves(
        ta=script("open('out.txt', 'w').write('of a')"),
        tb=script("open('out.txt', 'w').write('of b')"),
    )
    async with start_agent(model, {**told.roles, "review": Content()}) as agent:
        result = await agent.run(GOAL, max_replans=0)
        values = await agent.values()
    assert result["status"] == "failed"
    assert "out.txt was changed by ta" in values["reason"]


async def test_what_the_user_changes_meanwhile_stays(start_agent) -> None:
    agents: list[Any] = []
    told = Told(writing("ta", "out.txt"), writing("tb", "b.txt"), then=(writing("tc", "c.txt"),))

    def move(text: str) -> Move:
        if "TC is to" in text:
            return Move("write_file", "c", path="c.txt")
        if text.rfind("TA is to") > text.rfind("TB is to"):
            return script("open('out.txt', 'w').write('of a')")
        (agents[0].workspace / "out.txt").write_text("by the user")
        return Move("write_file", "b", path="b.txt")

    async with start_agent(Apart(move), told.roles) as agent:
        agents.append(agent)
        (agent.workspace / "out.txt").write_text("as it was")
        assert (await agent.run(GOAL))["status"] == "done"
        files = files_in(agent.workspace)
    if ".conflicts/ta/out.txt" in files:  # the copy was made before the user came
        assert (files["out.txt"], files[".conflicts/ta/out.txt"]) == ("by the user", "of a")
        assert "out.txt was changed by somebody else meanwhile" in told.problems[0]
    else:
        assert files["out.txt"] == "of a"


async def test_failure_and_retries_are_a_tasks_own(start_agent) -> None:
    """It goes on in its copy; what the other has done is joined meanwhile."""
    told = Told(writing("ta", "a.txt"), writing("tb", "b.txt"))

    def move(text: str) -> Move:
        if text.rfind("TA is to") > text.rfind("TB is to"):
            return Move("write_file", "a", path="a.txt")
        if "astray" in text:
            return script("import os\nopen('b.txt', 'w').write(str(sorted(os.listdir('.'))))")
        return script("open('other.txt', 'w').write('astray')")

    async with start_agent(Apart(move), told.roles) as agent:
        result = await agent.run(GOAL)
        assert (result["status"], result["usage"]["steps"]) == ("done", 3)
        assert agent.read("b.txt") == "['b.txt', 'other.txt']"
        tries = {task["id"]: task["tries"] for task in await agent.tasks()}
        reviewed = [step for step in await agent.history() if step.next == ("select_tool",)]
        assert list(reviewed[0].values["copies"]) == ["tb"]
        revision = reviewed[0].values["revision"]
        await restore(Revisions(agent.kept.pool), revision, agent.workspace.parent / "first")
        assert (await again(agent, told)).divergence is None
    assert tries == {"ta": 0, "tb": 1}
    assert files_in(agent.workspace.parent / "first") == {"a.txt": "a"}
    assert sorted(files_in(agent.workspace)) == ["a.txt", "b.txt", "other.txt"]


async def test_a_run_that_ends_brings_home_what_is_half_done(start_agent) -> None:
    told = Told(writing("ta", "a.txt"), writing("tb", "b.txt"))
    half = script("open('half.txt', 'w').write('half')")
    model = moves(ta=half, tb=Move("write_file", "b", path="b.txt"))
    async with start_agent(model, told.roles) as agent:
        result = await agent.run(GOAL, max_steps=2)
        assert result["status"] == "stopped"
        assert files_in(agent.workspace) == {"b.txt": "b", "half.txt": "half"}
        values = await agent.values()
    assert values["copies"] == {}
    assert [one["path"] for one in result["artifacts"]] == ["b.txt", "half.txt"]


async def test_a_branch_from_the_middle_has_the_files_of_each(start_agent) -> None:
    """What is forked between the calls and their judgement; the first one stays as it is."""
    told = Told(writing("ta", "a.txt"), writing("tb", "b.txt"))
    model = moves(
        ta=script("open('a.txt', 'a').write('a')"), tb=script("open('b.txt', 'a').write('b')")
    )
    async with start_agent(model, told.roles) as agent:
        assert (await agent.run(GOAL))["status"] == "done"
        history = await agent.history()
        for nodes in (("reflect", "reflect"), ("execute", "execute"), ("review",)):
            step = next(step for step in history if step.next == nodes)
            (agent.workspace / "mine.txt").write_text("by the user, later")
            assert (await agent.run(None, step.config))["status"] == "done"
            values = await agent.values()
            assert values["workspace"] != str(agent.workspace)
            assert files_in(Path(values["workspace"])) == {"a.txt": "a", "b.txt": "b"}
    assert agent.read("a.txt") == "a"


async def halfway(agent: Any) -> None:
    """Both have made their calls; neither is judged, and the copies are gone from the disk."""
    await agent.graph.ainvoke(
        {"goal": GOAL}, agent.config, context=agent.context(),
        interrupt_before=["reflect"], durability="sync",
    )  # fmt: skip
    assert files_in(agent.workspace) == {}
    for name in ("ta", "tb"):
        shutil.rmtree(folder_of_copy(agent.workspace, agent.thread, name))


def two_writers() -> tuple[Told, Any]:
    model = moves(
        ta=Move("write_file", "a", path="a.txt"), tb=Move("write_file", "b", path="b.txt")
    )
    return Told(writing("ta", "a.txt"), writing("tb", "b.txt")), model


async def test_copies_that_are_gone_come_back_when_the_run_goes_on(start_agent) -> None:
    """The machine that goes on has only the database."""
    told, model = two_writers()
    async with start_agent(model, told.roles) as agent:
        await halfway(agent)
        assert (await agent.run(None))["status"] == "done"
        assert files_in(agent.workspace) == {"a.txt": "a", "b.txt": "b"}


async def test_pruning_leaves_the_revisions_of_copies_that_are_in_use(
    start_agent, database: Database, tmp_path: Path
) -> None:
    told, model = two_writers()
    async with start_agent(model, told.roles) as agent:
        await halfway(agent)
        wanted = Wanted(threads=[agent.thread], keep_latest=1)
        done = await prune(database, agent.kept, wanted, tmp_path)
        assert done.checkpoints > 0
        assert (await agent.run(None))["status"] == "done"
        assert files_in(agent.workspace) == {"a.txt": "a", "b.txt": "b"}


async def test_an_imported_thread_goes_on_with_the_files_of_each(
    start_agent, tmp_path: Path
) -> None:
    told, model = two_writers()
    async with start_agent(model, told.roles) as agent:
        await halfway(agent)
        await export_thread(agent.kept, agent.thread, tmp_path / "run.zip")
        reader = await asyncio.to_thread(Reader, tmp_path / "run.zip")
        bundle = await asyncio.to_thread(read_bundle, reader, agent.kept)
        before, agent.thread = (await agent.values())["copies"], str(uuid4())
        await import_thread(agent.kept, reader, bundle, agent.thread, tmp_path / "own")
        reader.close()
        values = await agent.values()
        assert set(values["copies"]) == set(before)
        assert values["copies"]["ta"]["revision"] not in ("", before["ta"]["revision"])
        await asyncio.to_thread(Path(values["workspace"]).mkdir, parents=True, exist_ok=True)
        assert (await agent.run(None))["status"] == "done"
        assert files_in(agent.workspace) == {}
        assert files_in(Path(values["workspace"])) == {"a.txt": "a", "b.txt": "b"}


async def test_files_too_large_for_a_revision_come_along(start_agent) -> None:
    told = Told(writing("ta", "a.bin"), writing("tb", "b.txt"))
    model = moves(
        ta=script("open('a.bin', 'wb').write(b'x' * 2_000_000)"),
        tb=Move("write_file", "b", path="b.txt"),
    )
    async with start_agent(model, told.roles) as agent:
        result = await agent.run(GOAL, revision_file_mb=1)
        assert result["status"] == "done"
        assert (agent.workspace / "a.bin").stat().st_size == 2_000_000
        assert agent.read("b.txt") == "b"


@pytest.mark.parametrize("limits", [{"revision_file_mb": 1}, {"revision_ignore": ["raw/"]}])
async def test_where_revisions_do_not_hold_all_there_are_no_copies(
    start_agent, limits: dict[str, Any]
) -> None:
    """They take turns in the workspace itself."""
    told = Told(writing("ta", "a.txt"), writing("tb", "b.txt"))
    model = moves(
        ta=script("import os\nopen('a.txt', 'w').write(os.getcwd())"),
        tb=script("import os\nopen('b.txt', 'w').write(os.getcwd())"),
    )
    async with start_agent(model, told.roles) as agent:
        if "revision_file_mb" in limits:
            (agent.workspace / "big.bin").write_bytes(b"x" * 2_000_000)
        assert (await agent.run(GOAL, **limits))["status"] == "done"
        assert agent.read("a.txt") == agent.read("b.txt") == str(agent.workspace)
        if "revision_ignore" in limits:  # A file that no revision holds cannot be replayed.
            assert (await again(agent, told)).divergence is None


async def test_a_run_broken_off_in_the_join_is_joined_once(start_agent, monkeypatch) -> None:
    told, model = two_writers()
    turn, broken = joining.turn_into, [True]

    async def turn_into(*args: Any) -> None:
        await turn(*args)
        if broken.pop():
            raise RuntimeError("broken off")

    monkeypatch.setattr(joining, "turn_into", turn_into)
    async with start_agent(model, told.roles) as agent:
        with pytest.raises(RuntimeError, match="broken off"):
            await agent.run(GOAL)
        broken.append(False)
        assert (await agent.run(None))["status"] == "done"
        assert files_in(agent.workspace) == {"a.txt": "a", "b.txt": "b"}
        done = await again(agent, told)
    assert (done.divergence, done.calls["join"]) == (None, 1)
