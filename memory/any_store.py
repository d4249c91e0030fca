"""Long-term memory in any store of LangGraph's, such as its store in the process's memory.

With an index of its own the store ranks by meaning; words are counted here. It is meant for graphs
that are run without our database: it reads up to a thousand memories of a kind for one question.
"""

import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime

from langgraph.store.base import BaseStore, Item

from replan.memory.likeness import memory_id
from replan.memory.merging import met_again, superseding
from replan.memory.owner import Owner
from replan.memory.record import memory_of, require_size, value_of
from replan.state.memory import KINDS, Found, Kept, Memory, MemoryKind, Recalled
from replan.storage.rank_fusion import LIST_LENGTH, OFFSET, SHARE_POWER

_MOST_READ = 1_000
_WORDS = re.compile(r"[\w.]+")
_HAN = re.compile("[\u3400-\u9fff]")


class AnyStoreMemories:
    """The memories of one owner; `Memories` says what it does.

    Args:
        store: where they are kept.
        owner: whose memories.
    """

    def __init__(self, store: BaseStore, owner: Owner) -> None:
        self._store = store
        self.owner = owner

    async def recall(
        self,
        query: str,
        *,
        kinds: Sequence[MemoryKind] = KINDS,
        most: int = 5,
        least_similar: float = 0.0,
    ) -> Recalled:
        """See `Memories`."""
        near: list[tuple[float, Memory]] = []
        every: list[Memory] = []
        for kind in kinds:
            namespace = self.owner.namespace(kind)
            items = await self._store.asearch(namespace, query=query, limit=LIST_LENGTH)
            near += [(item.score, _of(item)) for item in items if item.score is not None]
            every += [_of(item) for item in await self._store.asearch(namespace, limit=_MOST_READ)]
        similar = {memory.id: score for score, memory in near}
        shares = _shares(query, every)
        scores: dict[str, float] = {}
        for ranked, weights in ((similar, dict.fromkeys(similar, 1.0)), (shares, shares)):
            order = sorted(ranked, key=lambda one: (-ranked[one], one))
            for place, one in enumerate(order, start=1):
                scores[one] = scores.get(one, 0) + weights[one] / (OFFSET + place)
        known = {memory.id: memory for memory in every if memory.ended is None}
        best = sorted((one for one in scores if one in known), key=lambda one: (-scores[one], one))
        found = [
            Found(memory=known[one], score=scores[one], similarity=similar.get(one))
            for one in best
            if one in shares or similar[one] >= least_similar
        ]
        note = "" if near or not every else "Searched by words alone: the store has no index."
        return Recalled(found=found[:most], note=note)

    async def keep(self, memories: Sequence[Memory], superseded: Sequence[str] = ()) -> list[Kept]:
        """See `Memories`. Only what is written the same counts as the same."""
        for memory in memories:
            require_size(memory)
        named = [await self._by_id(one) for one in dict.fromkeys(superseded)]
        olds = [old for old in named if old is not None]
        kept = [await self._keep(memory) for memory in memories]
        new = {one.id for one in kept}
        ended = [old for old in olds if old.id not in new]
        for old in ended:
            if old.ended is None:
                await self._put(superseding(old, kept[0].id if kept else ""))
        if kept and ended:
            names = [old.id for old in ended]
            kept[0] = Kept(id=kept[0].id, how="superseding", superseded=names)
        return kept

    async def _keep(self, memory: Memory) -> Kept:
        own_id = memory_id(memory.kind, memory.text)
        item = await self._store.aget(self.owner.namespace(memory.kind), own_id)
        if item is not None:
            await self._put(met_again(_of(item), memory))
            return Kept(id=own_id, how="known")
        learned = memory.learned or datetime.now(UTC)
        await self._put(memory.model_copy(update={"id": own_id, "learned": learned}))
        return Kept(id=own_id, how="new")

    async def _put(self, memory: Memory) -> None:
        await self._store.aput(self.owner.namespace(memory.kind), memory.id, value_of(memory))

    async def _by_id(self, one: str) -> Memory | None:
        for kind in KINDS:
            item = await self._store.aget(self.owner.namespace(kind), one)
            if item is not None:
                return _of(item)
        return None


def _of(item: Item) -> Memory:
    return memory_of(".".join(item.namespace), item.key, item.value, item.created_at)


def _shares(query: str, memories: Sequence[Memory]) -> dict[str, float]:
    """By id, the share of the question's words that a memory holds, to the third power."""
    asked = _words(query)
    shares = {
        memory.id: (len(asked & _words(memory.text)) / max(1, len(asked))) ** SHARE_POWER
        for memory in memories
    }
    return {one: share for one, share in shares.items() if share > 0}


def _words(text: str) -> set[str]:
    """Words in small letters; Chinese, which has no blanks, by single characters."""
    plain = unicodedata.normalize("NFKC", text).lower()
    spaced = _HAN.sub(lambda found: f" {found[0]} ", plain)
    return {word.strip(".") for word in _WORDS.findall(spaced)} - {""}
