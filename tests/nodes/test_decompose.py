"""From a goal to tasks and checks: what is asked, and what is made of the answer."""

from typing import Any

import pytest
from openai_server import Reply

from replan.nodes.contract import Brief, DecomposeRequest
from replan.nodes.decompose.checks_of_goal import checks_of_files, counted_per, kept_files
from replan.nodes.decompose.known_uses import surely_used
from replan.nodes.decompose.llm import DecomposeByModel, merge_drafts
from replan.nodes.decompose.none import DecomposeNot
from replan.state.task import Check

BOTH = {"tests_must_pass", "wanted"}


def exists(path: str) -> Check:
    return Check(kind="file_exists", path=path)


async def decompose(use_of, goal: str, answer: dict[str, Any], **request: Any) -> Any:
    asked: list[dict[str, Any]] = []

    def answering(body: dict[str, Any]) -> Reply:
        asked.append(body["response_format"]["json_schema"]["schema"]["properties"])
        return Reply(content=answer)

    async with use_of(answering) as (use, _):
        result = await DecomposeByModel()(DecomposeRequest(brief=Brief(goal=goal), **request), use)
    return result, asked[0] if asked else {}


async def test_a_goal_with_one_file_is_one_task(use_of) -> None:
    goal = "Add up a.csv, put the rest right, and write region,total to sum.csv"
    result, asked = await decompose(
        use_of,
        goal,
        {
            "files": {"a.csv": "only read"},
            "columns": {"sum.csv": ["region", "total"]},
        },
        existing=["a.csv"],
        named=["a.csv", "sum.csv"],
    )
    assert list(asked) == ["files", "columns"]
    # The goal says itself that sum.csv is to be written.
    assert asked["files"]["properties"] == {"a.csv": {"enum": ["only read", "change"]}}
    assert [(task.title, task.writes) for task in result.tasks] == [(goal, ["sum.csv"])]
    assert result.checks == [
        exists("sum.csv"),
        Check(kind="csv_columns", path="sum.csv", columns=["region", "total"]),
        Check(kind="file_unchanged", path="a.csv"),
    ]


async def test_a_goal_without_files_asks_what_is_wanted(use_of) -> None:
    result, asked = await decompose(
        use_of, "Tidy up", {"wanted": "changed files"}, existing=["a", "b"]
    )
    assert list(asked) == ["wanted"]
    assert [check.kind for check in result.checks] == ["workspace_changed"]
    result, _ = await decompose(use_of, "How many?", {"wanted": "answer"}, existing=["a"])
    assert result.checks == []


async def test_a_goal_of_several_files_asks_for_tasks(use_of) -> None:
    result, asked = await decompose(
        use_of,
        "Write a.py and b.md",
        {
            "files": {"b.md": "create"},
            "tasks": [
                {"title": "Think", "writes": []},
                {"title": "Write a.py", "writes": ["a.py"]},
                {"title": "Write b.md", "writes": ["b.md"]},
            ],
        },
        named=["a.py", "b.md"],
    )
    assert "tasks" in asked
    assert [(task.id, task.title, task.writes) for task in result.tasks] == [
        ("t1", "Think; then Write a.py", ["a.py"]),
        ("t2", "Write b.md", ["b.md"]),
    ]


async def test_what_the_goal_forbids_is_not_left_to_the_model(use_of) -> None:
    result, asked = await decompose(
        use_of,
        "Make the tests pass without changing test_a.py",
        {"wanted": "changed files"},
        existing=["a.py", "test_a.py"],
        named=["test_a.py"],
    )
    assert result.checks == [
        Check(kind="tests_pass", path="test_a.py"),
        Check(kind="file_unchanged", path="test_a.py"),
    ]
    assert "files" not in asked
    assert result.tasks[0].writes == []


async def test_who_only_makes_files_changes_no_other(use_of) -> None:
    existing = ["bills/a.txt", "bills/b.txt"]
    goal = "Add up the bills and write the sum to sum.txt"
    result, asked = await decompose(use_of, goal, {}, existing=existing, named=["sum.txt"])
    assert asked == {}
    unchanged = [check.path for check in result.checks if check.kind == "file_unchanged"]
    assert unchanged == existing
    for goal in (
        "Write the sum to sum.txt, then tidy up the folder",
        "Sort the lines of each bill in place. Write the sum to sum.txt.",
        "Translate the bills to German and write the sum to sum.txt",
        "Run sums.py and save what it prints to sum.txt",
    ):
        result, _ = await decompose(use_of, goal, {}, existing=existing, named=["sum.txt"])
        assert not any(check.kind == "file_unchanged" for check in result.checks)
    goal = "Write the sum of the bills to sum.txt. Change nothing in bills/."
    result, _ = await decompose(use_of, goal, {}, existing=existing, named=["sum.txt"])
    assert [check.path for check in result.checks if check.kind == "file_unchanged"] == existing


