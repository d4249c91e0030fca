import csv
from pathlib import Path

with Path("submissions.csv").open() as file:
    handed = {row["student"] for row in csv.DictReader(file)}
with Path("enrolled.csv").open() as file:
    names = [row["name"] for row in csv.DictReader(file) if row["student_id"] not in handed]
Path("missing.txt").write_text("\n".join(sorted(names)) + "\n")
