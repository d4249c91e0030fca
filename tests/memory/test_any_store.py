"""Memories in a store of LangGraph's that is not ours."""

import pytest
from langgraph.store.memory import InMemoryStore
from memories_made import OWNER, ByWords, experience, fact

from replan.memory.any_store import AnyStoreMemories
from replan.memory.choice import memories_in
from replan.memory.owner import Owner
from replan.memory.postgres import PostgresMemories
from replan.storage.vectorizer import Vectorizer


@pytest.fixture(params=["with an index", "without"])
def memories(request: pytest.FixtureRequest) -> AnyStoreMemories:
    store = InMemoryStore()
    if request.param == "with an index":
        embedder = ByWords(dims=256)
        store = InMemoryStore(
            index={"dims": 256, "embed": Vectorizer(lambda: embedder), "fields": ["text"]}
        )
    return AnyStoreMemories(store, OWNER)


async def test_what_fits_best_comes_first(memories: AnyStoreMemories) -> None:
    told = [fact("The boiler is under the stairs"), fact("报告在第三个文件夹"), fact("A garden")]
    assert [one.how for one in await memories.keep(told)] == ["new"] * 3
    for question, answer in (("where is the boiler", told[0]), ("报告在哪里", told[1])):
        [found, *_] = (await memories.recall(question)).found
        assert (found.memory.text, found.memory.kind) == (answer.text, "fact")
        assert found.memory.learned is not None
    assert len((await memories.recall("boiler", kinds=["skill"])).found) == 0
    assert len((await memories.recall("boiler 报告 garden", most=2)).found) == 2


async def test_the_same_is_counted_and_the_superseded_is_not_recalled(
    memories: AnyStoreMemories,
) -> None:
    [old] = await memories.keep([fact("the port is 80")])
    [again] = await memories.keep([fact("the port  is 80", importance=0.9)])
    assert (again.how, again.id) == ("known", old.id)
    [new] = await memories.keep([fact("the port is 443")], superseded=[old.id])
    assert (new.how, new.superseded) == ("superseding", [old.id])
    found = (await memories.recall("port", least_similar=-1)).found
    assert [one.memory.id for one in found] == [new.id]
    [kept] = await memories.keep([fact("x")], superseded=["forgotten"])
    assert (kept.how, kept.superseded) == ("new", [])


async def test_nobody_recalls_what_is_not_theirs(memories: AnyStoreMemories) -> None:
    await AnyStoreMemories(memories._store, Owner("bob")).keep([experience("the secret")])
    assert (await memories.recall("the secret", least_similar=-1)).found == []


async def test_it_says_when_it_goes_by_words_alone() -> None:
    memories = AnyStoreMemories(InMemoryStore(), OWNER)
    assert (await memories.recall("port")).note == ""
    await memories.keep([fact("the port is 80")])
    recalled = await memories.recall("port")
    assert recalled.note == "Searched by words alone: the store has no index."
    assert recalled.found[0].similarity is None


async def test_what_is_less_similar_than_asked_must_share_a_word() -> None:
    embedder = ByWords(dims=256, alike={"automobile": "car"})
    index = {"dims": 256, "embed": Vectorizer(lambda: embedder), "fields": ["text"]}
    memories = AnyStoreMemories(InMemoryStore(index=index), OWNER)
    await memories.keep([fact("an automobile"), fact("noon sleep of cats")])
    found = (await memories.recall("car", least_similar=0.5)).found
    assert [one.memory.text for one in found] == ["an automobile"]


async def test_the_store_decides_which_memories_they_are(opening) -> None:
    ours = await opening(None)
    assert isinstance(memories_in(ours._store, OWNER), PostgresMemories)
    assert isinstance(memories_in(InMemoryStore(), OWNER), AnyStoreMemories)
    assert memories_in(None, OWNER) is None
