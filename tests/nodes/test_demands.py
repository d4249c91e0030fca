"""What a goal demands, and scripts that forget it."""

import pytest

from replan.nodes.select_tool.demands import forgotten, order_wanted

LISTED = "for p in sorted(glob.glob('a/*')): print(p)"


@pytest.mark.parametrize(
    ("goal", "wanted"),
    [
        ("Put the letters in order of n together, then", "in order of n together"),
        ("Write them sorted by price, cheapest first", "sorted by price"),
        ("one per line, smallest first", "smallest first"),
        ("names in alphabetical order", "in alphabetical order"),
        ("按金额从大到小写入", "从大到小"),
        ("按总数量从少到多", "从少到多"),
        ("Do it in order to win", ""),
        ("Write the first line", ""),
    ],
)
def test_the_order_that_is_wanted(goal: str, wanted: str) -> None:
    assert order_wanted(goal) == wanted


@pytest.mark.parametrize(
    ("code", "goal", "said"),
    [
        (LISTED, "in order of n", "does not sort, and the task wants it in order of n"),
        ("for p in sorted(Path('a').iterdir()): f(p)", "in order of n", "does not sort"),
        ("print(1)", "smallest first", "does not sort"),
        ("a.sort()", "smallest first", ""),
        ("df.sort_values('n')", "sorted by n", ""),
        (LISTED, "in order of month", ""),
        ("print(1)", "Add them up", ""),
        (
            "if n > 2: f(n)",
            "larger than 50",
            "does not compare with 50, and the task wants: larger",
        ),
        ("if n > 50: f(n)", "larger than 50", ""),
        ("if n >= 51: f(n)", "larger than 50", ""),
        ("print(n)", "找出总数量少于 20 的商品", "does not compare with 20"),
        ("print(n)", "more than 5 % of them", ""),
        ("print(n)", "over 3 days", "does not compare with 3"),
    ],
)
def test_what_a_script_forgets(code: str, goal: str, said: str) -> None:
    told = forgotten(code, goal)
    assert told.startswith(said)
    assert bool(told) == bool(said)
