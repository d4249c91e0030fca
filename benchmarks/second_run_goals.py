"""Fourteen kinds of goals, each as a goal and its sister: other files, other names, other data.

Some sisters are told in other words too. The product must not know them.
"""

import csv
import io
import json
import random
import sys
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "e2e"))

from goals import GOALS, Goal, _pytest, _run
from seeded_tables import Table, numbers_of, rows_of, text_of, values_of


@dataclass(frozen=True)
class Pair:
    """A goal and its sister."""

    name: str
    goal: Goal
    sister: Goal


def _known(name: str) -> Goal:
    return next(goal for goal in GOALS if goal.name == name)


def _texts(folder: Path, ending: str, seed: int) -> None:
    draw = random.Random(seed)
    for name, count in (("one", 23), ("two", 57), ("three", 8)):
        words = [draw.choice(("plan", "act", "look", "again", "then")) for _ in range(count)]
        (folder / f"{name}{ending}").write_text(" ".join(words) + "\n")


def _judge_counts(folder: Path, ending: str, out: str) -> str:
    wanted = {path.name: len(path.read_text().split()) for path in folder.glob(f"*{ending}")}
    try:
        found = json.loads(text_of(folder / out))
    except ValueError as error:
        return f"{out}: {error}"
    return "" if len(wanted) == 3 and found == wanted else f"{found} is not {wanted}"


def _judge_even(folder: Path) -> str:
    if "def test" not in text_of(folder / "test_even.py"):
        return "test_even.py holds no test"
    probe = "from even import is_even\nassert is_even(0) and is_even(-4) and not is_even(7)\n"
    return _run(folder, "-c", probe) or _pytest(folder, "test_even.py")


_STATS = """\
def total(numbers):
    return sum(numbers) - 1


def largest(numbers):
    return min(numbers)
"""
_TEST_STATS = """\
from stats import largest, total


def test_total():
    assert total([1, 2, 3]) == 6


def test_largest():
    assert largest([4, 9, 2]) == 9
"""


def _stats(folder: Path) -> None:
    (folder / "stats.py").write_text(_STATS)
    (folder / "test_stats.py").write_text(_TEST_STATS)


def _judge_stats(folder: Path) -> str:
    kept = text_of(folder / "test_stats.py") == _TEST_STATS
    return _pytest(folder, "test_stats.py") if kept else "test_stats.py was changed"


_OTHERS = {"md": 4, "log": 3, "xml": 2}


def _other_files(folder: Path) -> None:
    for kind, count in _OTHERS.items():
        for number in range(count):
            (folder / f"part_{number}.{kind}").write_text(f"{kind} {number}\n")


def _judge_other_files(folder: Path) -> str:
    for kind, count in _OTHERS.items():
        homes = {path.parent for path in folder.rglob(f"*.{kind}")}
        if len(list(folder.rglob(f"*.{kind}"))) != count or len(homes) != 1 or folder in homes:
            return f"{kind} files are in {sorted(map(str, homes))}"
        if kind not in homes.pop().name.lower():
            return f"the folder of {kind} is called otherwise"
    return ""


def _server_log(folder: Path) -> None:
    draw = random.Random(19)
    moments = sorted(draw.randrange(24 * 3600) for _ in range(400))
    lines = []
    for moment in moments:
        clock = f"{moment // 3600:02}:{moment // 60 % 60:02}:{moment % 60:02}"
        level = draw.choices(("INFO", "WARNING", "ERROR"), (5, 3, 2))[0]
        said = draw.choice(("saved", "no warning here", "too slow"))
        lines.append(f"2026-05-02 {clock} {level} {said}")
    (folder / "server.log").write_text("\n".join(lines) + "\n")


def _judge_warnings(folder: Path) -> str:
    lines = text_of(folder / "server.log").splitlines()
    wanted = Counter(int(line[11:13]) for line in lines if " WARNING " in line)
    rows = list(csv.reader(io.StringIO(text_of(folder / "warnings.csv"))))
    if not rows or [cell.strip().lower() for cell in rows[0]] != ["hour", "count"]:
        return f"the header is {rows[:1]}"
    try:
        found = {int(row[0][-8:][:2]): int(float(row[1])) for row in rows[1:] if row}
    except (ValueError, IndexError) as error:
        return str(error)
    found = {hour: count for hour, count in found.items() if count}
    return "" if found == dict(wanted) else f"{found} is not {dict(wanted)}"


