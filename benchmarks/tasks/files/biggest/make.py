import random
from pathlib import Path

draw = random.Random(31)
sizes = draw.sample(range(10, 9000), 24)
for at, size in enumerate(sizes):
    folder = Path("store", *draw.choice(((), ("a",), ("a", "deep"), ("b",), ("c", "x", "y"))))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"part{at:02}.bin").write_bytes(b"x" * size)
