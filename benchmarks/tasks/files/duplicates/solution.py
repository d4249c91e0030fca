from pathlib import Path

seen = set()
for path in sorted(Path("inbox").iterdir()):
    if path.read_bytes() in seen:
        path.unlink()
    seen.add(path.read_bytes() if path.exists() else b"")
