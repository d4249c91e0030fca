"""Experiences in the real store on Postgres."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from langgraph.store.base import BaseStore

from replan.memory.experience import NAMESPACE, Experience, keep_experience, similar_experiences
from replan.storage.database import Database
from replan.storage.persistence import open_persistence


@pytest.fixture
async def store(database: Database) -> AsyncIterator[BaseStore]:
    """The store, without what other tests left there, and left without what this one did."""
    async with open_persistence(database) as kept:
        for item in await kept.store.asearch(NAMESPACE, limit=1000):
            await kept.store.adelete(NAMESPACE, item.key)
        yield kept.store
        for item in await kept.store.asearch(NAMESPACE, limit=1000):
            await kept.store.adelete(NAMESPACE, item.key)


async def keep(store: BaseStore, goal: str, lesson: str = "look first", thread: str = "") -> None:
    await keep_experience(store, thread or str(uuid4()), Experience(goal, "done", lesson))


async def test_the_most_similar_goals_come_first(store: BaseStore) -> None:
    await keep(store, "Bake a cake with eggs")
    await keep(store, "Sum the amounts per region in sales.csv")
    await keep(store, "Sum the amounts per month in sales.csv into report.md")
    await keep(store, "Sum the hours per month in work.csv into report.md")
    goal = "Sum the amounts per month in sales.csv into totals.md"
    found = await similar_experiences(store, goal)
    assert [experience.goal for experience in found] == [
        "Sum the amounts per month in sales.csv into report.md",
        "Sum the amounts per region in sales.csv",
    ]
    assert len(await similar_experiences(store, goal, most=5)) == 3


async def test_goals_in_chinese_are_compared_too(store: BaseStore) -> None:
    await keep(store, "读取销售数据并按地区汇总金额")
    await keep(store, "写一首关于春天的诗")
    found = await similar_experiences(store, "读取订单数据并按地区汇总金额")
    assert [experience.goal for experience in found] == ["读取销售数据并按地区汇总金额"]


async def test_only_experiences_with_a_lesson_are_worth_telling(store: BaseStore) -> None:
    await keep(store, "Write prime.py", lesson="")
    assert await similar_experiences(store, "Write prime.py") == []


async def test_a_thread_has_one_experience_the_last(store: BaseStore) -> None:
    await keep(store, "Write prime.py", "the first lesson", thread="one")
    await keep(store, "Write prime.py", "the second lesson", thread="one")
    [found] = await similar_experiences(store, "Write prime.py")
    assert found.lesson == "the second lesson"


async def test_the_newest_are_kept_in_view_when_there_are_many(store: BaseStore) -> None:
    for number in range(205):
        await keep(store, f"Goal number {number}", thread=f"thread {number}")
    await keep(store, "Write prime.py", thread="the newest")
    assert len(await similar_experiences(store, "Write prime.py")) == 1


def test_an_experience_in_words_is_bounded() -> None:
    words = Experience("goal " * 1000, "failed", "lesson " * 1000).in_words()
    assert len(words) < 420
    assert Experience("Sum up", "done").in_words() == "'Sum up' ended done."
