"""Ten goals, each with its starting files and a judge that reads the result in the workspace.

The product must not know them: nothing here may be imported from outside the tests.
"""

import csv
import io
import json
import random
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Make = Callable[[Path], None]
Judge = Callable[[Path], str]


@dataclass(frozen=True)
class Goal:
    """A goal, what its folder holds at the start, and the judge: "" or what is wrong."""

    name: str
    text: str
    make: Make
    judge: Judge


REGIONS = ("North", "South", "East", "West", "Central")


def _sales(folder: Path) -> None:
    draw = random.Random(7)
    with (folder / "sales.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["region", "amount"])
        for _ in range(200):
            rows.writerow([draw.choice(REGIONS), f"{draw.uniform(5, 500):.2f}"])


def _judge_report(folder: Path) -> str:
    totals: dict[str, float] = defaultdict(float)
    with (folder / "sales.csv").open() as file:
        for row in csv.DictReader(file):
            totals[row["region"]] += float(row["amount"])
    if len(totals) != len(REGIONS):
        return "sales.csv was changed"
    report = _text(folder / "report.md")
    if not re.search(r"^\s*\|?[\s:|-]*-{2,}[\s:|-]*$", report, re.MULTILINE) or "|" not in report:
        return "report.md holds no markdown table"
    for region, total in totals.items():
        line = next((line for line in report.splitlines() if region in line), "")
        numbers = [float(word) for word in re.findall(r"\d+(?:\.\d+)?", line.replace(",", ""))]
        if not any(abs(number - total) < 0.011 for number in numbers):
            return f"{region}: {total:.2f} is not in {line!r}"
    return ""


_WORDS = [
    "the",
    "agent",
    "reads",
    "a",
    "plan",
    "and",
    "then",
    "acts",
    "on",
    "what",
    "it",
    "has",
    "seen",
    "there",
    "today",
]


def _texts(folder: Path) -> None:
    draw = random.Random(3)
    for name, count in (("alpha.txt", 41), ("beta.txt", 113), ("gamma.txt", 7)):
        words = [draw.choice(_WORDS) for _ in range(count)]
        lines = [" ".join(words[at : at + 9]) for at in range(0, count, 9)]
        (folder / name).write_text("\n".join(lines) + "\n")


def _judge_counts(folder: Path) -> str:
    wanted = {path.name: len(path.read_text().split()) for path in folder.glob("*.txt")}
    if len(wanted) != 3:
        return "the text files are not as they were"
    try:
        found = json.loads(_text(folder / "counts.json"))
    except ValueError as error:
        return f"counts.json: {error}"
    return "" if found == wanted else f"{found} is not {wanted}"


def _judge_prime(folder: Path) -> str:
    if not (folder / "prime.py").exists() or not (folder / "test_prime.py").exists():
        return "prime.py or test_prime.py is missing"
    if "def test" not in _text(folder / "test_prime.py"):
        return "test_prime.py holds no test"
    probe = (
        "from prime import is_prime\n"
        "want = {2, 3, 5, 7, 11, 13, 97, 7919}\n"
        "bad = [n for n in (0, 1, 4, 9, 15, 25, 91, 7917, 7921) if is_prime(n)]\n"
        "bad += [n for n in want if not is_prime(n)]\n"
        "assert not bad, bad\n"
    )
    return _run(folder, "-c", probe) or _pytest(folder, "test_prime.py")


_CALC = '''\
"""A small calculator."""


def add(a, b):
    return a - b


def multiply(a, b):
    return a * b


def divide(a, b):
    return a // b


def average(numbers):
    return sum(numbers) / (len(numbers) + 1)
'''
_TEST_CALC = """\
import pytest

from calc import add, average, divide, multiply


def test_add():
    assert add(2, 3) == 5


def test_multiply():
    assert multiply(4, 5) == 20


def test_divide():
    assert divide(7, 2) == 3.5


def test_divide_by_zero():
    with pytest.raises(ZeroDivisionError):
        divide(1, 0)


def test_average():
    assert average([1, 2, 3]) == 2
"""


def _calc(folder: Path) -> None:
    (folder / "calc.py").write_text(_CALC)
    (folder / "test_calc.py").write_text(_TEST_CALC)


def _judge_calc(folder: Path) -> str:
    if _text(folder / "test_calc.py") != _TEST_CALC:
        return "test_calc.py was changed"
    return _pytest(folder, "test_calc.py")


_KINDS = {"txt": 5, "csv": 4, "json": 3}


def _mixed(folder: Path) -> None:
    for kind, count in _KINDS.items():
        for number in range(count):
            text = f"{kind} number {number}\n" if kind != "json" else json.dumps({"n": number})
            (folder / f"item_{kind}_{number}.{kind}").write_text(text)


def _judge_sorted(folder: Path) -> str:
    for kind, count in _KINDS.items():
        names = {f"item_{kind}_{number}.{kind}" for number in range(count)}
        homes = {path.parent for path in folder.rglob(f"*.{kind}")}
        found = {path.name for path in folder.rglob(f"*.{kind}")}
        if found != names:
            return f"{kind}: {sorted(found)}"
        if len(homes) != 1 or homes == {folder}:
            return f"{kind} files are in {[str(home.relative_to(folder)) for home in homes]}"
        home = homes.pop()
        if kind not in home.name.lower() or {path.name for path in home.iterdir()} != names:
            return f"the folder {home.name} is not that of {kind}"
    return ""


def _log(folder: Path) -> None:
    draw = random.Random(11)
    moments = sorted(draw.randrange(24 * 3600) for _ in range(500))
    lines = []
    for moment in moments:
        level = draw.choices(("INFO", "WARNING", "ERROR"), (6, 2, 2))[0]
        clock = f"{moment // 3600:02}:{moment // 60 % 60:02}:{moment % 60:02}"
        said = draw.choice(("request served", "cache miss", "no error found", "disk slow"))
        lines.append(f"2026-03-14 {clock} {level} {said}")
    (folder / "log.txt").write_text("\n".join(lines) + "\n")


def _judge_errors(folder: Path) -> str:
    wanted = Counter(
        int(line[11:13]) for line in _text(folder / "log.txt").splitlines() if " ERROR " in line
    )
    rows = list(csv.reader(io.StringIO(_text(folder / "errors.csv"))))
    if not rows or [cell.strip().lower() for cell in rows[0]] != ["hour", "count"]:
        return f"the header of errors.csv is {rows[:1]}"
    found: dict[int, int] = {}
    for row in rows[1:]:
        if row:
            hour = re.search(r"(\d{1,2})(?::\d\d)*\s*$", row[0])
            if len(row) != 2 or not hour:
                return f"errors.csv has the row {row}"
            found[int(hour.group(1))] = int(float(row[1]))
    found = {hour: count for hour, count in found.items() if count}
    return "" if found == dict(wanted) else f"{found} is not {dict(wanted)}"


_NAMES = ("Ada", "Ben", "Chen", "Dora", "Emil", "Fay", "Gus", "Hana")


def _shop(folder: Path) -> None:
    draw = random.Random(5)
    users = ["user_id,name"] + [f"{at},{name}" for at, name in enumerate(_NAMES, start=1)]
    orders = ["order_id,user_id,amount"]
    for number in range(60):
        orders.append(f"{1000 + number},{draw.randint(1, 8)},{draw.uniform(3, 90):.2f}")
    (folder / "users.csv").write_text("\n".join(users) + "\n")
    (folder / "orders.csv").write_text("\n".join(orders) + "\n")


def _judge_spend(folder: Path) -> str:
    totals: dict[str, float] = defaultdict(float)
    for row in csv.DictReader(io.StringIO(_text(folder / "orders.csv"))):
        totals[row["user_id"]] += float(row["amount"])
    names = {str(at): name for at, name in enumerate(_NAMES, start=1)}
    wanted = sorted(totals, key=lambda user: totals[user], reverse=True)
    rows = list(csv.reader(io.StringIO(_text(folder / "spend.csv"))))[1:]
    rows = [row for row in rows if row]
    if len(rows) != len(wanted):
        return f"spend.csv has {len(rows)} rows, not {len(wanted)}"
    for user, row in zip(wanted, rows, strict=True):
        cells = [cell.strip() for cell in row]
        if user not in cells and names[user] not in cells:
            return f"{row} is not of user {user}"
        numbers = [float(cell) for cell in cells if re.fullmatch(r"\d+(\.\d+)?", cell)]
        if not any(abs(number - totals[user]) < 0.011 for number in numbers):
            return f"{row} does not hold {totals[user]:.2f}"
    return ""


def _notes(folder: Path) -> None:
    before = [
        "# Notes of the week",
        "",
        "The heating was repaired on Tuesday and the hall is warm again.",
        "Somebody left a green umbrella in the meeting room.",
        "Lunch is at noon from now on, since the kitchen closes early.",
        "",
        "## To do",
        "",
        "Write the word saffron to colour.txt and nothing else.",
        "",
        "## Later",
        "",
        "The plants want water twice a week; the fern more often.",
        "The next meeting is on the first Monday of the month.",
    ]
    (folder / "notes.md").write_text("\n".join(before) + "\n")


def _judge_notes(folder: Path) -> str:
    found = _text(folder / "colour.txt").strip()
    return "" if found == "saffron" else f"colour.txt holds {found!r}"


def _nothing(folder: Path) -> None:
    return None


def _judge_fibonacci(folder: Path) -> str:
    before, number = 0, 1
    for _ in range(49):
        before, number = number, before + number
    found = _text(folder / "answer.txt").strip()
    return "" if found == str(number) else f"answer.txt holds {found!r}"


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8-sig") if path.exists() else ""


def _run(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-B", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = (done.stdout or done.stderr)[-300:]
    return "" if done.returncode == 0 else " ".join(said.split()) or "it failed"


def _pytest(folder: Path, path: str) -> str:
    return _run(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null", path)


GOALS = (
    Goal(
        "sales",
        "Read sales.csv, compute the total amount per region, and write it as a markdown table "
        "to report.md",
        _sales,
        _judge_report,
    ),
    Goal(
        "sales_zh",
        "读取 sales.csv，按地区汇总金额，并把结果以 Markdown 表格写入 report.md",
        _sales,
        _judge_report,
    ),
    Goal(
        "words",
        "Count the words in each .txt file and write the counts to counts.json as an object from "
        "file name to count",
        _texts,
        _judge_counts,
    ),
    Goal(
        "prime",
        "Write prime.py with a function is_prime(n), and tests for it in test_prime.py that pass "
        "with pytest",
        _nothing,
        _judge_prime,
    ),
    Goal("calc", "Make the tests pass without changing test_calc.py", _calc, _judge_calc),
    Goal("sort", "Sort the files into one folder per extension", _mixed, _judge_sorted),
    Goal(
        "log",
        "How many ERROR lines are there per hour? Write a CSV hour,count to errors.csv",
        _log,
        _judge_errors,
    ),
    Goal(
        "join",
        "Join users.csv and orders.csv on user_id and write the total spent per user, highest "
        "first, to spend.csv",
        _shop,
        _judge_spend,
    ),
    Goal("notes", "Follow the instructions in notes.md", _notes, _judge_notes),
    Goal(
        "fibonacci",
        "What is the 50th Fibonacci number? Write only the number to answer.txt",
        _nothing,
        _judge_fibonacci,
    ),
)
