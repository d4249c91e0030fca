"""Fifteen questions to tables, as tasks for the bench.

    .venv/bin/python benchmarks/table_questions.py FOLDER
    .venv/bin/python benchmarks/bench.py --suite FOLDER --results FOLDER/results

The tables are made from a seed, what is right is computed here in Python; a judge compares the file
that was written, cell by cell, numbers by their value. `--seed` makes other tables for the same
questions.
"""

import argparse
import csv
import json
import random
import statistics
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

Row = dict[str, str]

JUDGE = """\
import csv
from pathlib import Path

from judging import check, equal

def value(cell):
    try:
        return round(float(cell), 4)
    except ValueError:
        return cell.strip()

path = Path({path!r})
check(path.is_file(), "it is missing")
lines = path.read_text("utf-8-sig").splitlines()
rows = [[value(cell) for cell in row] for row in csv.reader(lines) if row]
rows = rows[1:] if path.suffix == ".csv" else rows
wanted = [[value(cell) for cell in row] for row in {wanted!r}]
equal(rows, wanted, "the rows")
"""


@dataclass(frozen=True)
class Question:
    """A goal, its tables by path, and the rows that the file it names should have."""

    goal: str
    tables: dict[str, list[Row]]
    path: str
    wanted: list[list[object]]


def questions(seed: int) -> list[Question]:
    """All of them."""
    chance = random.Random(seed)
    return [*_of_orders(chance), *_of_staff(chance), *_of_people(chance), *_of_folders(chance)]


