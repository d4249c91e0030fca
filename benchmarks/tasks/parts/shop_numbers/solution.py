import csv
from collections import Counter
from pathlib import Path

with Path("basket.csv").open() as file:
    rows = list(csv.DictReader(file))
sold = Counter()
for row in rows:
    sold[row["product"]] += int(row["quantity"])
revenue = sum(float(row["price"]) * int(row["quantity"]) for row in rows)
Path("customers.txt").write_text(str(len({row["customer"] for row in rows})))
Path("revenue.txt").write_text(f"{revenue:.2f}\n")
Path("favourite.txt").write_text(sold.most_common(1)[0][0])
