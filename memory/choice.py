"""Which long-term memory a run has: by the store that its graph was given."""

from langgraph.store.base import BaseStore

from replan.memory.any_store import AnyStoreMemories
from replan.memory.owner import Owner
from replan.memory.protocol import Memories


def memories_in(store: BaseStore | None, owner: Owner) -> Memories | None:
    """The memories of an owner in a graph's store; None without a store."""
    from replan.memory.postgres import PostgresMemories
    from replan.storage.memory_store import MemoryStore

    if store is None:
        return None
    if isinstance(store, MemoryStore):
        return PostgresMemories(store, owner)
    return AnyStoreMemories(store, owner)
