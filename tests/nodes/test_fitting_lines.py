import pytest

from replan.nodes.fitting_lines import fitting_lines

LIST = """\
1. first.md, lines 1-6
   # First
   - Ada, Harbour, room 3
   - Bo, Garden, room 4
   The harbour opens at six.
2. second.md
   - Cy, Harbour, room 5
   - Di, Kitchen, room 6
"""


@pytest.mark.parametrize(
    ("goal", "names"),
    [
        ("List the rooms of everyone in the Harbour team", ["ada", "cy"]),
        ("List the rooms of everyone", []),
        ("List the rooms of the Harbour and the Kitchen", ["ada", "cy"]),
        ("List the rooms of the Garden", []),
        ("List the harbourmaster", []),
    ],
)
def test_lines_that_hold_a_word_of_the_goal(goal: str, names: list[str]) -> None:
    told = fitting_lines(goal, LIST).casefold().splitlines()
    assert [line.split(",")[0].removeprefix("- ") for line in told[1:]] == names


def test_other_lists() -> None:
    table = "| 甲 | 销售 | 1 |\n| 乙 | 财务 | 2 |\n| 丙 | 销售 | 3 |\n| 丁 | 后勤 | 4 |\n"
    assert fitting_lines("列出销售部的所有人", table).count("销售") == 3
    assert fitting_lines("The Harbour", "- a, Harbour\n- b, Harbour\n- c, Port\n") == ""
    assert fitting_lines("The Harbour", "a, Harbour\nb, Harbour\nc, Port\nd, Port\n") == ""


def test_where_two_words_part_the_lines_nothing_is_told() -> None:
    both = "- a, Port, red\n- b, Port, blue\n- c, Bay, red\n- d, Bay, blue\n- e, Port, red\n"
    assert fitting_lines("Those at the Port that are red", both) == ""
