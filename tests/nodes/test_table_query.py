"""When a query is asked for, how, and what becomes of the answer."""

from pathlib import Path
from typing import Any

import pytest

from replan.nodes.contract import Brief, SelectToolRequest
from replan.nodes.decompose.forms import one_a_line, places_told
from replan.nodes.select_tool.conversation import conversation, temperature
from replan.nodes.select_tool.table_query import table_query, without_unasked_order
from replan.state.task import WENT_WRONG, Action, Attempt, Check, CheckResult, Observation, Task
from replan.tools.toolbox import Toolbox
from replan.tools.workspace import open_workspace

GOAL = "Write the mean n per city of a.csv with two decimals to out.csv"
TABLE = "city,n\nOslo,2\nLima,5\nOslo, 4\n"
QUERY = "SELECT city, AVG(n) AS mean FROM a GROUP BY city"
COLUMNS = Check(kind="csv_columns", path="out.csv", columns=["city", "mean"])


def request(goal: str = GOAL, *existing: str, **more: Any) -> SelectToolRequest:
    made = {"id": "t1", "title": goal, "writes": ["out.csv"], **more}
    contender = made.pop("contender", 0)
    return SelectToolRequest(
        brief=Brief(goal=goal),
        task=Task.model_validate(made),
        existing=list(existing or ("a.csv",)),
        contender=contender,
    )


def tried(error: str = "", detail: str = "", tool: str = "query_tables") -> Attempt:
    seen = Observation(
        ok=not error, error=error, text="1 rows", changed=[] if error else ["out.csv"]
    )
    evidence = [CheckResult(check=COLUMNS, passed=False, detail=detail)] if detail else []
    action = Action(tool=tool, args={"query": "SELECT 1", "path": "out.csv"})
    fields = {"action": action, "observation": seen, "evidence": evidence, "reason": "no"}
    return Attempt.model_validate({**fields, "verdict": "retry"})


async def asked(
    use_of: Any, workspace: Path, wanted: SelectToolRequest, answer: str = f"```sql\n{QUERY}\n```"
) -> tuple[Action | None, list[Any]]:
    async with use_of(lambda body: answer) as (use, server):
        return await table_query(wanted, use), server.requests


@pytest.fixture
def table(workspace: Path) -> Path:
    (workspace / "a.csv").write_text(TABLE)
    return workspace


async def test_the_question_is_the_tables_and_the_goal(use_of: Any, table: Path) -> None:
    action, [body] = await asked(use_of, table, request(checks=[COLUMNS]))
    args = {
        "query": QUERY,
        "path": "out.csv",
        "files": ["a.csv"],
        "columns": ["city", "mean"],
        "decimals": 2,
    }
    assert action == Action(tool="query_tables", args=args)
    assert [one["role"] for one in body["messages"]] == ["system", "user"]
    assert body["messages"][1]["content"] == (
        "CREATE TABLE a (city TEXT, n INTEGER); -- a.csv\n"
        "-- Oslo | 2\n"
        "-- Lima | 5\n"
        "-- Oslo | 4\n"
        "-- city: 2 different values in 3 rows\n"
        "-- n: spaces around some values\n"
        "\n"
        f"-- {GOAL}\n"
        "-- Write the one SQLite query whose result has these rows, in one fenced block and "
        "nothing else. Files are written from it."
    )


async def test_files_of_a_folder_are_one_table(use_of: Any, workspace: Path) -> None:
    (workspace / "m").mkdir()
    for name in ("1", "2"):
        (workspace / f"m/{name}.csv").write_text(f"n\n{name}\n")
    wanted = request("Put all of m/ into out.csv", "m/1.csv", "m/2.csv")
    _, [body] = await asked(use_of, workspace, wanted)
    told = body["messages"][1]["content"]
    assert told.startswith(
        "CREATE TABLE m (file TEXT, n INTEGER); -- 2 files, m/1.csv to m/2.csv\n"
        "-- file is the name of the file without its ending\n"
        "-- 1 | 1\n"
    )