def _payments(folder: Path) -> None:
    draw = random.Random(23)
    people = [f"{n},{name}" for n, name in enumerate(("Ida", "Jon", "Kim", "Lea", "Max"), 1)]
    (folder / "customers.csv").write_text("\n".join(["customer_id,name", *people]) + "\n")
    paid = [f"{n},{draw.randint(1, 5)},{draw.uniform(5, 80):.2f}" for n in range(50)]
    (folder / "payments.csv").write_text("\n".join(["id,customer_id,amount", *paid]) + "\n")


def _judge_paid(folder: Path) -> str:
    amounts = values_of(folder / "payments.csv", "customer_id", "amount")
    totals = {one: sum(of) for one, of in amounts.items()}
    names = {row["customer_id"]: row["name"] for row in rows_of(folder / "customers.csv")}
    wanted = sorted(totals, key=lambda one: totals[one], reverse=True)
    rows = list(csv.reader(io.StringIO(text_of(folder / "paid.csv"))))[1:]
    rows = [row for row in rows if row]
    if len(rows) != len(wanted):
        return f"paid.csv has {len(rows)} rows"
    for one, row in zip(wanted, rows, strict=True):
        told = one in row or names[one] in row
        if not told or not any(abs(n - totals[one]) < 0.011 for n in numbers_of(" ".join(row))):
            return f"{row} is not of {one}"
    return ""


def _todo(folder: Path) -> None:
    (folder / "todo.md").write_text(
        "# Todo\n\nWater the plants on Monday.\n\n## For the agent\n\n"
        "Write the word granite to stone.txt and nothing else.\n"
    )


def _judge_stone(folder: Path) -> str:
    found = text_of(folder / "stone.txt").strip()
    return "" if found == "granite" else f"stone.txt holds {found!r}"


def _judge_fibonacci(folder: Path) -> str:
    before, number = 0, 1
    for _ in range(39):
        before, number = number, before + number
    found = text_of(folder / "result.txt").strip()
    return "" if found == str(number) else f"result.txt holds {found!r}"


def _people(folder: Path, name: str, seed: int) -> None:
    draw = random.Random(seed)
    names = ["Ada", "Bo", "Cy", "Dee", "Eli", "Flo", "Gil", "Hal", "Ivy", "Jo", "Kai", "Lou"]
    people = [{"name": one, "age": draw.randint(20, 60)} for one in names]
    draw.shuffle(people)
    (folder / name).write_text(json.dumps(people))


def _judge_older(folder: Path, name: str, age: int, out: str) -> str:
    people = json.loads(text_of(folder / name))
    wanted = sorted(one["name"] for one in people if one["age"] > age)
    found = text_of(folder / out).split()
    return "" if found == wanted else f"{found} is not {wanted}"


def _repeated(folder: Path, name: str, seed: int) -> None:
    draw = random.Random(seed)
    lines = [draw.choice(("pear", "plum", "fig", "kiwi", "lime", "date")) for _ in range(40)]
    (folder / name).write_text("\n".join(lines) + "\n")


def _judge_unique(folder: Path, name: str, out: str) -> str:
    wanted = list(dict.fromkeys(text_of(folder / name).split()))
    found = text_of(folder / out).split()
    return "" if found == wanted else f"{found} is not {wanted}"


CITIES = ("Rome", "Oslo", "Lima", "Cairo")
TEAMS = ("red", "blue", "green")
ORDERS = Table("orders.csv", "city", "price", CITIES, seed=1)
INCOME = Table("income.csv", "部门", "收入", TEAMS, seed=2)
ITEMS = Table("items.csv", "kind", "price", TEAMS, seed=8)
STOCK = Table("stock.csv", "place", "worth", CITIES, seed=9)
GAMES = Table("games.csv", "team", "score", TEAMS, seed=10)
TRIPS = Table("trips.csv", "city", "km", CITIES, seed=11)


