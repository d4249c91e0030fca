import pytest

from replan.nodes.decompose.rejected import accepted_in, rejected_in


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
        ("f(x) raises ValueError for letters, but for the empty string it returns 0", []),
        ("f(x) 对空字符串返回 0，其他情况抛出 ValueError", []),
        ("f(x) must not raise IndexError on an empty string", []),
        ("空字符串时 f(x) 不要抛出 ValueError", []),
        ('slug(x) turns strings like "Hello World" into hello; anything else raises TypeError', []),
        ("f(x): what is not exactly 4 digits or exactly 5 digits raises ValueError", []),
        ("f(x): if the int x does not have exactly 9 digits, raise ValueError", []),
        ("f(x): what does not start with exactly 4 digits raises ValueError", []),
        ("Write a class Stack whose push(item) raises ValueError for the empty string", []),
    ],
)
def test_calls_that_have_to_raise(goal: str, calls: list[str]) -> None:
    assert rejected_in(goal) == [f"{call} raises ValueError" for call in calls]


@pytest.mark.parametrize(
    ("goal", "texts"),
    [
        (
            'Write size(text): strings like "3kg", "2t" or "1g" into grams as an int',
            ["3kg", "2t", "1g"],
        ),
        ('Write size(text): strings like "3kg" or "2t" into grams as an int', ["3kg", "2t"]),
        ('Write size(text): strings like "3kg" into a list', []),
        ('Write size(text) and more(text): strings like "3kg" to an int', []),
    ],
)
def test_calls_that_have_to_give_an_int(goal: str, texts: list[str]) -> None:
    ints = [f"isinstance(size({text!r}), int) == True" for text in texts]
    some = f"any([{', '.join(f'size({text!r})' for text in texts)}]) == True"
    assert accepted_in(goal) == [*ints, *([some] if texts else [])]
