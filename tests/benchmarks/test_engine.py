"""The engine's benchmarks at tiny size: what they compare is the same, what they say is whole."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import bare_graph
import engine
import pytest

TINY = replace(engine.QUICK, steps=2, questions=1)


@pytest.fixture
def home(replan_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.setenv(name, "")  # and back to what they were
    return tmp_path


async def test_langgraph_alone_does_what_the_agent_did(home: Path) -> None:
    from replan.graphs.build import build_agent
    from replan.storage.database import open_database
    from replan.storage.persistence import open_persistence

    async with open_persistence(await open_database()) as kept:
        agent = build_agent(checkpointer=kept.saver, store=kept.store)
        await engine._agent_run(agent, 2, home, "of the agent")
        found = await bare_graph.recorded(agent, "of the agent")
        bare = bare_graph.bare_graph(found, kept.saver)
        config: Any = {"configurable": {"thread_id": "bare"}, "recursion_limit": 10_000}
        await bare.ainvoke({"goal": "Make files"}, config, durability="sync")
        assert await bare_graph.recorded(bare, "bare") == found
        assert [len(found[name]) for name in ("select_tool", "execute", "reflect", "review")] == [
            2, 2, 2, 2
        ]  # fmt: skip
        assert await steps_of(agent, "of the agent") == await steps_of(bare, "bare")


async def steps_of(graph: Any, thread: str) -> list[Any]:
    config = {"configurable": {"thread_id": thread}}
    return [(shot.next, shot.values) async for shot in graph.aget_state_history(config)]


@pytest.mark.parametrize("part", ["framework", "threads", "memory"])
async def test_a_part_says_all_it_should(part: str, home: Path) -> None:
    found = await engine.measure(home, [part], TINY)
    if part == "framework":
        assert found[part]["ratio"] > 1, "the agent does more than LangGraph alone"
        assert found[part]["processor"]["langgraph_ms_a_step"] > 0
    elif part == "threads":
        (pool,) = found[part]["by_pool"]
        assert pool["ours"]["steps_a_second"] > 0
        assert pool["ratio_to_one_connection"] > 0
    else:
        (count,) = found[part]["by_count"]
        assert count["of_the_owner"] == 500
        assert count["recall"]["p50"] > 0
    json.dumps(found)


def test_a_line_that_is_not_reached_is_told() -> None:
    found: dict[str, Any] = {
        "framework": {"ratio": 1.3},
        "bytes": {"bytes_of_one_long_task": {"ratio": 1.5}, "bytes_of_many_tasks": {"ratio": 1.0}},
        "threads": {"by_pool": [{"ratio_to_one_lock": 2.0}, {"ratio_to_one_lock": 3.0}]},
    }
    told = engine.missed(found)
    assert len(told) == 3
    assert "1.3 times" in told[0]
    assert "bytes_of_one_long_task" in told[1]
    assert "3.0 times" in told[2]
    assert engine.missed({}) == []


def test_parts_of_earlier_measurements_are_kept(tmp_path: Path) -> None:
    results = tmp_path / "results" / "engine.json"
    engine.keep({"start": {"help_seconds": 1}, "bytes": {}}, results)
    engine.keep({"start": {"help_seconds": 2}}, results)
    assert json.loads(results.read_text()) == {"start": {"help_seconds": 2}, "bytes": {}}
