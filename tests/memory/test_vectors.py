"""The vectors: by which model, made anew for another one, and what is done without them."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest
from memories_made import ByWords, fact

from replan.memory.postgres import PostgresMemories
from replan.models.embeddings import EmbeddedEmbedder
from replan.state.errors import UsageError
from replan.storage.vectorizer import Vectorizer

Opening = Callable[..., Awaitable[PostgresMemories]]
WITHOUT = "Searched by words alone: "


async def whole(memories: PostgresMemories, model: str) -> None:
    """Until every memory has its vector by this model."""
    async with asyncio.timeout(20):
        while True:
            stats = await memories.stats()
            if (stats.made_by, stats.state, stats.waiting) == (model, "whole", 0):
                return
            await asyncio.sleep(0.02)


async def rows(memories: PostgresMemories, query: str) -> list[dict[str, object]]:
    async with memories._store.pool.connection() as connection:
        return await (await connection.execute(query.encode())).fetchall()


async def test_opening_and_searching_an_empty_memory_asks_no_model(opening: Opening) -> None:
    embedder = ByWords()
    memories = await opening(embedder)
    recalled = await memories.recall("anything")
    assert (recalled.found, recalled.note, embedder.given) == ([], "", [])


async def test_questions_and_passages_are_told_apart_and_questions_remembered(
    opening: Opening,
) -> None:
    embedder = ByWords()
    memories = await opening(embedder)
    await memories.keep([fact("a thing")])
    embedder.given.clear()
    for _ in range(3):
        await memories.recall("which thing")
    await memories.keep([fact("another thing")])
    assert embedder.given == ["query: which thing", "passage: another thing"]


async def test_a_model_that_comes_later_indexes_what_is_there(opening: Opening) -> None:
    before = await opening(None)
    [kept] = await before.keep([fact("The automobile is blue")])
    assert kept.note == "Kept without a vector: there is no embedding model."
    memories = await opening(ByWords(dims=256, alike={"automobile": "car"}))
    recalled = await memories.recall("a car")
    assert recalled.note == f"{WITHOUT}their index for by words is being made."
    await whole(memories, "by words")
    recalled = await memories.recall("a car")
    assert (recalled.note, len(recalled.found)) == ("", 1)
    assert recalled.found[0].similarity is not None


@pytest.mark.parametrize("dims", [32, 48])
async def test_another_model_makes_the_index_anew_and_mixes_nothing(
    opening: Opening, dims: int
) -> None:
    old = await opening(ByWords("old", dims=32))
    await old.keep([fact(f"number {n}") for n in range(150)])
    embedder = ByWords("new", dims=dims)
    new = await opening(embedder)
    recalled = await new.recall("number 7")
    assert recalled.note == f"{WITHOUT}their index for new is being made."
    assert recalled.found[0].memory.text == "number 7"
    assert all(one.similarity is None for one in recalled.found)
    await whole(new, "new")
    recalled = await new.recall("number 7")
    assert recalled.note == ""
    assert recalled.found[0].memory.text == "number 7"
    stats = await new.stats()
    assert (stats.made_by, stats.dims) == ("new", dims)
    # The process with the old model neither writes its vectors nor takes the index back.
    assert (await old.recall("number 7")).note == f"{WITHOUT}their vectors are made by new now."
    [kept] = await old.keep([fact("from the old one")])
    assert kept.note == "Kept without a vector: their vectors are made by new now."
    await new.recall("anything")
    await whole(new, "new")
    vectors = await rows(new, "SELECT vector_dims(embedding) AS dims FROM store_vectors")
    assert [row["dims"] for row in vectors] == [dims] * 151
    assert "passage: from the old one" in embedder.given
    assert (await new.stats()).made_by == "new"


async def test_who_reads_and_who_makes_the_index_anew_wait_for_each_other_in_one_order(
    opening: Opening,
) -> None:
    old = await opening(ByWords("old"))
    await old.keep([fact("number 7")])
    new = await opening(ByWords("new"))
    waits = "SELECT FROM pg_locks WHERE NOT granted AND relation = to_regclass('store')"
    async with old._store.pool.connection() as reader, reader.transaction():
        await reader.execute("SELECT FROM store LIMIT 1")
        making = asyncio.create_task(new.catch_up(wait=10))
        async with asyncio.timeout(10):
            while not await rows(new, waits):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        counted = await (await reader.execute("SELECT count(*) AS n FROM store_vectors")).fetchone()
    assert counted == {"n": 1}
    assert await making


async def test_a_rebuild_that_is_broken_off_goes_on_where_it_was(opening: Opening) -> None:
    old = await opening(ByWords("old"))
    await old.keep([fact(f"number {n}") for n in range(200)])
    first, second = ByWords("new"), ByWords("new")
    killed, reports = await opening(first), []

    def break_off(done: int, of: int) -> None:
        reports.append((done, of))
        if done >= 90:
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        await killed.catch_up(break_off)
    assert (await killed.stats()).state == "being made"
    assert reports == [(32, 200), (64, 200), (96, 200)]
    taken_up = await opening(second)
    recalled = await taken_up.recall("number 7")
    assert recalled.note == f"{WITHOUT}their index for new is being made."
    await whole(taken_up, "new")
    passages = {text for text in second.given if text.startswith("passage")}
    assert len(passages) == 104
    assert len(await rows(taken_up, "SELECT key FROM store_vectors")) == 200


async def test_one_process_at_a_time_catches_up(opening: Opening) -> None:
    without = await opening(None)
    await without.keep([fact(f"number {n}") for n in range(200)])
    embedders = [ByWords("model") for _ in range(3)]
    several = [await opening(embedder) for embedder in embedders]
    done = await asyncio.gather(*(memories.catch_up() for memories in several))
    assert sorted(done) == [False, False, True]
    given = [text for one in embedders for text in one.given if "number" in text]
    assert len(given) == 200
    assert await several[0].catch_up()


async def test_a_server_that_is_gone_costs_words_only_until_it_is_back(
    opening: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedder = ByWords(dims=256, alike={"automobile": "car"})
    memories = await opening(embedder)
    await memories.keep([fact("The lorry is red")])
    embedder.gone = True
    gone = "The embedding server cannot be reached."
    [kept] = await memories.keep([fact("The automobile is blue")])
    assert (kept.how, kept.note) == ("new", f"Kept without a vector: {gone}")
    [again] = await memories.keep([fact("The automobile is blue")])
    assert again.how == "known"
    recalled = await memories.recall("automobile")
    assert recalled.note == WITHOUT + gone
    assert [one.memory.id for one in recalled.found] == [kept.id]
    embedder.gone = False
    # It is not asked again at once: each step would wait for it.
    assert (await memories.recall("car")).note == WITHOUT + gone
    monkeypatch.setattr("replan.storage.vectorizer._REST_SECONDS", 0)
    assert (await memories.recall("car")).note == ""
    await whole(memories, "by words")
    recalled = await memories.recall("car", most=1)
    assert [one.memory.id for one in recalled.found] == [kept.id]
    assert recalled.found[0].similarity is not None


async def test_a_server_that_does_not_answer_is_given_up(
    opening: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedder = ByWords()
    memories = await opening(embedder)
    await memories.keep([fact("a thing")])

    async def hang(texts: Sequence[str], kind: str) -> list[list[float]]:
        await asyncio.sleep(60)
        raise AssertionError

    monkeypatch.setattr(embedder, "embed", hang)
    monkeypatch.setattr("replan.storage.vectorizer._QUESTION_SECONDS", 0.1)
    recalled = await memories.recall("thing")
    assert recalled.note == f"{WITHOUT}The embedding model by words did not answer in 0.1 s."
    assert len(recalled.found) == 1


async def test_vectors_of_another_length_are_refused_in_one_line(opening: Opening) -> None:
    embedder = ByWords(dims=32)
    memories = await opening(embedder)
    await memories.keep([fact("a thing")])
    embedder.dims = 48
    said = "The embedding model by words gave a vector of 48 numbers; the index has vectors of 32."
    recalled = await memories.recall("which thing")
    assert (recalled.note, len(recalled.found)) == (WITHOUT + said, 1)
    [kept] = await memories.keep([fact("another thing")])
    assert kept.note == f"Kept without a vector: {said}"
    with pytest.raises(UsageError, match="gave a vector of 48 numbers") as caught:
        await memories.catch_up()
    assert "\n" not in str(caught.value)


async def test_vectors_too_long_for_an_index_are_refused(opening: Opening) -> None:
    memories = await opening(ByWords(dims=4001))
    [kept] = await memories.keep([fact("a thing")])
    assert "vectors have 4,001 numbers; the index takes 4,000" in kept.note
    assert len((await memories.recall("thing")).found) == 1


async def test_catching_up_without_a_model_is_one_clear_error(opening: Opening) -> None:
    memories = await opening(None)
    with pytest.raises(UsageError, match="There is no embedding model"):
        await memories.catch_up()


async def test_an_index_whose_making_was_broken_off_is_made_again(opening: Opening) -> None:
    memories = await opening(ByWords())
    await memories.keep([fact("a thing")])
    await memories.keep([fact("other things")])
    async with memories._store.pool.connection() as connection:
        await connection.execute(
            "UPDATE pg_index SET indisvalid = false "
            "WHERE indexrelid = 'store_vectors_embedding_idx'::regclass"
        )
        await connection.execute("DELETE FROM vector_migrations WHERE v = 2")
    assert await memories.catch_up()
    [row] = await rows(
        memories,
        "SELECT indisvalid FROM pg_index "
        "WHERE indexrelid = 'store_vectors_embedding_idx'::regclass",
    )
    assert row["indisvalid"]


async def test_langchain_asks_asynchronously_alone() -> None:
    vectorizer = Vectorizer(ByWords)
    assert await vectorizer.aembed_query("x") == (await vectorizer.aembed_documents(["x"]))[0]
    for method in (vectorizer.embed_query, vectorizer.embed_documents):
        with pytest.raises(NotImplementedError):
            method("x")


async def test_the_embedded_model_finds_by_meaning_in_two_languages(opening: Opening) -> None:
    memories = await opening(EmbeddedEmbedder())
    await memories.keep(
        [
            fact("The boiler in the basement was replaced in May"),
            fact("Invoices above 500 euros need a second signature"),
            fact("员工每年有五天带薪休假"),
            fact("服务器每天凌晨三点自动备份"),
        ]
    )
    for question, answer in (
        ("who has to approve expensive bills", "Invoices"),
        ("when was the heating renewed", "The boiler"),
        ("一年可以放几天假", "员工"),
        ("数据什么时候存档", "服务器"),
    ):
        recalled = await memories.recall(question, most=1)
        assert recalled.note == ""
        assert recalled.found[0].memory.text.startswith(answer), question
