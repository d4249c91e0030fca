"""What is equally frequent, in the order that a goal wants."""

from collections import Counter

import pytest

from replan.nodes.select_tool.ties import with_ordered_ties

GOAL = "the N most frequent words, alphabetically where the count is the same"
SORTED = "sorted(c.items(), key=lambda pair: (-pair[1], pair[0]))"


@pytest.mark.parametrize("goal", [GOAL, "ties in alphabetical order", "次数相同的按字母顺序"])
def test_ties_are_sorted(goal: str) -> None:
    assert with_ordered_ties("for w, n in c.most_common(3): f(w)", goal) == (
        f"for w, n in {SORTED}[:3]: f(w)"
    )
    assert with_ordered_ties("x = c.most_common()", goal) == f"x = {SORTED}"


def test_it_gives_the_same_but_for_ties() -> None:
    code = "counts = Counter({'b': 1, 'a': 1, **{'c': 1}})\nx = counts.most_common(2)"
    space: dict[str, object] = {"Counter": Counter}
    exec(with_ordered_ties(code, GOAL), space)
    assert space["x"] == [("a", 1), ("b", 1)]


@pytest.mark.parametrize(
    ("code", "goal"),
    [
        ("x = c.most_common(3)", "the most frequent words in alphabetical order"),
        ("x = c.most_common(3", GOAL),
        ("x = most_common(3)", GOAL),
        ("print(f'{Counter(t.split(\" \")).most_common(3)}')", GOAL),
        ("x = c.most_common(*a)", GOAL),
        ("x = Counter(y for y, _ in c.most_common(n + 1)).most_common(3)", GOAL),
    ],
)
def test_the_rest_stays(code: str, goal: str) -> None:
    assert with_ordered_ties(code, goal) == code