PAIRS = (
    Pair(
        "totals",
        _known("sales"),
        Goal(
            "totals2",
            "Read orders.csv, compute the total price per city, and write it as a markdown table "
            "to summary.md",
            ORDERS.make,
            partial(ORDERS.judge_totals, out="summary.md"),
        ),
    ),
    Pair(
        "totals_zh",
        _known("sales_zh"),
        Goal(
            "totals_zh2",
            "读取 income.csv，按部门汇总收入，并把结果以 Markdown 表格写入 income.md",
            INCOME.make,
            partial(INCOME.judge_totals, out="income.md"),
        ),
    ),
    Pair(
        "words",
        _known("words"),
        Goal(
            "words2",
            "Count the words in each .md file and write the counts to sizes.json as an object "
            "from file name to count",
            partial(_texts, ending=".md", seed=3),
            partial(_judge_counts, ending=".md", out="sizes.json"),
        ),
    ),
    Pair(
        "module",
        _known("prime"),
        Goal(
            "module2",
            "Write even.py with a function is_even(n), and tests for it in test_even.py that pass "
            "with pytest",
            lambda folder: None,
            _judge_even,
        ),
    ),
    Pair(
        "repair",
        _known("calc"),
        Goal("repair2", "Make the tests pass without changing test_stats.py", _stats, _judge_stats),
    ),
    Pair(
        "sort",
        _known("sort"),
        Goal(
            "sort2",
            "Put the files into folders by their extension, one folder for each",
            _other_files,
            _judge_other_files,
        ),
    ),
    Pair(
        "log",
        _known("log"),
        Goal(
            "log2",
            "How many WARNING lines are there per hour in server.log? Write a CSV hour,count to "
            "warnings.csv",
            _server_log,
            _judge_warnings,
        ),
    ),
    Pair(
        "join",
        _known("join"),
        Goal(
            "join2",
            "Join customers.csv and payments.csv on customer_id and write the total spent per "
            "customer, highest first, to paid.csv",
            _payments,
            _judge_paid,
        ),
    ),
    Pair(
        "notes",
        _known("notes"),
        Goal("notes2", "Follow the instructions in todo.md", _todo, _judge_stone),
    ),
    Pair(
        "fibonacci",
        _known("fibonacci"),
        Goal(
            "fibonacci2",
            "What is the 40th Fibonacci number? Write only the number to result.txt",
            lambda folder: None,
            _judge_fibonacci,
        ),
    ),
    Pair(
        "older",
        Goal(
            "older1",
            "Read people.json and write the names of those older than 30, sorted, one per line, "
            "to older.txt",
            partial(_people, name="people.json", seed=4),
            partial(_judge_older, name="people.json", age=30, out="older.txt"),
        ),
        Goal(
            "older2",
            "Read staff.json and write the names of those older than 45, sorted, one per line, to "
            "seniors.txt",
            partial(_people, name="staff.json", seed=5),
            partial(_judge_older, name="staff.json", age=45, out="seniors.txt"),
        ),
    ),
    Pair(
        "unique",
        Goal(
            "unique1",
            "Remove the repeated lines of fruit.txt, keep the order of the first ones, and write "
            "the result to unique.txt",
            partial(_repeated, name="fruit.txt", seed=6),
            partial(_judge_unique, name="fruit.txt", out="unique.txt"),
        ),
        Goal(
            "unique2",
            "Write each line of basket.txt only once, in the order in which they come first, to "
            "once.txt",
            partial(_repeated, name="basket.txt", seed=7),
            partial(_judge_unique, name="basket.txt", out="once.txt"),
        ),
    ),
    Pair(
        "convert",
        Goal(
            "convert1",
            "Convert items.csv to items.json as a list of objects, one for each row",
            ITEMS.make,
            partial(ITEMS.judge_objects, out="items.json"),
        ),
        Goal(
            "convert2",
            "Convert stock.csv to stock.json as a list of objects, one for each row",
            STOCK.make,
            partial(STOCK.judge_objects, out="stock.json"),
        ),
    ),
    Pair(
        "average",
        Goal(
            "average1",
            "Compute the average score per team in games.csv and write a CSV team,average to "
            "averages.csv",
            GAMES.make,
            partial(GAMES.judge_averages, out="averages.csv"),
        ),
        Goal(
            "average2",
            "For each city in trips.csv compute the mean of km, and write it as CSV with the "
            "header city,average to means.csv",
            TRIPS.make,
            partial(TRIPS.judge_averages, out="means.csv"),
        ),
    ),
)
