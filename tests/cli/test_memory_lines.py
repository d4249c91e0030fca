"""What a person sees of memories: fit for a terminal, whatever they hold."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from langgraph.checkpoint.base import empty_checkpoint

from replan.cli.memory_lines import of_a_run, one_line, print_found, print_memories, whole
from replan.cli.run import tell_where
from replan.cli.session import memories_of, whole_usage
from replan.cli.view import Story
from replan.state.memory import Found, Memory, Source
from replan.storage.database import Database
from replan.storage.persistence import open_persistence

# It would clear the screen and write a line of its own.
ODD = "\x1b[2J\x1b[1;1Hall is\r\nwell \u202e"
OF_A_RUN = {
    "recalled": [{"id": "a" * 32, "kind": "fact", "text": "The export is in UTF-16."}],
    "learned": [
        {"id": "b" * 32, "kind": "experience", "text": ODD, "how": "new"},
        {"id": "c" * 32, "kind": "skill", "text": "x", "how": "known"},
        {"id": "d" * 32, "kind": "fact", "text": "y", "how": "superseding"},
    ],
}


def unsteered(text: str) -> bool:
    return all(char.isprintable() or char == "\n" for char in text)


def test_a_memory_is_shown_whole() -> None:
    memory = Memory(
        id="a" * 32,
        kind="experience",
        text=ODD,
        outcome="failed",
        detail={"lesson": ODD, "cost": {"steps": 3}},
        source=Source(thread="t1", checkpoint="c1", told_by=ODD),
        learned=datetime(2026, 5, 4, 3, 2, tzinfo=UTC),
        ended=datetime(2026, 6, 4, 3, 2, tzinfo=UTC),
        superseded_by="b" * 32,
        times=7,
    )
    shown = "\n".join(whole(memory))
    assert unsteered(shown)
    for part in (
        "a" * 32,
        "experience, learned 2026-05-04 03:02 UTC, 7 times, importance 0.5",
        "outcome: failed",
        "from thread t1, checkpoint c1",
        "told by \\x1b[2J",
        "not true any more since 2026-06-04 03:02 UTC",
        "superseded by " + "b" * 32,
        '"steps": 3',
    ):
        assert part in shown


def test_a_list_is_a_line_a_memory(capsys: pytest.CaptureFixture[str]) -> None:
    old = datetime(2026, 5, 4, tzinfo=UTC)
    memories = [
        Memory(id="a" * 32, kind="fact", text=ODD + "x" * 3000),
        Memory(id="b" * 32, kind="fact", text="old", ended=old, superseded_by="c" * 32),
        Memory(id="c" * 32, kind="fact", text="[bold]gone[/bold]", ended=old),
    ]
    print_memories(memories)
    said = capsys.readouterr().out
    assert unsteered(said)
    head, first, second, third = said.splitlines()
    assert head.split() == ["id", "kind", "learned", "times", "text"]
    assert first.startswith("aaaaaaaaaa ")
    assert "(superseded by cccccccccc) old" in second
    assert "(not true any more since 2026-05-04) [bold]gone[/bold]" in third
    print_found([Found(memory=memories[0], score=0.03125, similarity=0.75)])
    head, first = capsys.readouterr().out.splitlines()
    assert first.split()[:3] == ["0.0312", "0.750", "aaaaaaaaaa"]
    print_found([Found(memory=memories[0], score=0.03125)])
    assert capsys.readouterr().out.splitlines()[1].split()[:2] == ["0.0312", "-"]
    print_memories([])
    print_found([])
    assert capsys.readouterr().out == "No memories.\nNothing fits.\n"


def test_one_line_of_a_long_text() -> None:
    assert one_line("a \n\t b") == "a b"
    assert one_line("x" * 1_000_000, 20) == "x" * 16 + " ..."


def test_what_a_run_recalled_and_learned() -> None:
    lines = of_a_run(OF_A_RUN)
    assert lines[0] == "recalled fact aaaaaaaaaa: The export is in UTF-16."
    assert lines[1].startswith("learned experience bbbbbbbbbb: \\x1b[2J")
    assert lines[2] == "learned skill cccccccccc, known before: x"
    assert lines[3] == "learned fact dddddddddd, in place of an older one: y"
    assert all(map(unsteered, lines))


@pytest.mark.parametrize("value", [None, {}, [], "x", {"recalled": None, "learned": ["x", 1]}])
def test_a_run_without_memories_has_none(value: Any) -> None:
    assert of_a_run(value) == []


def test_they_stand_in_the_result_and_at_the_end_of_a_run(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert memories_of({}) == memories_of({"memories": {}}) == {"recalled": [], "learned": []}
    assert memories_of({"memories": OF_A_RUN}) == OF_A_RUN
    result = {
        "thread_id": "t",
        "status": "done",
        "artifacts": [],
        "usage": whole_usage({}),
        "memories": OF_A_RUN,
        "workspace": "w",
    }
    tell_where(result)
    assert "  recalled fact aaaaaaaaaa: The export is in UTF-16.\n" in capsys.readouterr().err
    del result["memories"]
    tell_where(result)
    assert "recalled" not in capsys.readouterr().err


def test_the_view_says_how_many_are_recalled() -> None:
    story = Story()
    told = story.lines("updates", {"recall": {"recalled": ["a", "b"]}})
    assert told == ["recalls 2 memories"]
    assert story.lines("updates", {"recall": {"recalled": []}}) == []


async def test_show_has_a_part_for_them(inside: Any, database: Database) -> None:
    thread = str(uuid4())
    made = empty_checkpoint()
    made["channel_values"] = {"goal": "g", "memories": OF_A_RUN}
    made["channel_versions"] = {"goal": "1", "memories": "1"}
    async with open_persistence(database) as opened:
        config: Any = {"configurable": {"thread_id": thread, "checkpoint_ns": ""}}
        await opened.saver.aput(
            config, made, {"source": "loop", "step": 1}, made["channel_versions"]
        )

    def shown(*args: str) -> Any:
        return inside("show", thread, *args)

    page = (await asyncio.to_thread(shown)).out
    assert "\nMemories\n  recalled fact aaaaaaaaaa: The export is in UTF-16.\n" in page
    assert '"recalled"' not in page
    assert unsteered(page)
    state = (await asyncio.to_thread(shown, "--json")).result["state"]
    assert state["memories"] == OF_A_RUN
