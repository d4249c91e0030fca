"""The same memories through LangGraph's own calls, as the SDK and other graphs' nodes make them."""

from collections.abc import Awaitable, Callable

from blockbuster import blockbuster_ctx
from memories_made import OWNER, ByWords, fact

from replan.memory.postgres import PostgresMemories

Opening = Callable[..., Awaitable[PostgresMemories]]
FACTS = OWNER.namespace("fact")


async def test_what_was_kept_is_found_by_the_stores_search(opening: Opening) -> None:
    memories = await opening(ByWords(dims=256, alike={"automobile": "car"}))
    await memories.keep([fact("The automobile is blue"), fact("Cats sleep at noon")])
    items = await memories._store.asearch(("memory", "ann"), query="car", limit=1)
    assert [item.value["text"] for item in items] == ["The automobile is blue"]
    assert items[0].namespace == FACTS
    assert items[0].score is not None
    assert (await memories._store.aget(FACTS, items[0].key)) is not None


async def test_what_the_store_was_given_is_recalled(opening: Opening) -> None:
    memories = await opening(ByWords(dims=256, alike={"automobile": "car"}))
    await memories._store.aput(FACTS, "any key", {"text": "The automobile is blue", "mine": 1})
    [found] = (await memories.recall("car")).found
    assert (found.memory.id, found.memory.kind) == ("any key", "fact")
    assert found.memory.learned is not None
    assert found.similarity is not None
    await memories._store.aput(FACTS, "any key", {"text": "The cat is grey"})
    assert (await memories.recall("car", least_similar=0.5)).found == []
    assert len((await memories.recall("grey cat")).found) == 1
    await memories._store.adelete(FACTS, "any key")
    assert (await memories.recall("grey cat")).found == []


async def test_a_megabyte_neither_breaks_the_put_nor_the_recall(opening: Opening) -> None:
    memories = await opening(ByWords())
    text = " ".join(f"word{n}" for n in range(120_000))
    await memories._store.aput(FACTS, "big", {"text": text})
    await memories._store.aput(FACTS, "one word", {"text": "y" * 1_000_000})
    [found] = (await memories.recall("word7")).found[:1]
    assert (found.memory.id, len(found.memory.text)) == ("big", 4000)
    assert found.memory.text.endswith(" ...")


async def test_odd_values_are_recalled_as_far_as_they_can_be_read(opening: Opening) -> None:
    memories = await opening(ByWords())
    odd = {"importance": "high", "learned": "yesterday", "times": -3.5, "source": 7, "ended": None}
    await memories._store.aput(FACTS, "a", {"text": "the odd thing", **odd})
    for number, value in enumerate(({"text": 5}, {"text": None}, {"other": 1}, {"text": ""})):
        await memories._store.aput(FACTS, f"n{number}", value)
    [found] = (await memories.recall("odd thing", most=1)).found
    assert (found.memory.text, found.memory.importance) == ("the odd thing", 0.5)
    assert len(await memories.browse()) == 5


async def test_only_memories_get_vectors(opening: Opening) -> None:
    embedder = ByWords()
    memories = await opening(embedder)
    await memories._store.aput(("notes",), "a", {"text": "a note"})
    await memories._store.aput(("notes",), "b", {"text": "a note"}, index=["text"])
    assert embedder.given == []
    assert len(await memories._store.asearch(("notes",), query="note")) == 2
    assert await memories._store.vectors.waiting() == 0


async def test_the_store_does_without_a_server_that_is_gone(opening: Opening) -> None:
    embedder = ByWords()
    embedder.gone = True
    memories = await opening(embedder)
    await memories._store.aput(FACTS, "a", {"text": "a thing"})
    [item] = await memories._store.asearch(FACTS, query="thing")
    assert (item.key, item.score) == ("a", None)


async def test_no_memory_is_hidden_by_those_of_others(opening: Opening) -> None:
    """A filter over an index that stops at its first candidates would leave nothing."""
    embedder = ByWords(dims=16)
    memories = await opening(embedder)
    await memories.keep([fact("the ship sails at dawn")])
    async with memories._store.pool.connection() as connection:
        name = connection.info.dbname
        for statement in (
            """INSERT INTO store (prefix, key, value) SELECT 'memory.bob.%.fact', 'k' || n,
               '{"text": "the ship sails"}' FROM generate_series(1, 1500) AS n""",
            """INSERT INTO store_vectors (prefix, key, field_name, embedding)
               SELECT 'memory.bob.%.fact', 'k' || n, 'text', embedding
               FROM store_vectors, generate_series(1, 1500) AS n""",
            "TRUNCATE replan_memory_waiting",
            f"ALTER DATABASE {name} SET enable_sort = off",  # so that the index is asked
        ):
            await connection.execute(statement.encode())
        try:
            asked = await opening(embedder)
            assert len(await asked._store.asearch(FACTS, query="ship")) == 1
            assert len((await asked.recall("ship")).found) == 1
        finally:
            await connection.execute(f"ALTER DATABASE {name} RESET enable_sort".encode())


async def test_nothing_blocks_the_loop(opening: Opening) -> None:
    memories = await opening(ByWords())
    with blockbuster_ctx():
        await memories.keep([fact("a thing")])
        await memories.recall("a thing")
        await memories._store.aput(FACTS, "k", {"text": "another thing"})
        assert len(await memories._store.asearch(FACTS, query="thing")) == 2
