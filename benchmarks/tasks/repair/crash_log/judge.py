import os
from collections import defaultdict
from pathlib import Path

from judging import equal, given_rows, kept, lines, run


def totals(rows: list[dict[str, str]]) -> list[str]:
    found: dict[str, float] = defaultdict(float)
    for row in rows:
        found[row["category"]] += float(row["amount"] or 0)
    return [f"{name}: {total:.2f}" for name, total in sorted(found.items())]


kept("report.py")
equal(lines("report.txt"), totals(given_rows("expenses.csv")), "report.txt")
os.remove("report.txt")
Path("expenses.csv").write_text("category,amount\nz,1\na,\nz,2.5\n")
run("report.py")
equal(lines("report.txt"), ["a: 0.00", "z: 3.50"], "report.txt of other expenses")
