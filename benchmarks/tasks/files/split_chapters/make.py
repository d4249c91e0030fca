import random
from pathlib import Path

draw = random.Random(9)
words = [
    "river",
    "stone",
    "lamp",
    "window",
    "garden",
    "letter",
    "road",
    "winter",
    "bell",
    "harbour",
]
out = []
for chapter in range(1, 12):
    out.append(f"CHAPTER {chapter}")
    for _ in range(draw.randint(3, 7)):
        out.append(" ".join(draw.choice(words) for _ in range(8)) + ".")
    out.append("As the last CHAPTER said, nothing stays.")
Path("book.txt").write_text("\n".join(out) + "\n")
