import random
from pathlib import Path

draw = random.Random(17)
rows = ["person,department,salary"]
for number in range(61):
    rows.append(
        f"P{number:03},{draw.choice(('Legal', 'Sales', 'Design', 'Support'))},{draw.randint(2200, 7900)}"
    )
Path("salaries.csv").write_text("\n".join(rows) + "\n")