@pytest.mark.parametrize(
    ("attempt", "said"),
    [
        (tried("no such column: m"), "Error: no such column: m.\nGive the whole query again"),
        (
            tried(detail="no rows"),
            "It gave:\n1 rows\nNot so yet:\n- FAILED: out.csv has the columns",
        ),
    ],
)
async def test_what_is_wrong_is_told_once(
    use_of: Any, table: Path, attempt: Attempt, said: str
) -> None:
    wanted = request(attempts=[attempt], rounds=1)
    action, [body] = await asked(use_of, table, wanted)
    assert action is not None
    assert body["messages"][2]["content"] == "```sql\nSELECT 1\n```"
    assert body["messages"][3]["content"].startswith(said)
    assert body["temperature"] == 0.4
    again = request(attempts=[attempt, attempt], rounds=2)
    assert await asked(use_of, table, again) == (None, [])


async def test_then_a_script_is_written_as_if_nothing_was_tried(table: Path) -> None:
    wanted = request(attempts=[tried("no"), tried("no")], rounds=2)
    assert temperature(wanted.task) == 0.0
    tools = Toolbox(open_workspace(table, create=False))
    assert "SELECT" not in str(conversation(wanted, tools, {}))


@pytest.mark.parametrize(
    "wanted",
    [
        request("Sum up a.csv and notes.txt to out.csv", "a.csv", "notes.txt"),
        request("Sum it up to out.csv", "a.csv", "notes.txt"),
        request("Sum up a.csv to out.csv as the notes say", "a.csv", "notes.md"),
        request("Write a haiku to out.txt"),
        request("Write a short report on a.csv to out.txt"),
        request("Sum up a.csv with the rate of https://rates.example to out.csv"),
        request(depends_on=["t0"]),
        request(found=["search_files 47: 1"]),
        request("Describe a.csv in out.csv"),
        request(GOAL, "a.csv", "out.csv"),
        request(writes=["out.py"]),
        request(writes=["out.json"]),
        request(writes=["out.csv", "b.csv"]),
        request(writes=[]),
        request(contender=2),
        request(title=f"{GOAL}\n{WENT_WRONG} no"),
        request(checks=[Check(kind="tests_pass")]),
        request(attempts=[tried("no", tool="python")], rounds=1, tries=1),
        request(tries=1),
    ],
)
async def test_where_none_fits_none_is_asked_for(
    use_of: Any, table: Path, wanted: SelectToolRequest
) -> None:
    assert await asked(use_of, table, wanted) == (None, [])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", '{"shop": "A", "open": [1, 2]}'),
        ("a.csv", "day\n31/12/2023\n2023-12-31\n2023-11-30\n30/11/2023\n"),
        ("a.csv", ""),
        ("a.csv", "n\n5\n10\nn/a\n"),
        ("a.csv", "n;d\n5;12/03/2024\n10;05/11/2023\n"),
        ("a.csv", "c\n" + f"{'x' * 2_000_000}\n"),
        ("a.json", "[{" + ",".join(f'"{n}{"x" * 40}": {n}' for n in range(300)) + "}]"),
    ],
)
async def test_what_no_query_can_read_is_for_a_script(
    use_of: Any, workspace: Path, name: str, text: str
) -> None:
    (workspace / name).write_text(text)
    wanted = request(f"Make out.csv of {name}", name)
    assert await asked(use_of, workspace, wanted) == (None, [])


@pytest.mark.parametrize("answer", ["```sql\n```", "import csv", "```sql\nDROP TABLE a\n```"])
async def test_an_answer_without_a_query_is_none(use_of: Any, table: Path, answer: str) -> None:
    action, requests = await asked(use_of, table, request(), answer)
    assert action is None
    assert len(requests) == 1


async def test_a_table_that_is_meant_and_a_text_beside_it(use_of: Any, table: Path) -> None:
    wanted = request(GOAL, "a.csv", "README.md")
    action, _ = await asked(use_of, table, wanted)
    assert action is not None


