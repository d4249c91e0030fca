import random
from pathlib import Path

draw = random.Random(44)
for name in ("main", "core/run", "core/state", "core/io/read", "core/io/write", "web/app"):
    path = Path("src", f"{name}.py")
    path.parent.mkdir(parents=True, exist_ok=True)
    body = [draw.choice(("", "x = 1", "# a note", "y = 2")) for _ in range(draw.randint(3, 40))]
    path.write_text("\n".join([*body, "z = 3"]) + "\n")
Path("src/notes.md").write_text("# Notes\n")
Path("src/core/data.pyc").write_text("no source\n")
