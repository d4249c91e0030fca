"""What becomes of a memory that is kept: new, known already, or in the place of others."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import psycopg
import pytest
from memories_made import OWNER, ByWords, experience, fact

from replan.memory.likeness import memory_id
from replan.memory.postgres import PostgresMemories
from replan.state.errors import DatabaseError, UsageError
from replan.state.memory import Memory

Opening = Callable[..., Awaitable[PostgresMemories]]
# Two ways of saying one thing, to the stand-in for a model.
ALIKE = {"hue": "colour", "painted": "coloured"}


async def test_the_same_is_kept_once_and_counted(opening: Opening) -> None:
    memories = await opening(ByWords())
    first = fact("The report is blue", importance=0.3, source={"thread": "t1"})
    again = fact(" The  report is\nblue", importance=0.6, source={"thread": "t2"})
    assert [one.how for one in await memories.keep([first, again])] == ["new", "known"]
    [kept] = await memories.keep([again])
    assert kept.how == "known"
    memory = await memories.get(kept.id)
    assert (memory.times, memory.importance, memory.source.thread) == (3, 0.6, "t1")
    assert memory.id == memory_id("fact", first.text)
    assert len(await memories.browse()) == 1


async def test_what_is_said_otherwise_is_known_too(opening: Opening) -> None:
    memories = await opening(ByWords(alike=ALIKE))
    [first] = await memories.keep([fact("The colour of the report is blue")])
    [second] = await memories.keep([fact("Blue is the hue of the report")])
    assert (second.how, second.id) == ("known", first.id)
    assert (await memories.get(first.id)).times == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("the tool supports unicode", "the tool does not support unicode"),
        ("the tool supports unicode", "the tool doesn't support unicode"),
        ("the file has 12 columns", "the file has 13 columns"),
        ("read data/a.csv at the start", "read data/b.csv at the start"),
        ("ask Anna about the report", "ask Berta about the report"),
        ("sorted ascending by the date", "sorted descending by the date"),
        ("the flag `--fast` helps", "the flag `--slow` helps"),
        ("这个工具支持中文", "这个工具不支持中文"),
    ],
)
async def test_what_differs_in_what_decides_is_another_memory(
    opening: Opening, one: str, other: str
) -> None:
    # To this model both are the same, as a negation nearly is to a real one.
    words = {*one.lower().replace("/", " ").replace(".", " ").split(), "不"}
    words |= {*other.lower().replace("/", " ").replace(".", " ").split()}
    embedder = ByWords(
        alike=dict.fromkeys([*words, *"这个工具支持中文不`-", "fast", "slow", "t"], "x")
    )
    embedder.alike |= {"doesn": "x", "12": "x", "13": "x", "data": "x", "csv": "x"}
    memories = await opening(embedder)
    kept = await memories.keep([fact(one), fact(other)])
    assert [memory.how for memory in kept] == ["new", "new"]
    [near, _] = (await memories.recall("x", least_similar=0.9)).found
    assert near.similarity == pytest.approx(1, abs=0.01)


async def test_kinds_outcomes_and_owners_are_kept_apart(opening: Opening) -> None:
    embedder = ByWords(alike=ALIKE)
    memories = await opening(embedder)
    others = await opening(embedder, OWNER.__class__("bob", "sales"))
    told = [
        experience("The colour of the report was found", "done"),
        experience("The hue of the report was found", "failed"),
        fact("The colour of the report was found"),
    ]
    assert [one.how for one in await memories.keep(told)] == ["new"] * 3
    assert [one.how for one in await others.keep(told[:1])] == ["new"]


async def test_what_came_out_otherwise_this_time_is_so_now(opening: Opening) -> None:
    memories = await opening(ByWords())
    await memories.keep([experience("Sum a.csv", "failed", detail={"lesson": "too big"})])
    [kept] = await memories.keep([experience("Sum a.csv", "done", detail={"lesson": "in parts"})])
    memory = await memories.get(kept.id)
    assert (memory.outcome, memory.detail, memory.times) == ("done", {"lesson": "in parts"}, 2)


async def test_what_is_superseded_stays_readable_and_is_not_recalled(opening: Opening) -> None:
    memories = await opening(ByWords())
    [old, other] = await memories.keep([fact("the port is 80"), fact("the host is alpha")])
    [new] = await memories.keep([fact("the port is 443")], superseded=[old.id])
    assert (new.how, new.superseded) == ("superseding", [old.id])
    ended = await memories.get(old.id)
    assert ended.superseded_by == new.id
    assert ended.ended is not None
    assert abs((ended.ended - datetime.now(UTC)).total_seconds()) < 60
    for asked in (memories, await opening(None)):
        found = (await asked.recall("which port", least_similar=-1)).found
        assert old.id not in [one.memory.id for one in found]
        assert new.id in [one.memory.id for one in found]
    # It is true again: learned once more.
    [again] = await memories.keep([fact("the port is 80")], superseded=[new.id])
    assert (again.how, again.superseded) == ("superseding", [new.id])
    found = (await memories.recall("which port", least_similar=-1)).found
    assert {one.memory.id for one in found} == {old.id, other.id}
    assert all(one.similarity is not None for one in found)


async def test_a_memory_does_not_supersede_itself(opening: Opening) -> None:
    memories = await opening(ByWords())
    [kept] = await memories.keep([fact("the port is 80")])
    [again] = await memories.keep([fact("the port is 80")], superseded=[kept.id])
    assert again.how == "known"
    assert (await memories.get(kept.id)).ended is None


async def test_one_that_was_forgotten_meanwhile_is_passed_over(opening: Opening) -> None:
    memories = await opening(ByWords())
    first, second = await memories.keep([fact("a"), fact("b")], superseded=["123"])
    assert (first.how, second.how, first.superseded) == ("new", "new", [])


@pytest.mark.parametrize(
    ("memory", "said"),
    [
        (Memory.model_construct(kind="fact", text="x" * 1_000_000), "text has 1,000,000 char"),
        (fact("x", detail={"code": "y" * 30_000}), "detail has 30,0.. characters; 20,000 are"),
        (fact(" \n"), "a memory has no text"),
    ],
)
async def test_what_is_too_long_is_one_clear_error(
    opening: Opening, memory: Memory, said: str
) -> None:
    memories = await opening(ByWords())
    with pytest.raises(UsageError, match=said) as caught:
        await memories.keep([fact("fits"), memory])
    assert "\n" not in str(caught.value)
    assert await memories.browse() == []


async def test_the_longest_text_is_kept_whole(opening: Opening) -> None:
    memories = await opening(ByWords())
    text = ("报告在第三个文件夹里，名字是report.csv。" * 200)[:4000]
    [kept] = await memories.keep([fact(text)])
    assert (await memories.get(kept.id)).text == text
    assert [one.memory.id for one in (await memories.recall("report.csv")).found] == [kept.id]


async def test_runs_that_write_the_same_at_once_lose_and_double_nothing(opening: Opening) -> None:
    embedder = ByWords(alike=ALIKE)
    runs = [await opening(embedder) for _ in range(6)]
    told = [
        [fact("The colour of the report is blue"), fact(f"run {run} was here")]
        if run % 2
        else [fact(f"run {run} was here"), fact("Blue is the hue of the report")]
        for run in range(6)
    ]
    kept = await asyncio.gather(
        *(memories.keep(told[run]) for run, memories in enumerate(runs)),
    )
    assert sorted(one.how for run in kept for one in run) == ["known"] * 5 + ["new"] * 7
    memories = await runs[0].browse(most=100)
    assert sorted(memory.times for memory in memories) == [1] * 6 + [6]


async def test_characters_that_json_in_postgres_refuses_are_left_out(opening: Opening) -> None:
    memories = await opening(ByWords())
    odd = fact("a\0b c", detail={"co\0de": ["\ud800x"]})
    [kept] = await memories.keep([odd])
    memory = await memories.get(kept.id)
    assert (memory.text, memory.detail) == ("ab c", {"code": ["?x"]})


async def test_a_database_that_goes_away_is_one_clear_error(opening: Opening) -> None:
    memories = await opening(ByWords())
    await memories.keep([fact("a")])
    async with memories._store.pool.connection() as connection:
        url = connection.info.dsn
        name = connection.info.dbname
    with psycopg.connect(url.replace(name, "postgres"), autocommit=True) as other:
        other.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false".encode())
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
        )
    memories._store.pool.timeout = 0.5
    try:
        with pytest.raises(DatabaseError, match="stopped answering"):
            await memories.keep([fact("b")])
        with pytest.raises(DatabaseError, match="stopped answering"):
            await memories.recall("b")
    finally:
        with psycopg.connect(url.replace(name, "postgres"), autocommit=True) as other:
            other.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true".encode())
