import random
from pathlib import Path

draw = random.Random(302)
for name, count in (("north", 4), ("south", 7), ("west", 2)):
    Path(name).mkdir()
    for at in range(count):
        numbers = [str(draw.randint(-9, 99)) for _ in range(draw.randint(1, 9))]
        Path(name, f"n{at}.txt").write_text("\n".join(numbers) + "\n")
