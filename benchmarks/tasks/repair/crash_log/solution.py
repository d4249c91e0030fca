import runpy
from pathlib import Path

Path("report.py").write_text("""\
import csv
from collections import defaultdict

totals = defaultdict(float)
with open("expenses.csv") as file:
    for row in csv.DictReader(file):
        totals[row["category"]] += float(row["amount"] or 0)

with open("report.txt", "w") as file:
    for category in sorted(totals):
        file.write(f"{category}: {totals[category]:.2f}\\n")
""")
runpy.run_path("report.py")
