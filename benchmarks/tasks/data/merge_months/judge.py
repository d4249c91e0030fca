from judging import equal, given_rows, kept, start, table

wanted = []
for path in sorted((start() / "months").iterdir()):
    for row in given_rows(f"months/{path.name}"):
        wanted.append([path.stem, row["item"], row["count"]])
equal(table("year.csv", ["month", "item", "count"]), wanted, "year.csv")
kept()
