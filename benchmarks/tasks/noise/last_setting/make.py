import random
from pathlib import Path

draw = random.Random(205)
keys = ("volume", "language", "timeout", "theme", "proxy", "retries", "channel", "depth")
rows = []
for number in range(800):
    kind = draw.choices(("talk", "set", "unset"), (17, 3, 1))[0]
    name = draw.choice(keys)
    if kind == "talk":
        rows.append(
            draw.choice(
                (
                    f"status ok {number}",
                    "user wants to set it later",
                    f"read {name}",
                    "ping",
                    "please unset nothing",
                )
            )
        )
    else:
        rows.append(f"set {name} {draw.randint(1, 99)}" if kind == "set" else f"unset {name}")
rows.append("unset proxy")
Path("trace.txt").write_text("\n".join(rows) + "\n")
