import random
from pathlib import Path

draw = random.Random(77)
Path("logs").mkdir()
days = [
    f"{draw.choice((2023, 2024))}-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}"
    for _ in range(18)
]
for day in {*days, "2024-06-01", "2024-05-31"}:
    Path(f"logs/app-{day}.log").write_text(f"started on {day}\n")
