from pathlib import Path

rows = sorted(Path("shopping.txt").read_text().splitlines())
Path("sorted.txt").write_text("\n".join(rows) + "\n")
