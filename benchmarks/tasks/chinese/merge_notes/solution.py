from pathlib import Path

parts = [f"# {p.stem}\n{p.read_text()}" for p in sorted(Path("笔记").glob("*.txt"))]
Path("合集.txt").write_text("".join(parts))
