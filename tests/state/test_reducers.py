"""How channels merge what branches write side by side."""

from typing import Any

import pytest

from replan.state.agent_state import merge_tasks
from replan.state.usage import Usage, add_usage


@pytest.mark.parametrize(
    ("tasks", "changed", "merged"),
    [
        (None, None, {}),
        (None, {"t1": 1}, {"t1": 1}),
        ({"t1": 1}, None, {"t1": 1}),
        ({"t1": 1, "t2": 2}, {"t2": 3, "t3": 4}, {"t1": 1, "t2": 3, "t3": 4}),
    ],
)
def test_tasks_are_merged_by_id(tasks: Any, changed: Any, merged: dict[str, Any]) -> None:
    assert merge_tasks(tasks, changed) == merged


def test_tasks_keep_the_order_of_their_making() -> None:
    assert list(merge_tasks({"t1": 1, "t2": 2}, {"t1": 9, "t3": 3})) == ["t1", "t2", "t3"]


def test_merging_leaves_what_was_there_as_it_was() -> None:
    before = {"t1": 1}
    merge_tasks(before, {"t2": 2})
    assert before == {"t1": 1}


def test_usage_adds_up_key_by_key() -> None:
    total = add_usage(Usage(model_calls=1, seconds=0.5), Usage(model_calls=2, steps=1))
    assert total == {"model_calls": 3, "seconds": 0.5, "steps": 1}
    assert add_usage(None, None) == {}


@pytest.mark.parametrize(
    ("left", "right", "cost"),
    [(None, None, None), (0.25, None, 0.25), (None, 0.25, 0.25), (0.25, 0.5, 0.75), (0.0, 0, 0)],
)
def test_an_unknown_cost_stays_unknown_until_one_is_known(
    left: float | None, right: float | None, cost: float | None
) -> None:
    total = add_usage(Usage(cost_usd=left), Usage(cost_usd=right))
    assert total["cost_usd"] == cost
