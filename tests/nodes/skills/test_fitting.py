"""When the calls and the plan of an earlier run are taken over, and when they are not."""

from pathlib import Path

import pytest

from replan.nodes.skills.fitting import fitting_calls, fitting_plan
from replan.nodes.skills.forms import KnownCalls, KnownPlan, read_as
from replan.nodes.skills.learning import plan_of_run, skill_of_task
from replan.nodes.skills.shapes import shape_of, start_of
from replan.state.task import Action, Attempt, Check, CheckResult, Observation, Task
from replan.tools.workspace import Workspace

SALES = "Read sales.csv, compute the total amount per region, and write it to report.md"
SHOP = "Read shop.csv, compute the total price per city, and write it to summary.md"
CODE = (
    "import pandas as pd\nt = pd.read_csv('sales.csv').groupby('region')['amount'].sum()\n"
    "open('report.md', 'w').write(t.to_string())"
)


def lay_out(folder: Path, files: dict[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)


async def start_in(folder: Path, goal: str, files: dict[str, str]) -> dict[str, str]:
    lay_out(folder, files)
    return await start_of(Workspace(folder), goal)


def skill(goal: str, start: dict[str, str], *calls: Action) -> KnownCalls:
    """As it is learned from a task that passed its checks."""
    check = Check(kind="file_exists", path="report.md")
    attempts = [
        Attempt(
            action=call,
            observation=Observation(ok=True, text="ok"),
            evidence=[CheckResult(check=check, passed=True)],
            verdict="done",
        )
        for call in calls
    ]
    task = Task(
        id="t1", title=goal, status="done", rounds=len(calls), attempts=attempts, start=start
    )
    learned = skill_of_task(task, goal)
    assert learned is not None
    known = read_as(KnownCalls, learned.detail)
    assert known is not None
    return known


def python(code: str) -> Action:
    return Action(tool="python", args={"code": code})


async def test_the_same_goal_gets_the_same_call(tmp_path: Path) -> None:
    start = await start_in(tmp_path, SALES, {"sales.csv": "region,amount\nNorth,1\n"})
    assert fitting_calls(skill(SALES, start, python(CODE)), SALES, SALES, start) == [python(CODE)]


async def test_other_rows_of_the_same_table_do_not_matter(tmp_path: Path) -> None:
    start = await start_in(tmp_path / "a", SALES, {"sales.csv": "region,amount\nNorth,1\n"})
    now = await start_in(tmp_path / "b", SALES, {"sales.csv": "region,amount\nWest,7\nEast,2\n"})
    assert fitting_calls(skill(SALES, start, python(CODE)), SALES, SALES, now) == [python(CODE)]


async def test_a_sister_goal_gets_the_call_with_its_names(tmp_path: Path) -> None:
    start = await start_in(tmp_path / "a", SALES, {"sales.csv": "region,amount\nNorth,1\n"})
    now = await start_in(tmp_path / "b", SHOP, {"shop.csv": "id,city,price\n1,Rome,3\n"})
    (call,) = fitting_calls(skill(SALES, start, python(CODE)), SHOP, SHOP, now)
    assert call.args["code"] == (
        "import pandas as pd\nt = pd.read_csv('shop.csv').groupby('city')['price'].sum()\n"
        "open('summary.md', 'w').write(t.to_string())"
    )


@pytest.mark.parametrize(
    ("goal", "files"),
    [
        (SHOP, {"shop.csv": "city,cost\nRome,3\n"}),  # no column of the name
        (SHOP, {"shop.csv": '{"city": "Rome", "price": 3}\n'}),  # "{..." is one odd column
        (SHOP, {}),  # no such file
        (SHOP.replace("total", "average"), {"shop.csv": "city,price\nRome,3\n"}),
        (SALES, {"sales.csv": "area,amount\nNorth,1\n"}),  # the column is gone
    ],
)
async def test_what_is_different_in_kind_fits_nothing(
    tmp_path: Path, goal: str, files: dict[str, str]
) -> None:
    start = await start_in(tmp_path / "a", SALES, {"sales.csv": "region,amount\nNorth,1\n"})
    now = await start_in(tmp_path / "b", goal, files)
    found = fitting_calls(skill(SALES, start, python(CODE)), goal, goal, now)
    if goal == SALES:  # one column is left over on each side: it is the same one, renamed
        assert "'area'" in found[0].args["code"]
    else:
        assert found == []


NOTES = "Follow the instructions in notes.md"
COLOUR = Action(tool="write_file", args={"path": "colour.txt", "content": "saffron"})


async def test_what_was_written_by_hand_fits_only_the_same_files(tmp_path: Path) -> None:
    start = await start_in(tmp_path / "a", NOTES, {"notes.md": "Write saffron to colour.txt"})
    same = await start_in(tmp_path / "b", NOTES, {"notes.md": "Write saffron to colour.txt"})
    other = await start_in(tmp_path / "c", NOTES, {"notes.md": "Write purple to colour.txt"})
    learned = skill(NOTES, start, COLOUR)
    assert fitting_calls(learned, NOTES, NOTES, same) == [COLOUR]
    assert fitting_calls(learned, NOTES, NOTES, other) == []


async def test_a_script_that_holds_what_it_read_fits_only_the_same_files(tmp_path: Path) -> None:
    start = await start_in(tmp_path / "a", SALES, {"sales.csv": "region,amount\nNorth,1\n"})
    now = await start_in(tmp_path / "b", SALES, {"sales.csv": "region,amount\nWest,7\n"})
    by_heart = python("open('report.md', 'w').write('North 1')")
    assert fitting_calls(skill(SALES, start, by_heart), SALES, SALES, now) == []


FIBONACCI = "What is the 50th Fibonacci number? Write it to answer.txt"
COUNTING = "a, b = 0, 1\nfor _ in range(50):\n    a, b = b, a + b\nopen('answer.txt', 'w').write(a)"


async def test_a_number_that_the_script_holds_is_replaced(tmp_path: Path) -> None:
    start = await start_in(tmp_path, FIBONACCI, {})
    goal = "What is the 60th Fibonacci number? Write it to f60.txt"
    (call,) = fitting_calls(skill(FIBONACCI, start, python(COUNTING)), goal, goal, start)
    assert "range(60)" in call.args["code"]
    assert "'f60.txt'" in call.args["code"]


async def test_a_number_that_it_does_not_hold_is_not(tmp_path: Path) -> None:
    start = await start_in(tmp_path, FIBONACCI, {})
    goal = FIBONACCI.replace("50th", "60th")
    other = python(COUNTING.replace("50", "49"))
    assert fitting_calls(skill(FIBONACCI, start, other), goal, goal, start) == []


PRIME = "Write prime.py with a function is_prime(n), and tests in test_prime.py"


async def test_code_is_not_carried_over_to_another_function(tmp_path: Path) -> None:
    start = await start_in(tmp_path, PRIME, {})
    wrote = Action(tool="write_file", args={"path": "prime.py", "content": "def is_prime(n): ..."})
    goal = PRIME.replace("prime", "even")
    assert fitting_calls(skill(PRIME, start, wrote), goal, goal, start) == []
    goal = PRIME.replace("prime.py", "sieve.py")
    (call,) = fitting_calls(skill(PRIME, start, wrote), goal, goal, start)
    assert call.args == {"path": "sieve.py", "content": "def is_prime(n): ..."}


async def test_moves_by_pattern_fit_files_of_the_same_endings(tmp_path: Path) -> None:
    goal = "Sort the files into one folder per extension"
    moves = Action(tool="move_files", args={"moves": [{"files": ["*.txt"], "to": "txt"}]})
    start = await start_in(tmp_path / "a", goal, {"a.txt": ""})
    same = await start_in(tmp_path / "b", goal, {"x.txt": "", "y.txt": ""})
    more = await start_in(tmp_path / "c", goal, {"x.txt": "", "y.md": ""})
    learned = skill(goal, start, moves)
    assert fitting_calls(learned, goal, goal, same) == [moves]
    assert fitting_calls(learned, goal, goal, more) == []


async def test_a_plan_takes_the_names_of_the_goal(tmp_path: Path) -> None:
    start = await start_in(tmp_path / "a", SALES, {"sales.csv": "region,amount\nNorth,1\n"})
    checks = [
        Check(kind="file_exists", path="report.md"),
        Check(kind="one_row_per", path="report.md", text="region"),
        Check(kind="workspace_changed", text="0a1b"),
    ]
    task = Task(id="t1", title=SALES, writes=["report.md"], status="done")
    plan = plan_of_run(SALES, [task], checks, start)
    assert plan is not None
    known = read_as(KnownPlan, plan.detail)
    assert known is not None
    now = await start_in(tmp_path / "b", SHOP, {"shop.csv": "city,price\nRome,3\n"})
    (fitted,), theirs = fitting_plan(known, SHOP, now)
    assert (fitted.title, fitted.writes) == (SHOP, ["summary.md"])
    assert [(check.path, check.text) for check in theirs] == [
        ("summary.md", ""),
        ("summary.md", "city"),
        ("", ""),
    ]
    assert fitting_plan(known, "Bake a cake", now) == ([], [])


@pytest.mark.parametrize(
    ("path", "text", "shape"),
    [
        ("a.csv", "x,y\n1,2\n", "csv: x,y"),
        ("a.tsv", "x\ty\n1\t2\n", "tsv: x,y"),
        ("a.jsonl", '{"x": 1}\n{"x": 2}\n', "lines of JSON: x"),
        ("a.json", '{"b": 1, "a": 2}', "JSON object: b,a"),
        ("a.json", '[{"b": 1}]', "JSON list: b"),
        ("a.json", "{", "no JSON"),
        (
            "a.log",
            "".join(f"2026-01-0{n} {level} x\n" for n in range(1, 9) for level in ("INFO", "BAD")),
            "words: %Y-%m-%d|one of BAD,INFO|any",
        ),
    ],
)
def test_the_shape_of_records(path: str, text: str, shape: str) -> None:
    assert shape_of(path, text) == shape


def test_texts_are_known_by_their_content() -> None:
    assert shape_of("a.md", "one") != shape_of("a.md", "two")
    assert shape_of("a.md", "one").startswith("content: ")


@pytest.mark.parametrize("detail", [{}, {"calls": []}, {"goal": 1, "title": 2}, {"tasks": "x"}])
def test_what_is_no_skill_is_none(detail: dict[str, object]) -> None:
    assert read_as(KnownCalls, detail) is None
    assert read_as(KnownPlan, detail) is None