@pytest.mark.parametrize(
    ("goal", "alone"),
    [
        ("Write the names to out.txt, one per line", True),
        ("把商品名按数量写入 补货.txt，每行一个", True),
        ('one per line as "word count"', False),
        ("the names with their totals, one per line", False),
        ("Write the names and prices, one per line", False),
        ("customer together with the number of orders, one per line", False),
        ("employees (name, salary) one per line", False),
        ("one per line as name: price", False),
        ("把姓名和工资写入 out.txt，每行一个", False),
        ("one per line as NAME=VALUE", False),
        ("Write the names to out.txt", False),
        ("Write `best.txt` with the names, one per line", True),
    ],
)
def test_whether_a_line_is_one_thing(goal: str, alone: bool) -> None:
    assert one_a_line(goal) is alone


@pytest.mark.parametrize(
    ("goal", "places"),
    [
        ("the mean with two decimals", 2),
        ("保留一位小数", 1),
        ("one decimal for a, two decimals for b", None),
        ("the three places", None),
        ("", None),
    ],
)
def test_the_decimals_that_are_wanted(goal: str, places: int | None) -> None:
    assert places_told(goal) == places


async def test_what_the_query_forgets_is_asked_for_once_more(use_of: Any, table: Path) -> None:
    answers = iter(["SELECT city FROM a", f"```sql\n{QUERY}\n```", "SELECT 1", "SELECT 2"])
    async with use_of(lambda body: next(answers)) as (use, server):
        better = await table_query(request(), use)
        [_, again] = server.requests
        assert better is not None
        assert better.args["query"] == QUERY
        assert "This adds nothing up, and the task speaks of: the mean." in str(
            again["messages"][-1]
        )
        worse = await table_query(request(), use)
        assert worse is not None
        assert worse.args["query"] == "SELECT 1"


async def test_values_that_stand_in_many_rows_are_told(use_of: Any, workspace: Path) -> None:
    (workspace / "a.csv").write_text("city,n\n" + "Oslo,1\nLima,2\n" * 3)
    _, [body] = await asked(use_of, workspace, request())
    assert "-- city: 2 different values in 6 rows\n" in body["messages"][1]["content"]


async def test_how_many_a_list_holds_is_told(use_of: Any, workspace: Path) -> None:
    (workspace / "a.json").write_text('[{"ports": [1, 2]}, {"ports": []}]')
    _, [body] = await asked(use_of, workspace, request("Put a.json into out.csv", "a.json"))
    told = body["messages"][1]["content"]
    assert "-- ports: lists; json_array_length(ports) is how many\n" in told


@pytest.mark.parametrize(
    ("query", "goal", "sorted_by"),
    [
        ("SELECT a FROM t ORDER BY month, item;", "in order of month", "month;"),
        ("SELECT a FROM t ORDER BY t.month DESC, item", "in order of month", "t.month DESC"),
        ("SELECT a FROM t ORDER BY month, name, item", "by month, then name", "month, name"),
        ("SELECT a FROM t ORDER BY month", "in order of month", "month"),
        ("SELECT a FROM t ORDER BY n DESC, name", "by n, ties alphabetically", "n DESC, name"),
        ("SELECT a FROM t ORDER BY x, item", "in order of month", "x, item"),
        ("SELECT a FROM t GROUP BY a ORDER BY month, item", "by month", "month, item"),
        ("SELECT a FROM t ORDER BY month, item LIMIT 3", "by month", "month, item LIMIT 3"),
        ("SELECT a FROM t ORDER BY month, SUBSTR(b, 1, 2)", "by month", "month, SUBSTR(b, 1, 2)"),
    ],
)
def test_rows_are_sorted_by_what_the_goal_names_alone(
    query: str, goal: str, sorted_by: str
) -> None:
    assert without_unasked_order(query, goal).partition(" ORDER BY ")[2] == sorted_by


async def test_what_is_remembered_is_told_as_data(use_of: Any, table: Path) -> None:
    wanted = request(hints=["n is in thousands"])
    _, [body] = await asked(use_of, table, wanted, f"-- so:\n{QUERY}")
    told = body["messages"][1]["content"]
    assert "From earlier runs" in told
    assert told.index("n is in thousands") < told.index(f"-- {GOAL}")