async def test_parts_of_the_goal_are_the_tasks(use_of) -> None:
    goal = "Two jobs: write the odd numbers up to 9 to odd.txt, and the even ones, too, to even.csv"
    named = ["odd.txt", "even.csv"]
    answer = {"columns": {"even.csv": []}}
    result, asked = await decompose(use_of, goal, answer, existing=[], named=named)
    assert set(asked) == {"columns"}
    assert [(task.title, task.writes) for task in result.tasks] == [
        ("write the odd numbers up to 9 to odd.txt", ["odd.txt"]),
        ("the even ones, too, to even.csv", ["even.csv"]),
    ]


async def test_each_part_has_the_checks_of_its_own_words(use_of) -> None:
    goal = "Two jobs: the sizes to feet.txt, one per line, one decimal; the names to names.txt"
    named = ["feet.txt", "names.txt"]
    result, _ = await decompose(use_of, goal, {}, existing=[], named=named)
    found = [(check.path, check.text) for check in result.checks if check.kind == "decimals"]
    assert found == [("feet.txt", "1")]


async def test_one_file_is_one_task(use_of) -> None:
    goal = "Read a.txt. Count its words. Count its lines. Write both to b.txt."
    result, asked = await decompose(use_of, goal, {}, existing=["a.txt"], named=["a.txt", "b.txt"])
    assert "tasks" not in asked
    assert [(task.title, task.writes) for task in result.tasks] == [(goal, ["b.txt"])]


async def test_tests_are_not_changed_unless_the_goal_says_so(use_of) -> None:
    files = ["a.py", "test_a.py"]
    for goal, kept in (("Repair a.py so that test_a.py passes", 1), ("Extend test_a.py", 0)):
        uses = {"files": dict.fromkeys(files[: 2 - kept], "change"), "wanted": "changed files"}
        result, _ = await decompose(use_of, goal, uses, existing=files, named=files)
        assert sum(check.kind == "file_unchanged" for check in result.checks) == kept


def test_a_header_ends_where_its_list_does() -> None:
    names = {"a.csv": ["x", "y", "same order"]}
    (check,) = checks_of_files(["a.csv"], [], "Make a.csv (header x,y, same order)", columns=names)[
        1:
    ]
    assert check.columns == ["x", "y"]


@pytest.mark.parametrize(
    ("goal", "known"),
    [
        (
            "Delete x.bak and write c.txt with every line of a.txt that begins with A",
            {"c.txt": "create", "a.txt": "only read"},
        ),
        ("Remove the first line of a.txt. Write c.txt.", {"c.txt": "create"}),
        ("Write c.txt; change every line of a.txt", {"c.txt": "create"}),
        ("Write c.txt and update the totals in a.txt", {"c.txt": "create"}),
        ("Create c.txt and fix the typos of a.txt", {"c.txt": "create"}),
    ],
)
def test_what_a_file_is_made_from_is_only_read(goal: str, known: dict[str, str]) -> None:
    request = DecomposeRequest(brief=Brief(goal=goal), existing=["a.txt"], named=["a.txt", "c.txt"])
    assert surely_used(request) == known


@pytest.mark.parametrize(
    ("goal", "changed"),
    [
        ("Repair a.py until the tests pass", True),
        ("Fix the bug in a.py", True),
        ("Implement clamp(x, low) in a.py as it says", True),
        ("请修改 a.py 使测试通过", True),
        ("Do not fix a.py, but say what is wrong", False),
        ("Fix what a.py does not do", False),
        ("Explain how to fix a.py", False),
        ("Do not try to fix a.py", False),
        ("Count the correct answers in a.py", False),
        ("不得修改 a.py", False),
        ("不要修改 a.py", False),
    ],
)
def test_what_is_to_be_mended_is_changed(goal: str, changed: bool) -> None:
    request = DecomposeRequest(brief=Brief(goal=goal), existing=["a.py"], named=["a.py"])
    assert surely_used(request) == ({"a.py": "change"} if changed else {})


