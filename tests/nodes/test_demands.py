"""What a goal demands, and scripts that forget it."""

import pytest

from replan.nodes.select_tool.demands import (
    better_of,
    forgotten,
    forgotten_in_query,
    order_wanted,
)

LISTED = "for p in sorted(glob.glob('a/*')): print(p)"


@pytest.mark.parametrize(
    ("goal", "wanted"),
    [
        ("Put the letters in order of n together into one word", "in order of n"),
        ("in the order of their first appearance", "in the order of their first appearance"),
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
        (LISTED, "in order of n", "does not sort, and the task wants it in order of n: collect"),
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
        ("print(n)", "over 3 days", ""),
        ("print(n)", "at least 3 of them", "does not compare with 3"),
        ("if n > 1000: f(n)", "more than 1,000 euros", ""),
        ("if n > 1_000: f(n)", "more than 1,000 euros", ""),
        ("if n > 1: f(n)", "more than 1,000 euros", "does not compare with 1000"),
        ("if n > 0.5: f(n)", "larger than 0.5", ""),
        ("if n > 7200: f(n)", "longer than 2 hours", ""),
        ("if n > 0.035: f(n)", "higher than 3.5%", ""),
        ("if n > 100000: f(n)", "超过 10 万元", ""),
        ("f(n)", "no more than 5 sentences", ""),
        ("f(n)", f"more than {'9' * 5000}", ""),
        ("dict.fromkeys(a)", "in the order of their first appearance", ""),
        ("dict.fromkeys(a)", "按原来的顺序写入", ""),
        ("print(rows[0])", "data.csv is sorted by id. Write its first row", ""),
        ("c.execute('select * from a order by n')", "sorted by n", ""),
        ("print(1)", "in order of update", "does not sort"),
    ],
)
def test_what_a_script_forgets(code: str, goal: str, said: str) -> None:
    told = forgotten(code, goal)
    assert told.startswith(said)
    assert bool(told) == bool(said)


def test_the_second_script_is_taken_only_if_it_is_better() -> None:
    goal = "larger than 50"
    assert better_of("print(1)", "if n > 50: print(n)", goal) == "if n > 50: print(n)"
    for worse in ("I do so already.", "print(2)", "if n > 50 print(n)", ""):
        assert better_of("print(1)", worse, goal) == "print(1)"


@pytest.mark.parametrize(
    ("query", "goal", "said"),
    [
        (
            "SELECT 商品 FROM a WHERE n < 20",
            "总数量少于 20 的商品",
            "adds nothing up, and the task speaks",
        ),
        ("SELECT g FROM a GROUP BY g HAVING SUM(n) < 20", "总数量少于 20 的商品", ""),
        ("SELECT g FROM a", "the average per g", "adds nothing up"),
        (
            "SELECT g FROM a",
            "in alphabetical order",
            "has no ORDER BY, and the task wants it in",
        ),
        ("SELECT g FROM a order\nby g", "in alphabetical order", ""),
        ("SELECT g FROM a", "more than 30", "does not compare with 30, and the task wants"),
        ("SELECT g FROM a WHERE n >= 31", "more than 30", ""),
        ("SELECT json_array_length(p) FROM a", "how many ports it has", ""),
        ("SELECT g FROM a", "写一份总结", ""),
        ("SELECT g FROM a WHERE 总价 > 1", "总价大于 1 的订单", ""),
        ("SELECT p FROM a", "the phone number of each customer", ""),
        ("SELECT c FROM a", "what do the codes mean", ""),
        ("SELECT c FROM a", "in order of appearance", ""),
    ],
)
def test_what_a_query_forgets(query: str, goal: str, said: str) -> None:
    assert forgotten_in_query(query, goal).startswith(said)
    assert bool(forgotten_in_query(query, goal)) is bool(said)
