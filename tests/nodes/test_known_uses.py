"""What happens to which file, as far as the goal's own words tell."""

import pytest

from replan.nodes.contract import Brief, DecomposeRequest
from replan.nodes.decompose import known_uses
from replan.nodes.decompose.llm import DecomposeByModel
from replan.state.task import Check


@pytest.mark.parametrize(
    ("goal", "decide"),
    [
        ("The tests in tests/ fail since the change. Repair the code, not the tests.", True),
        ("Some tests fail. Fix the module.", True),
        ("The tests fail. Fix the typo in docs/a.md.", False),
        ("测试失败了，请修复代码", True),
        ("Why do the tests fail? How would you fix it?", False),
        ("The tests fail. Do not fix them.", False),
        ("Fix the typo in docs/a.md. Two tests fail already, leave them.", False),
        ("Implement retry() in client.py; it is fine if some tests fail", False),
        ("Implement lookup in a.py; the tests need not pass yet", False),
        ("修改 config.ini 的端口为 8080，测试失败不用管", False),
        ("修改 README.md，写明所有测试已通过", False),
        ("Fix the table in report.md: the share of students whose tests pass is wrong", False),
        ("Fix a.py so that all tests pass", True),
    ],
)
def test_where_tests_fail_that_are_to_be_mended_they_decide(goal: str, decide: bool) -> None:
    assert known_uses.tests_decide(goal) == decide


async def test_what_tests_decide_is_one_task(use_of) -> None:
    goal = "The tests in tests/ fail. It may be in two modules. Repair the code, not the tests."
    files = ["shop/a.py", "shop/b.py", "tests/test_a.py"]
    asked = DecomposeRequest(brief=Brief(goal=goal), existing=files)
    async with use_of([]) as (use, server):
        found = await DecomposeByModel()(asked, use)
    assert server.requests == []
    assert [one.title for one in found.tasks] == [goal]
    assert Check(kind="tests_pass") in found.checks


@pytest.mark.parametrize(
    ("words", "only_read"),
    [
        ("Write the number of lines in a.txt to b.txt", True),
        ("Read a.txt and sum it up in b.txt", True),
        ("从 a.txt 统计行数，写入 b.txt", True),
        ("Sort a.txt", False),
        ("Replace x in a.txt", False),
        ("Read a.txt, then sort a.txt", False),
        ("Add a line to a.txt", False),
        ("Write the lines of the file `a.txt` to b.txt", True),
        ("Then sort the lines in a.txt and count them", False),
        ("Write the grand total in a.txt", False),
        ("Write the number of lines that are in a.txt to b.txt", True),
        ("Write the sum to b.txt", False),
    ],
)
def test_a_file_that_is_only_read(words: str, only_read: bool) -> None:
    assert known_uses.only_read_in(words, "a.txt") == only_read


@pytest.mark.parametrize(
    ("goal", "made"),
    [
        ("List the three largest of a.csv: big.csv, header order,name, largest first.", True),
        (
            "The three largest of a.csv go into a table, `big.csv` (with the columns order,name)",
            True,
        ),
        ("a.csv 中最大的三个：big.csv，表头 order,name", False),
        ("a.csv 中最大的三个：big.csv（表头 order,name）", True),
        ("Why does a.csv speak of big.csv?", False),
    ],
)
def test_what_is_given_a_header_is_to_be_made(goal: str, made: bool) -> None:
    asked = DecomposeRequest(brief=Brief(goal=goal), existing=["a.csv"], named=["a.csv", "big.csv"])
    assert (known_uses.surely_used(asked).get("big.csv") == "create") is made
