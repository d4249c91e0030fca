from pathlib import Path

rows = ["month,item,count"]
for path in sorted(Path("months").glob("*.csv")):
    rows += [f"{path.stem},{line}" for line in path.read_text().splitlines()[1:]]
Path("year.csv").write_text("\n".join(rows) + "\n")
