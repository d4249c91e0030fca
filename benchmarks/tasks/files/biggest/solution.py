from pathlib import Path

paths = [path for path in Path("store").rglob("*") if path.is_file()]
paths.sort(key=lambda path: -path.stat().st_size)
Path("biggest.txt").write_text("\n".join(path.as_posix() for path in paths[:5]))
