import csv
from pathlib import Path

with Path("contacts.csv").open() as file:
    rows = list(csv.DictReader(file))
seen = set()
with Path("clean.csv").open("w", newline="") as file:
    out = csv.writer(file)
    out.writerow(rows[0])
    for row in rows:
        row = {key: value.strip() for key, value in row.items()}
        row["email"] = row["email"].lower()
        if row["email"] and row["email"] not in seen:
            seen.add(row["email"])
            out.writerow(row.values())
