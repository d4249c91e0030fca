import random
from pathlib import Path

draw = random.Random(206)
Path("pages").mkdir()
word = list(enumerate("lighthouse", 1))
draw.shuffle(word)
texts = (
    "The key was lost.",
    "A letter came.",
    "Position unknown.",
    "KEYS are in the hall.",
    "Nothing new.",
)
for number in range(1, 31):
    rows = [draw.choice(texts) for _ in range(25)]
    if number % 3 == 0:
        at, letter = word[number // 3 - 1]
        rows[draw.randrange(25)] = f"KEY {at}: {letter}"
    Path(f"pages/page{number:02}.txt").write_text("\n".join(rows) + "\n")
