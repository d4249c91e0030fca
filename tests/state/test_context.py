"""The settings of a run, and what counts as a goal."""

from typing import Any

import pytest
from pydantic import ValidationError

from replan.nodes.contract import CONTRACTS
from replan.nodes.registry import BUILT_IN
from replan.state.context import ROLES, Context
from replan.state.errors import GoalError
from replan.state.goal import MOST_GOAL_CHARS, check_goal


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("max_steps", 0),
        ("max_seconds", -1),
        ("max_tokens", -1),
        ("max_cost", -0.01),
        ("max_attempts", 0),
        ("max_replans", -1),
        ("max_parallel", 0),
        ("max_steps", "many"),
        ("planner", "dag"),
    ],
)
def test_impossible_and_unknown_settings_are_named(field: str, value: Any) -> None:
    with pytest.raises(ValidationError, match=field):
        Context(**{field: value})


def test_every_role_has_a_contract_a_field_and_a_default_that_exists() -> None:
    assert set(ROLES) == set(CONTRACTS) == set(BUILT_IN)
    for role, name in Context().roles().items():
        assert name in BUILT_IN[role]


def test_every_setting_is_described_for_the_form_in_studio() -> None:
    fields = Context.model_json_schema()["properties"]
    assert [name for name, field in fields.items() if not field.get("description")] == []


def test_only_what_differs_is_kept_with_a_thread() -> None:
    assert Context().changed() == {}
    kept = Context(plan="dag", max_steps=5).changed()
    assert kept == {"plan": "dag", "max_steps": 5}
    assert Context(**kept) == Context(plan="dag", max_steps=5)


@pytest.mark.parametrize("goal", ["", "  \n\t ", None, 7, ["a goal"]])
def test_an_empty_goal_is_refused(goal: Any) -> None:
    with pytest.raises(GoalError, match="the goal is empty") as raised:
        check_goal(goal)
    assert raised.value.exit_code == 2


def test_a_long_goal_is_refused_with_a_way_out() -> None:
    assert check_goal("x" * MOST_GOAL_CHARS)
    with pytest.raises(GoalError, match=r"20,001 characters.*file of the workspace"):
        check_goal("x" * (MOST_GOAL_CHARS + 1))


def test_a_goal_is_trimmed() -> None:
    assert check_goal("  汇总金额\n") == "汇总金额"
