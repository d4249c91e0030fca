"""What is left for an answer: pure arithmetic, on the safe side."""

import pytest

from replan.models.budget import LEAST_TOKENS, NOTHING_LEFT, UNLIMITED, Budget, prompt_tokens
from replan.state.errors import LimitReachedError
from replan.state.usage import Usage

PRICES = (2e-6, 8e-6)


def room(budget: Budget, wanted: int = 500, used: Usage | None = None, prompt: int = 100):
    return budget.room(lambda: prompt, wanted, PRICES, used or Usage())


def test_without_a_limit_an_answer_is_as_long_as_wanted() -> None:
    assert room(UNLIMITED) == (500, "")
    assert room(Budget(tokens=600, dollars=1.0)) == (500, "")


def test_the_tokens_that_are_left_bound_the_answer() -> None:
    assert room(Budget(tokens=400)) == (300, "max_tokens")
    assert room(Budget(tokens=400), used=Usage(input_tokens=150, output_tokens=50)) == (
        100,
        "max_tokens",
    )


def test_the_dollars_that_are_left_bound_the_answer() -> None:
    most, limit = room(Budget(dollars=0.002))
    assert (most, limit) == (225, "max_cost")
    assert 100 * PRICES[0] + most * PRICES[1] <= 0.002
    assert room(Budget(dollars=0.002), used=Usage(cost_usd=0.001))[0] == 100


def test_the_smaller_of_two_limits_counts() -> None:
    assert room(Budget(tokens=200, dollars=0.002)) == (100, "max_tokens")


@pytest.mark.parametrize(
    ("budget", "limit"),
    [
        (NOTHING_LEFT, "max_tokens"),
        (Budget(tokens=100 + LEAST_TOKENS - 1), "max_tokens"),
        (Budget(dollars=0.0003), "max_cost"),
    ],
)
def test_below_a_short_answer_the_limit_is_reached(budget: Budget, limit: str) -> None:
    with pytest.raises(LimitReachedError) as caught:
        room(budget)
    assert caught.value.limit == limit


def test_a_short_answer_that_was_wanted_has_room() -> None:
    assert room(Budget(tokens=109), wanted=9) == (9, "")


def test_a_model_that_costs_nothing_is_not_bounded_by_dollars() -> None:
    assert Budget(dollars=0.0).room(lambda: 100, 500, (0.0, 0.0), Usage()) == (500, "")


@pytest.mark.parametrize(
    ("text", "at_least"),
    [
        # What tokenizers that keep digits and signs apart make of it.
        ("The quick brown fox jumps over the lazy dog.", 10),
        ("2026-11-25,17.50,1234567890", 27),
        ("def add(a, b):\n    return a + b\n", 14),
        ("把销售额按城市汇总，写入报告。", 15),
    ],
)
def test_a_prompt_is_rather_counted_too_long_than_too_short(text: str, at_least: int) -> None:
    assert at_least <= prompt_tokens(text) <= len(text)


def test_tools_and_schemas_count() -> None:
    said = {"input": [{"role": "user", "content": "hello"}]}
    tools = {**said, "tools": [{"name": "read_file", "description": "Read a file."}]}
    assert prompt_tokens(tools) > prompt_tokens(said) > prompt_tokens("hello")