@pytest.mark.parametrize(
    ("goal", "existing", "asked"),
    [
        ("Repair the code so that the tests pass", ["a.py", "test_a.py"], set()),
        ("Repair a.py so that the tests pass", ["a.py", "test_a.py"], set()),
        ("Delete the older files", ["a.txt", "b.txt"], set()),
        ("Say whether the tests pass", ["a.py", "test_a.py"], BOTH),
        ("Which files are older?", ["a.txt"], {"wanted"}),
        ("Explain why the tests fail, fix nothing", ["a.py", "test_a.py"], BOTH),
        ("Do not fix a.py, the tests need not pass", ["a.py", "test_a.py"], {"files", *BOTH}),
    ],
)
async def test_what_the_goal_says_is_not_asked(
    use_of, goal: str, existing: list[str], asked: set[str]
) -> None:
    known = {"wanted": "answer", "tests_must_pass": False, "files": {"a.py": "only read"}}
    answer = {name: value for name, value in known.items() if name in asked}
    named = [path for path in existing if path in goal]
    result, questions = await decompose(use_of, goal, answer, existing=existing, named=named)
    assert set(questions or ()) == asked
    kinds = [check.kind for check in result.checks]
    assert ("tests_pass" in kinds) == ("Repair" in goal)
    assert ("workspace_changed" in kinds) == ("Delete" in goal)


async def test_what_is_renamed_is_not_asked_about_nor_written(use_of) -> None:
    goal = "Rename a.txt to b.txt and delete all .bak files; write c.txt with the lines of b.txt"
    drafts = [{"title": "Rename", "writes": ["c.txt"]}, {"title": "Write c.txt", "writes": []}]
    result, asked = await decompose(
        use_of,
        goal,
        {"files": {}, "tasks": drafts},
        existing=["a.txt", "x.bak"],
        named=["a.txt", "b.txt", "c.txt"],
    )
    assert "files" not in asked
    assert [(task.title, task.writes) for task in result.tasks] == [(goal, ["c.txt"])]
    gone = [check.path for check in result.checks if check.kind == "gone"]
    assert gone == ["a.txt", "*.bak"]


async def test_without_a_model_the_goal_is_the_task() -> None:
    request = DecomposeRequest(brief=Brief(goal="Tidy up"))
    result = await DecomposeNot()(request, None)  # type: ignore[arg-type]
    assert [task.title for task in result.tasks] == ["Tidy up"]


@pytest.mark.parametrize(
    ("drafts", "writes", "tasks"),
    [
        ([], [], [("the goal", [])]),
        ([], ["a"], [("the goal", ["a"])]),
        ([{"title": "One.", "writes": ["a"]}], ["a"], [("the goal", ["a"])]),
        ([{"title": "One"}, {"title": "Two"}], [], [("One", []), ("Two", [])]),
        (
            [{"title": "One", "writes": ["a"]}, {"title": "Two", "writes": ["a", "b"]}],
            ["a", "b"],
            [("the goal", ["a", "b"])],
        ),
        (
            [
                {"title": "One", "writes": ["a"]},
                {"title": "Two", "writes": ["b"]},
                {"title": "Say so", "writes": []},
            ],
            ["a", "b", "c"],
            [("One", ["a"]), ("Two; then Say so", ["b", "c"])],
        ),
    ],
)
def test_tasks_without_a_result_of_their_own_are_merged(
    drafts: list[dict[str, Any]], writes: list[str], tasks: list[tuple[str, list[str]]]
) -> None:
    assert [(task.title, task.writes) for task in merge_drafts("the goal", drafts, writes)] == tasks


@pytest.mark.parametrize(
    ("goal", "kept"),
    [
        ("Mend it without changing a.py", ["a.py"]),
        ("Mend it, but do not modify the file a.py", ["a.py"]),
        ("Mend it; a.py must stay as it is", ["a.py"]),
        ("修好它，不要修改 a.py", ["a.py"]),
        ("修好它，a.py 保持不变", ["a.py"]),
        ("Change a.py without breaking b.py", []),
        ("Mend a.py without editing the tests in test_b.py", ["test_b.py"]),
        ("Mend the code, not the tests: test_b.py", ["test_b.py"]),
        ("修好 a.py，不要改动测试 test_b.py", ["test_b.py"]),
        ("Make test_b.py faster without changing the test_data folder", []),
        ("Don't touch tests/test_old.py but extend test_b.py", []),
        ("Refactor a.py without touching the tests: test_b.py", ["test_b.py"]),
        ("Make test_b.py faster without changing the test data", []),
        ("Add a test of f to test_b.py without changing the tests that are there", []),
        ("改进 test_b.py，不要修改测试数据", []),
        ("Change a.py", []),
    ],
)
def test_files_that_the_goal_keeps(goal: str, kept: list[str]) -> None:
    assert kept_files(goal, ["a.py", "b.py", "test_b.py"]) == kept


