import csv
import datetime
from pathlib import Path

with Path("visits.csv").open() as file, Path("visits_iso.csv").open("w", newline="") as out:
    writer = csv.writer(out)
    for row in csv.reader(file):
        for form in ("%d/%m/%Y", "%Y-%m-%d", "%d %b %Y"):
            try:
                row[1] = datetime.datetime.strptime(row[1], form).date().isoformat()
            except ValueError:
                continue
        writer.writerow(row)
