from judging import check, equal, given_rows, kept, table, text

wanted, seen = [], set()
for row in given_rows("contacts.csv"):
    name, email, city = (row[key].strip() for key in ("name", "email", "city"))
    if email and email.lower() not in seen:
        seen.add(email.lower())
        wanted.append([name, email.lower(), city])
found = table("clean.csv", ["name", "email", "city"])
equal(found, wanted, "clean.csv")
raw = [line for line in text("clean.csv").splitlines() if line]
check(
    not any(cell != cell.strip() for line in raw for cell in line.split(",")), "cells have spaces"
)
kept()