@pytest.mark.parametrize(
    ("goal", "columns", "checked"),
    [
        ("Write a CSV hour,count to a.csv", ["hour", "count"], True),
        ("Write hour and count to a.csv", ["hour", "count"], True),
        ("Write the counts to a.csv", ["hour", "count"], False),
        ("Write a CSV hour,count to a.csv", ["hour"], False),
    ],
)
def test_columns_count_only_if_the_goal_names_them(
    goal: str, columns: list[str], checked: bool
) -> None:
    checks = checks_of_files(["a.csv"], [], goal, columns={"a.csv": columns})
    assert ([check.kind for check in checks] == ["file_exists", "csv_columns"]) is checked


@pytest.mark.parametrize(
    ("goal", "thing"),
    [
        ("Join both and write the total spent per user, highest first, to a.csv", "user"),
        ("How many ERROR lines are there per hour?", "hour"),
        ("Write the number of orders for each customer to a.csv", "customer"),
        ("the average price for every single city", "city"),
        ("Write the total per region, sorted by region, to a.csv", "region"),
        ("Count the orders per user and write them to a.csv", "user"),
        ("每位用户的总金额", "用户"),
        ("按地区汇总金额", "地区"),
        ("统计每个用户的总金额", "用户"),
        ("Write the three largest orders per user to a.csv", ""),
        ("List all orders for each user", ""),
        ("The number of orders per user and day", ""),
        ("The number of orders per user per day", ""),
        ("Count the rows. Then write a line per user", ""),
        ("Sort by amount", ""),
        ("Add a column with the total amount per user to b.csv", ""),
        ("Write the order number, date and amount for each customer to a.csv", ""),
        ("total sales by month for each store", ""),
        ("the number of orders per user/day", ""),
        ("the number of orders per user by day", ""),
        ("a maximum of three orders per user", ""),
        ("the number of orders per order status", ""),
        ("按月统计每个用户的总金额", ""),
        ("统计每个用户每天的总金额", ""),
    ],
)
def test_what_one_figure_is_wanted_for(goal: str, thing: str) -> None:
    assert counted_per(goal) == thing
    found = [check for check in checks_of_files(["a.csv"], [], goal) if check.text]
    assert found == ([Check(kind="one_row_per", path="a.csv", text=thing)] if thing else [])
    for files in (["a.md"], ["a.csv", "b.md"]):
        assert not [check for check in checks_of_files(files, [], goal) if check.text]


@pytest.mark.parametrize(
    ("goal", "numbers"),
    [
        ("Write the counts to a.json as an object from file name to count", True),
        ("Write a map of each city to its population size to a.json", True),
        ("把字数写入 a.json，格式为文件名到字数的映射", True),
        ("Write the lines to a.json as an object from file name to lines", False),
        ("Write an object from file name to the counts of each word to a.json", False),
        ("Copy the numbers from a.txt to a.json", False),
    ],
)
def test_an_object_of_numbers(goal: str, numbers: bool) -> None:
    kinds = [check.kind for check in checks_of_files(["a.json"], [], goal)]
    assert ("json_numbers" in kinds) is numbers


async def test_what_the_goal_tells_to_make_is_not_asked_about(use_of) -> None:
    goal = "Count the words of a.txt and write the counts to out.json"
    files = {"existing": ["a.txt"], "named": ["a.txt", "out.json"]}
    result, asked = await decompose(use_of, goal, {}, **files)
    assert asked == {}
    assert Check(kind="file_unchanged", path="a.txt") in result.checks
    goal += " and tidy up a.txt"
    result, asked = await decompose(use_of, goal, {"files": {"a.txt": "change"}}, **files)
    assert list(asked["files"]["properties"]) == ["a.txt"]
    assert result.tasks[0].writes == ["a.txt", "out.json"]
    result, asked = await decompose(use_of, goal, {"files": {"a.txt": "only read"}}, **files)
    assert result.tasks[0].writes == ["out.json"]
    assert exists("out.json") in result.checks
