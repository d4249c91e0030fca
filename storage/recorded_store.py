"""Long-term memory through the record: what is read and written is a call like any other."""

from collections.abc import Iterable
from typing import Any

from langgraph.store.base import (
    BaseStore,
    GetOp,
    Item,
    Op,
    PutOp,
    Result,
    SearchItem,
    SearchOp,
)

from replan.storage.recording import UNRECORDED, Recording


def recorded_store(store: BaseStore | None, recording: Recording) -> BaseStore | None:
    """The store, so that each use of it is made once; itself where nothing is recorded."""
    if store is None or recording is UNRECORDED:
        return store
    return RecordedStore(store, recording)


class RecordedStore(BaseStore):
    """A store whose use goes through a record.

    Args:
        store: where things are kept; None in a replay, whose record lets no call through.
        recording: the record.
    """

    def __init__(self, store: BaseStore | None, recording: Recording) -> None:
        self._store = store
        self.supports_ttl = getattr(store, "supports_ttl", False)
        self.ttl_config = getattr(store, "ttl_config", None)
        self._recording = recording

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """What the operations find, in order.

        Raises:
            DivergedError: in a replay, they are not the recorded ones.
        """
        asked = list(ops)
        request = [{"operation": type(op).__name__, **op._asdict()} for op in asked]
        entry = await self._recording.begin("store", role="", name="store", request=request)
        if entry is not None and entry.outcome == "ok":
            return [_found(op, answer) for op, answer in zip(asked, entry.response, strict=True)]
        assert self._store is not None
        found: list[Result] = await self._store.abatch(asked)
        await self._recording.finish(entry, [_plain(result) for result in found])
        return found

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Nodes are asynchronous.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("use the asynchronous methods: aget, asearch, aput")


def _plain(result: Result) -> Any:
    if isinstance(result, list):
        return [one.dict() if isinstance(one, Item) else list(one) for one in result]
    return result.dict() if isinstance(result, Item) else None


def _found(op: Op, answer: Any) -> Result:
    """A recorded answer as the store gives it."""
    if answer is None or isinstance(op, PutOp):
        return None
    if isinstance(op, GetOp):
        return Item(**answer)
    if isinstance(op, SearchOp):
        return [SearchItem(**one) for one in answer]
    return [tuple(one) for one in answer]
