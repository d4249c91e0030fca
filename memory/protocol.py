"""What long-term memory can do: the one interface of roles, graphs and command line."""

from collections.abc import Sequence
from typing import Protocol

from replan.state.memory import KINDS, Kept, Memory, MemoryKind, Recalled


class Memories(Protocol):
    """The memories of one owner: nobody else's are read or written."""

    async def recall(
        self,
        query: str,
        *,
        kinds: Sequence[MemoryKind] = KINDS,
        most: int = 5,
        least_similar: float = 0.0,
    ) -> Recalled:
        """What fits a question best: by meaning, by words, by recency and importance.

        Without vectors (no embedding model, or one that cannot be reached) it goes by words, and
        the note says so.

        Args:
            query: in any words.
            kinds: which memories.
            most: how many at most.
            least_similar: cosine under which a memory that shares no words is left out.

        Raises:
            DatabaseError: the database stopped answering.
        """
        ...

    async def keep(self, memories: Sequence[Memory], superseded: Sequence[str] = ()) -> list[Kept]:
        """Keep memories; what says the same as a known one is counted there instead.

        Args:
            memories: what to keep; what becomes of each is told in order.
            superseded: ids of memories that are not true any more since these are. They stay, with
                the time until which they were; one that was forgotten meanwhile is passed over.

        Raises:
            UsageError: a memory is too long.
            DatabaseError: the database stopped answering; nothing is kept by half.
        """
        ...
