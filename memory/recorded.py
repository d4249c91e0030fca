"""Long-term memory through the record: a replay recalls what the run did, and keeps nothing."""

from collections.abc import Sequence

from replan.memory.protocol import Memories
from replan.state.memory import KINDS, Kept, Memory, MemoryKind, Recalled
from replan.storage.recording import Recording


class RecordedMemories:
    """Memories whose use goes through a record, so that each use is made once.

    Args:
        memories: where they are kept; None in a replay, whose record lets no call through.
        recording: the record.
    """

    def __init__(self, memories: Memories | None, recording: Recording) -> None:
        self._memories = memories
        self._recording = recording

    async def recall(
        self,
        query: str,
        *,
        kinds: Sequence[MemoryKind] = KINDS,
        most: int = 5,
        least_similar: float = 0.0,
    ) -> Recalled:
        """See `Memories`.

        Raises:
            DivergedError: in a replay, it is not what was asked then.
        """
        request = {
            "query": query, "kinds": list(kinds), "most": most, "least_similar": least_similar,
        }  # fmt: skip
        entry = await self._recording.begin("store", role="", name="recall", request=request)
        if entry is not None and entry.outcome == "ok":
            return Recalled.model_validate(entry.response)
        assert self._memories is not None
        found = await self._memories.recall(
            query, kinds=kinds, most=most, least_similar=least_similar
        )
        await self._recording.finish(entry, found.model_dump(mode="json"))
        return found

    async def keep(self, memories: Sequence[Memory], superseded: Sequence[str] = ()) -> list[Kept]:
        """See `Memories`.

        Raises:
            DivergedError: in a replay, it is not what was kept then.
        """
        request = {
            "memories": [memory.model_dump(mode="json") for memory in memories],
            "superseded": list(superseded),
        }
        entry = await self._recording.begin("store", role="", name="keep", request=request)
        if entry is not None and entry.outcome == "ok":
            return [Kept.model_validate(one) for one in entry.response]
        assert self._memories is not None
        kept = await self._memories.keep(memories, superseded)
        await self._recording.finish(entry, [one.model_dump(mode="json") for one in kept])
        return kept
