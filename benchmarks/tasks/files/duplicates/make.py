import random
from pathlib import Path

draw = random.Random(12)
Path("inbox").mkdir()
bodies = [f"message {n}\n" * (n + 1) for n in range(6)]
names = [f"{draw.choice('bdkmtw')}{n:02}.txt" for n in range(14)]
for at, name in enumerate(names):
    Path("inbox", name).write_text(bodies[at % 6 if at < 12 else 0])
