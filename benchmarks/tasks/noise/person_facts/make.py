import random
from pathlib import Path

draw = random.Random(202)
names = ("Marta", "Igor", "Selma", "Tim")
talk = (
    "good morning all",
    "who has seen the key?",
    "the coffee is cold again",
    "I like the new chairs",
    "see you at two",
    "has anyone been to Graz?",
    "that dog on the stairs was loud",
)
rows = [f"{draw.choice(names)}: {draw.choice(talk)}" for _ in range(700)]
for at, row in (
    (41, "Igor: I live in Lyon, my dog is called Bruno"),
    (160, "Marta: I moved last year, I live in Ghent now"),
    (289, "Selma: my favourite colour is green"),
    (350, "Marta: my dog is called Pepper, he is old"),
    (498, "Tim: I live in Turin"),
    (611, "Marta: my favourite colour is violet, always was"),
):
    rows[at] = row
Path("chat.txt").write_text("\n".join(rows) + "\n")
