from pathlib import Path

Path("logs/old").mkdir()
for path in list(Path("logs").glob("*.log")):
    if path.stem[4:] < "2024-06-01":
        path.rename(Path("logs/old") / path.name)
