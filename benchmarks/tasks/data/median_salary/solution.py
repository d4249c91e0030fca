import csv
import json
import statistics
from collections import defaultdict
from pathlib import Path

pay = defaultdict(list)
with Path("salaries.csv").open() as file:
    for row in csv.DictReader(file):
        pay[row["department"]].append(int(row["salary"]))
stats = {name: {"count": len(of), "median": statistics.median(of)} for name, of in pay.items()}
Path("stats.json").write_text(json.dumps(stats, indent=2))
