import csv
from collections import Counter
from pathlib import Path

with Path("tickets.csv").open() as file:
    count = Counter((row["team"], row["priority"]) for row in csv.DictReader(file))
out = ["team,low,medium,high"]
for team in sorted({team for team, _ in count}):
    out.append(",".join([team, *(str(count[team, one]) for one in ("low", "medium", "high"))]))
Path("grid.csv").write_text("\n".join(out) + "\n")
