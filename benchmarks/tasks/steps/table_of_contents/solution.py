from pathlib import Path

rows = []
for path in sorted(Path("guide").glob("*.md")):
    body = path.read_text()
    title = next(line[2:] for line in body.splitlines() if line.startswith("# "))
    rows.append(f"- [{title}]({path.name})")
    path.write_text(body + "\n[Index](index.md)\n")
Path("guide/index.md").write_text("\n".join(rows) + "\n")
