import pytest

from replan.nodes.decompose.rejected import rejected_in


@pytest.mark.parametrize(
    ("goal", "calls"),
    [
        (
            "Write area(code) in a.py; it is upper case. A code that is not exactly 3 digits "
            "raises ValueError.",
            ["area('12')", "area('1234')", "area('12x')"],
        ),
        (
            "编写 zip_code(text)，如果不是恰好 2 位数字，则抛出 ValueError。",
            ["zip_code('1')", "zip_code('123')", "zip_code('1x')"],
        ),
        (
            'Write size(text) for strings like "3kg"; anything else raises ValueError.',
            ["size('3kg?')"],
        ),
        ("Write f(x). The empty string raises ValueError.", ["f('')"]),
        ("Write f(x). The empty string gives 0. Others raise ValueError", []),
        ("Write f(x) and g(x); the empty string raises ValueError", []),
        ("Write f(a, b); the empty string raises ValueError", []),
        ("Write f(x); anything else raises ValueError", []),
    ],
)
def test_calls_that_have_to_raise(goal: str, calls: list[str]) -> None:
    assert rejected_in(goal) == [f"{call} raises ValueError" for call in calls]
