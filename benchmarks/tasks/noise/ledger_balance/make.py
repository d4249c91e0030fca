import random
from pathlib import Path

draw = random.Random(204)
talk = (
    "Rain all day, 12 degrees.",
    "Ole came by at 5.",
    "Must not forget what I paid in May.",
    "Got up at 7.",
    "Read 40 pages.",
    "Ida paid me a visit.",
)
rows = [draw.choice(talk) for _ in range(600)]
for at in draw.sample(range(600), 37):
    name = draw.choice(("Ole", "Ida", "Pavel", "the baker"))
    amount = draw.randint(2, 60)
    rows[at] = draw.choice(
        (f"PAID {amount} to {name}", f"PAID {amount} to {name}", f"GOT {amount} from {name}")
    )
Path("ledger.txt").write_text("\n".join(rows) + "\n")
