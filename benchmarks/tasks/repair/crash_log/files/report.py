import csv

totals = {}
with open("expenses.csv") as file:
    for row in csv.DictReader(file):
        totals[row["category"]] += float(row["amount"])

with open("report.txt", "w") as file:
    for category in totals:
        file.write(f"{category}: {totals[category]}")