def _sums(rows: Iterable[Row], key: Callable[[Row], str], column: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for row in rows:
        found[key(row)] += int(row[column])
    return found


def _most_first(counts: Counter[str]) -> list[list[object]]:
    return [[name, count] for name, count in sorted(counts.items(), key=lambda one: -one[1])]


def _of_orders(chance: random.Random) -> list[Question]:
    names = ["Ada", "Bert", "Cleo", "Dora", "Emil", "Finn", "Gina"]
    cities = ("Bonn", "Lyon", "Graz")
    people = [
        {"id": str(at), "name": name, "city": chance.choice(cities)}
        for at, name in enumerate(names, 1)
    ]
    orders = [
        {
            "order": str(100 + at),
            "customer": str(chance.randint(1, 6)),
            "product": chance.choice(("lamp", "desk", "chair", "sofa")),
            "amount": str(chance.randint(5, 90)),
            "date": f"2024-{chance.randint(1, 6):02d}-{chance.randint(1, 28):02d}",
        }
        for at in range(30)
    ]
    both, alone = {"customers.csv": people, "orders.csv": orders}, {"orders.csv": orders}
    by_id = {one["id"]: one for one in people}
    buyers = {one["customer"] for one in orders}
    months = _sums(orders, lambda one: one["date"][:7], "amount")
    products = _sums(orders, lambda one: one["product"], "amount")
    cities_sum = _sums(orders, lambda one: by_id[one["customer"]]["city"], "amount")
    lamps = sum(one["product"] == "lamp" for one in orders)
    largest = sorted(orders, key=lambda one: -int(one["amount"]))[:3]
    firsts = {who: min(one["date"] for one in orders if one["customer"] == who) for who in buyers}

    def sold(who: str, what: str) -> int:
        bought = [one for one in orders if (one["customer"], one["product"]) == (who, what)]
        return sum(int(one["amount"]) for one in bought)

    return [
        Question(
            "Join orders.csv with customers.csv and write the total amount per city to cities.csv "
            "with the header city,total, highest total first.",
            both,
            "cities.csv",
            _most_first(cities_sum),
        ),
        Question(
            "Which product in orders.csv brought in the most money? Write only its name to "
            "best.txt.",
            alone,
            "best.txt",
            [[max(products, key=lambda name: products[name])]],
        ),
        Question(
            "Write the names of customers in customers.csv who have no order in orders.csv to "
            "none.txt, one per line, alphabetically.",
            both,
            "none.txt",
            [[one["name"]] for one in people if one["id"] not in buyers],
        ),
        Question(
            "Sum the amounts of orders.csv per month and write months.csv with the header "
            "month,total in order of month, month as 2024-01.",
            alone,
            "months.csv",
            [[month, months[month]] for month in sorted(months)],
        ),
        Question(
            "List the three largest orders of orders.csv with the name of the customer from "
            "customers.csv: big.csv, header order,name,amount, largest first.",
            both,
            "big.csv",
            [[one["order"], by_id[one["customer"]]["name"], one["amount"]] for one in largest],
        ),
        Question(
            "Write first.csv (header name,date) with the date of the first order of each customer "
            "that has one, by name; the orders are in orders.csv, the customers in customers.csv.",
            both,
            "first.csv",
            [[one["name"], firsts[one["id"]]] for one in people if one["id"] in buyers],
        ),
        Question(
            "From orders.csv make pivot.csv with one row per customer (the number) and the columns "
            "customer,lamp,desk, the sums of amount for these two products, 0 where there is none, "
            "sorted by customer.",
            alone,
            "pivot.csv",
            [[who, sold(who, "lamp"), sold(who, "desk")] for who in sorted(buyers)],
        ),
        Question(
            "What share of the orders in orders.csv is for a lamp? Write the percentage with one "
            "decimal to share.txt.",
            alone,
            "share.txt",
            [[round(100 * lamps / len(orders), 1)]],
        ),
    ]


def _of_staff(chance: random.Random) -> list[Question]:
    names = ["Amy", "Bob", "Cid", "Dan", "Eve", "Fay", "Gus", "Hal", "Ivy", "Jon", "Kim"]
    # Salaries that differ, so that there is one highest.
    salaries = chance.sample(range(30, 80), len(names))
    staff = [
        {"name": name, "dept": chance.choice(("IT", "HR", "Ops")), "salary": str(100 * salary)}
        for name, salary in zip(names, salaries, strict=True)
    ]
    of: dict[str, list[Row]] = {}
    for one in staff:
        of.setdefault(one["dept"], []).append(one)
    mean = statistics.mean(int(one["salary"]) for one in staff)
    top = {dept: max(rows, key=lambda one: int(one["salary"])) for dept, rows in of.items()}
    tables = {"staff.csv": staff}
    return [
        Question(
            "For each department in staff.csv write to dept.csv (header dept,count,average) how "
            "many people it has and their average salary with two decimals, sorted by department.",
            tables,
            "dept.csv",
            [
                [dept, len(rows), round(statistics.mean(int(one["salary"]) for one in rows), 2)]
                for dept, rows in sorted(of.items())
            ],
        ),
        Question(
            "Write to rich.txt the names of everyone in staff.csv who earns more than the average "
            "of all, one per line, in alphabetical order.",
            tables,
            "rich.txt",
            [[one["name"]] for one in staff if int(one["salary"]) > mean],
        ),
        Question(
            "Who earns most in each department of staff.csv? Write top.csv with header "
            "dept,name,salary, sorted by dept.",
            tables,
            "top.csv",
            [[dept, top[dept]["name"], top[dept]["salary"]] for dept in sorted(top)],
        ),
    ]


def _of_people(chance: random.Random) -> list[Question]:
    mails = ("A@x.org", "b@x.org ", "", "c@y.net")
    people = [{"name": name, "email": chance.choice(mails)} for name in "pqrstuvw"]
    clean = [(one["name"], mail) for one in people if (mail := one["email"].strip().lower())]
    counts = Counter(mail for _, mail in clean)
    tables = {"people.csv": people}
    return [
        Question(
            "Clean people.csv: write clean.csv with header name,email, emails trimmed and in lower "
            "case, leaving out rows without an email, sorted by name.",
            tables,
            "clean.csv",
            [list(one) for one in clean],
        ),
        Question(
            "How often does each email address occur in people.csv, ignoring upper and lower case "
            "and spaces around it? Empty ones do not count. Write counts.csv (email,count), most "
            "frequent first, then alphabetically.",
            tables,
            "counts.csv",
            [list(one) for one in sorted(counts.items(), key=lambda one: (-one[1], one[0]))],
        ),
    ]


def _of_folders(chance: random.Random) -> list[Question]:
    goods = chance.sample(range(3, 13), 4)
    stock = [
        {"仓库": place, "商品": name, "数量": str(count + at)}
        for at, place in enumerate("东西北")
        for name, count in zip(("书包", "雨伞", "台灯", "水杯"), goods, strict=True)
    ]
    few = [
        (count, name)
        for name, count in _sums(stock, lambda one: one["商品"], "数量").items()
        if count < 25
    ]
    months = {
        f"months/2024-{month:02d}.csv": [
            {"item": "salt", "count": str(chance.randint(1, 9))},
            {"item": "tea", "count": str(chance.randint(1, 9))},
        ]
        for month in (2, 1, 3)
    }
    return [
        Question(
            "请统计 库存.json 中每种商品的总数量，把总数量少于 25 的商品名按数量从少到多写入 "
            "补货.txt，每行一个。",
            {"库存.json": stock},
            "补货.txt",
            [[name] for _, name in sorted(few)],
        ),
        Question(
            "Merge the monthly files: months/ has one CSV per month such as 2024-01.csv with the "
            "columns item,count. Write year.csv with header month,item,count in order of month.",
            months,
            "year.csv",
            [
                [path[7:14], row["item"], row["count"]]
                for path, rows in sorted(months.items())
                for row in rows
            ],
        ),
    ]


def write(question: Question, folder: Path) -> None:
    """The question as a task of the bench, in a folder of its own."""
    for path, rows in question.tables.items():
        file = folder / "files" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if path.endswith(".json"):
            numbers = [{**row, "数量": int(row["数量"])} for row in rows]
            file.write_text(json.dumps(numbers, ensure_ascii=False, indent=1), "utf-8")
            continue
        with file.open("w", encoding="utf-8", newline="") as opened:
            writer = csv.DictWriter(opened, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    wanted = [[str(cell) for cell in row] for row in question.wanted]
    (folder / "judge.py").write_text(JUDGE.format(path=question.path, wanted=wanted), "utf-8")
    (folder / "task.toml").write_text(f'goal = """{question.goal}"""\nsplit = "dev"\n', "utf-8")


def main() -> None:
    """Write them all."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=5)
    asked = parser.parse_args()
    for at, question in enumerate(questions(asked.seed)):
        write(question, asked.folder / "tables" / f"{at:02d}_{Path(question.path).stem}")


if __name__ == "__main__":
    main()
