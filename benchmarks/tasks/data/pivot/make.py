import random
from pathlib import Path

draw = random.Random(71)
rows = ["ticket,team,priority"]
for number in range(90):
    team = draw.choice(("billing", "network", "mobile", "search", "web"))
    levels = ("low", "medium") if team == "mobile" else ("low", "medium", "high")
    rows.append(f"T-{number:04},{team},{draw.choice(levels)}")
Path("tickets.csv").write_text("\n".join(rows) + "\n")
