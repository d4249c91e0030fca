"""The tree of a thread's checkpoints: branches, names, namespaces."""

from datetime import UTC, datetime
from typing import Any

import pytest
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.types import Send

from replan.state.errors import ThreadNotFoundError, UsageError
from replan.storage.checkpoints import Checkpoint, History, find_checkpoint, read_history
from replan.storage.database import Database
from replan.storage.persistence import open_persistence


def checkpoint(number: int, parent: int = 0, source: str = "loop", namespace: str = "") -> Any:
    return Checkpoint(
        checkpoint_id=f"1f1e8a56-0000-6000-8000-{number:012x}",
        namespace=namespace,
        parent_id=f"1f1e8a56-0000-6000-8000-{parent:012x}" if parent else "",
        created=datetime.now(UTC),
        step=number,
        source=source,
        values={},
        updated=frozenset(),
        writes=[],
        due=[],
        interrupts=[],
        settings={},
    )


def branches(history: History) -> list[tuple[str, list[int]]]:
    return [
        (branch.start_id[-1:], [one.step for one in branch.checkpoints])
        for branch in history.branches
    ]


def test_a_fork_and_a_second_child_start_branches() -> None:
    history = History("t", [
        checkpoint(1, source="input"), checkpoint(2, 1), checkpoint(3, 2), checkpoint(4, 3),
        checkpoint(5, 2, "fork"), checkpoint(6, 5),
        checkpoint(7, 3, "update"), checkpoint(8, 7),
        checkpoint(9, 4, "update"), checkpoint(10, 9, "input"),
        checkpoint(11, 10, "fork"),
    ])  # fmt: skip
    assert branches(history) == [
        ("", [1, 2, 3, 4, 9, 10]), ("2", [5, 6]), ("3", [7, 8]), ("a", [11])
    ]  # fmt: skip
    assert history.head.step == 11
    made = {one.step: history.maker(one) for one in history.checkpoints}
    assert (made[6], made[8]) == (history.checkpoints[4], history.checkpoints[6])
    assert [made[number] for number in (1, 5, 7, 9, 10, 11)] == [None] * 6


def test_a_parent_that_was_pruned_is_no_error() -> None:
    history = History("t", [checkpoint(5, 4), checkpoint(6, 5)])
    assert branches(history) == [("4", [5, 6])]
    assert history.parent(history.checkpoints[0]) is None
    assert history.maker(history.checkpoints[0]) is None


def test_the_head_is_of_the_graph_itself() -> None:
    inner = "work:1234"
    history = History(
        "t", [checkpoint(1), checkpoint(2, namespace=inner), checkpoint(3, 2, namespace=inner)]
    )
    assert history.head.step == 1
    assert [(branch.number, branch.namespace) for branch in history.branches] == [
        (1, ""), (2, inner)
    ]  # fmt: skip


def test_short_names_are_as_long_as_they_have_to_be() -> None:
    few = History("t", [checkpoint(0xA1), checkpoint(0xB1)])
    assert few.short(few.head.checkpoint_id) == "0000b1"
    alike = History("t", [checkpoint(0xA_12345678), checkpoint(0xB_12345678)])
    assert alike.short(alike.head.checkpoint_id) == "b12345678"
    for one in alike.checkpoints:
        assert alike.find(alike.short(one.checkpoint_id)) is one


def test_a_name_is_an_id_or_an_end_or_a_part() -> None:
    history = History("t", [checkpoint(0xAAAB00), checkpoint(0xAAAB), checkpoint(0xCCC000)])
    first, second, third = history.checkpoints
    assert history.find("head") is third
    assert history.find("HEAD") is third
    assert history.find(second.checkpoint_id) is second
    assert history.find("aaab") is second  # an end before a part
    assert history.find("aab00") is first
    assert history.find("ccc0") is third
    for name in ("8000-0000", "xyz", "ab", "", "00000000-0000-0000-0000-000000000000"):
        with pytest.raises(UsageError):
            history.find(name)
    with pytest.raises(UsageError, match=r"several checkpoints: 1f1e8a56.*, 1f1e8a56"):
        history.find("1f1e8a56")


async def test_what_comes_next_is_told_without_the_graph(database: Database, thread: str) -> None:
    config: Any = {"configurable": {"thread_id": thread, "checkpoint_ns": ""}}
    made = empty_checkpoint()
    made["channel_values"] = {
        "goal": "x",
        "branch:to:review": None,
        "branch:to:plan": None,
        "__pregel_tasks": [Send("execute", {"task": {"id": "t1"}})],
    }
    made["channel_versions"] = {"branch:to:review": "2", "branch:to:plan": "1", "goal": "1",
                                "__pregel_tasks": "1"}  # fmt: skip
    made["versions_seen"] = {
        "review": {"branch:to:review": "1"}, "plan": {"branch:to:plan": "1"}
    }  # fmt: skip
    async with open_persistence(database) as opened:
        with pytest.raises(ThreadNotFoundError):
            await read_history(opened, thread)
        await opened.saver.aput(
            config, made, {"source": "loop", "step": 4}, made["channel_versions"]
        )
        history = await read_history(opened, thread)
        [one] = history.checkpoints
        assert [(due.node, due.payload) for due in one.due] == [
            ("execute", {"task": {"id": "t1"}}), ("review", None)
        ]  # fmt: skip
        assert dict(one.values) == {"goal": "x"}
        assert (one.step, one.source) == (4, "loop")
        with pytest.raises(UsageError, match="has no checkpoint"):
            await find_checkpoint(opened, history, "nothing\0")
