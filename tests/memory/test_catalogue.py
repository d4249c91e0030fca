"""Looking through memories, forgetting them, and moving them elsewhere."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
from memories_made import OWNER, ByWords, experience, fact

from replan.memory.owner import Owner
from replan.memory.postgres import PostgresMemories
from replan.state.errors import UsageError

Opening = Callable[..., Awaitable[PostgresMemories]]
DAY = datetime(2026, 1, 1, tzinfo=UTC)


async def test_a_memory_is_had_by_the_beginning_of_its_id(opening: Opening) -> None:
    memories = await opening(ByWords())
    kept = await memories.keep([fact(f"number {n}") for n in range(20)])
    for one in kept:
        assert (await memories.get(one.id)).id == one.id
        assert (await memories.get(one.id[:12].upper())).id == one.id
    for wrong in ("", "%", "zz", kept[0].id[:3], "0" * 32):
        with pytest.raises(UsageError, match="there is no memory"):
            await memories.get(wrong)
    await memories.take_in(fact("another", id=kept[0].id[:8] + "0" * 24))
    with pytest.raises(UsageError, match="more than one memory's id begins with"):
        await memories.get(kept[0].id[:8])


async def test_pages_show_every_memory_once_the_latest_first(opening: Opening) -> None:
    memories = await opening(ByWords())
    told = [fact(f"number {n}", learned=DAY + timedelta(hours=n // 2)) for n in range(11)]
    kept = await memories.keep(told)
    await memories.keep([experience("done so", learned=DAY)], superseded=[kept[10].id])
    seen, after = [], ""
    while page := await memories.browse(kinds=["fact"], most=3, after=after):
        seen += page
        after = page[-1].id
    assert {one.text for one in seen} == {f"number {n}" for n in range(10)}
    assert len(seen) == 10
    assert [one.learned for one in seen] == sorted((one.learned for one in seen), reverse=True)
    assert len(await memories.browse(most=100)) == 11
    assert len(await memories.browse(most=100, include_ended=True)) == 12
    with pytest.raises(UsageError, match="there is no memory"):
        await memories.browse(after="0" * 32)


async def test_what_is_forgotten_is_gone_with_its_vector(opening: Opening) -> None:
    memories = await opening(ByWords())
    kept = await memories.keep([fact("one"), fact("two"), fact("three")])
    with pytest.raises(UsageError, match="there is no memory"):
        await memories.forget([kept[0].id, "0" * 32])
    assert len(await memories.browse()) == 3
    assert await memories.forget([kept[0].id, kept[1].id[:10]]) == 2
    assert [one.text for one in await memories.browse()] == ["three"]
    async with memories._store.pool.connection() as connection:
        row = await (await connection.execute("SELECT count(*) AS n FROM store_vectors")).fetchone()
    assert row == {"n": 1}


async def test_nobody_forgets_what_is_not_theirs(opening: Opening) -> None:
    embedder = ByWords()
    ann, bob = await opening(embedder), await opening(embedder, Owner("bob"))
    [kept] = await ann.keep([fact("mine")])
    with pytest.raises(UsageError, match="there is no memory"):
        await bob.forget([kept.id])
    assert [one.id for one in await ann.browse()] == [kept.id]


async def test_stats_say_what_there_is(opening: Opening) -> None:
    memories = await opening(None)
    empty = await memories.stats()
    assert (empty.counts, empty.state, empty.index, empty.waiting) == ([], "none", "", 0)
    [old] = await memories.keep([fact("one")])
    await memories.keep([fact("two"), experience("three")], superseded=[old.id])
    waiting = await memories.stats()
    assert (waiting.state, waiting.waiting) == ("none", 2)
    odd = Owner("b.o%b", "")
    others = await opening(ByWords("some model", dims=8), odd)
    await others.keep([fact("four")])
    stats = await memories.stats()
    assert (stats.state, stats.waiting, stats.made_by, stats.dims) == ("whole", 0, "some model", 8)
    assert stats.bytes > empty.bytes
    assert [(one.user, one.project, one.kind, one.count, one.ended) for one in stats.counts] == [
        ("ann", "sales", "experience", 1, 0),
        ("ann", "sales", "fact", 1, 1),
        ("b.o%b", "", "fact", 1, 0),
    ]
    assert await memories.owners() == [OWNER, odd]


async def test_what_is_moved_keeps_its_id_times_and_dates(opening: Opening) -> None:
    embedder = ByWords()
    ann, bob = await opening(embedder), await opening(embedder, Owner("bob"))
    told = [fact(f"number {n}", learned=DAY + timedelta(days=n)) for n in range(520)]
    [old, *_] = await ann.keep([*told[:2], *told[:1]])
    assert {one.how for one in await ann.take_in_all(told[2:])} == {"new"}
    await ann.keep([experience("instead", learned=DAY)], superseded=[old.id])
    moved = [memory async for memory in ann.all_of()]
    assert len(moved) == 521
    for _ in range(2):
        hows = {one.how for one in await bob.take_in_all(moved)}
    assert hows == {"known"}
    assert [memory async for memory in bob.all_of()] == moved
    assert (await bob.get(old.id)).times == 2
    assert await bob.catch_up(wait=30)
    assert (await bob.stats()).waiting == 0
    [found] = (await bob.recall("number 77", most=1)).found
    assert (found.memory.text, found.memory.learned) == ("number 77", told[77].learned)
    assert found.similarity is not None


async def test_an_id_that_is_none_is_not_taken_in(opening: Opening) -> None:
    memories = await opening(ByWords())
    with pytest.raises(UsageError, match="is no id of a memory"):
        await memories.take_in_all([fact("y"), fact("x", id="../../etc")])
    assert await memories.browse() == []
    assert (await memories.take_in(fact("x"))).how == "new"
