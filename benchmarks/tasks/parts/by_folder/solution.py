import json
from pathlib import Path

for name in ("north", "south", "west"):
    bodies = [path.read_text() for path in Path(name).iterdir()]
    total = sum(int(number) for body in bodies for number in body.split())
    Path(f"{name}.json").write_text(json.dumps({"files": len(bodies), "sum": total}))
