import random
from pathlib import Path

draw = random.Random(203)
Path("rules.txt").write_text(
    "Each note names one animal. The answer is the animals of the notes with an even number,\n"
    "in capital letters, in order of the notes, joined by hyphens. Example: CAT-DOG\n"
)
Path("notes").mkdir()
animals = [
    "otter",
    "heron",
    "badger",
    "lynx",
    "stork",
    "marten",
    "ibex",
    "raven",
    "newt",
    "hare",
    "viper",
    "swan",
]
filler = (
    "The path was wet.",
    "We had tea at four.",
    "Nobody spoke.",
    "The map was wrong.",
    "It got late.",
)
for number, animal in enumerate(animals, 1):
    rows = [draw.choice(filler) for _ in range(40)]
    rows[draw.randrange(40)] = f"Animal: {animal}"
    Path(f"notes/{number:02}.txt").write_text("\n".join(rows) + "\n")
