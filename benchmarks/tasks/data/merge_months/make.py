import random
from pathlib import Path

draw = random.Random(14)
Path("months").mkdir()
for month in range(1, 9):
    rows = [
        f"{draw.choice(('tea', 'oil', 'salt'))},{draw.randint(1, 60)}"
        for _ in range(draw.randint(2, 6))
    ]
    Path(f"months/2024-{month:02}.csv").write_text("\n".join(["item,count", *rows]) + "\n")
