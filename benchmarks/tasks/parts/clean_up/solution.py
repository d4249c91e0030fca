from pathlib import Path

for path in list(Path().rglob("*.tmp")):
    path.unlink()
Path("report_final_v2.txt").rename("report.txt")
rows = Path("meeting.txt").read_text().splitlines()
todo = [row.removeprefix("TODO:").strip() for row in rows if row.startswith("TODO:")]
Path("todo.txt").write_text("\n".join(todo) + "\n")
