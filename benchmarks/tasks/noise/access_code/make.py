import random
from pathlib import Path

draw = random.Random(201)
said = (
    "wind from the west",
    "tug two is ready",
    "berth 7 is free",
    "gate 4 is shut",
    "no traffic at gate 7",
)
who = ("pilot", "tug one", "coast guard", "harbour master")
rows = [f"{n // 60:02}:{n % 60:02} {draw.choice(who)}: {draw.choice(said)}" for n in range(900)]
for at, speaker, words in (
    (203, "harbour master", "the code of gate 7 is 4471"),
    (377, "harbour master", "the code of gate 5 is 9083"),
    (512, "harbour master", "from now on the code of gate 7 is 6128"),
    (640, "pilot", "I believe the code of gate 7 is 4471"),
    (777, "harbour master", "the code of gate 9 is 3350"),
):
    rows[at] = f"{at // 60:02}:{at % 60:02} {speaker}: {words}"
Path("radio.log").write_text("\n".join(rows) + "\n")
