import runpy
from pathlib import Path

Path("clean.py").write_text("""\
from pathlib import Path

rows = [r for r in Path("raw.txt").read_text().splitlines() if r.strip() and r[0] != "#"]
Path("clean.txt").write_text("\\n".join(rows) + "\\n")
""")
Path("score.py").write_text("""\
import json
from pathlib import Path

score = {}
for line in Path("clean.txt").read_text().splitlines():
    name, points = line.split(":")
    score[name] = score.get(name, 0) + int(points)
Path("score.json").write_text(json.dumps(score))
""")
runpy.run_path("clean.py")
runpy.run_path("score.py")
