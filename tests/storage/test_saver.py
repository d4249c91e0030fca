import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from langgraph.graph import END, START, StateGraph
from psycopg import AsyncCursor
from psycopg.rows import DictRow
from typing_extensions import TypedDict

from replan.storage.database import open_database
from replan.storage.persistence import open_persistence
from replan.storage.saver import Saver

THREADS, STEPS = 40, 5


class Watched(Saver):
    """Knows how many cursors were open at a time."""

    open_now = most = 0

    @asynccontextmanager
    async def _cursor(self, *, pipeline: bool = False) -> AsyncIterator[AsyncCursor[DictRow]]:
        async with super()._cursor(pipeline=pipeline) as cursor:
            self.open_now += 1
            self.most = max(self.most, self.open_now)
            try:
                yield cursor
            finally:
                self.open_now -= 1


class Counted(TypedDict):
    count: int
    seen: list[int]


async def step(state: Counted) -> dict[str, Any]:
    return {"count": state["count"] + 1, "seen": [*state["seen"], state["count"]]}


def counting(saver: Saver) -> Any:
    graph = StateGraph(Counted)
    graph.add_node("step", step)
    graph.add_edge(START, "step")
    graph.add_conditional_edges(
        "step", lambda state: "step" if state["count"] < STEPS else END, ["step", END]
    )
    return graph.compile(checkpointer=saver)


async def test_threads_at_once_use_several_connections_and_lose_nothing() -> None:
    async with open_persistence(await open_database()) as kept:
        saver = Watched(kept.pool)
        graph = counting(saver)
        configs: list[Any] = [
            {"configurable": {"thread_id": str(uuid.uuid4())}} for _ in range(THREADS)
        ]
        start = {"count": 0, "seen": []}
        await asyncio.gather(
            *(graph.ainvoke(start, config, durability="sync") for config in configs)
        )
        assert saver.most > 1
        for config in configs:
            history = [one async for one in graph.aget_state_history(config)]
            assert history[0].values == {"count": STEPS, "seen": list(range(STEPS))}
            assert len(history) == STEPS + 2
