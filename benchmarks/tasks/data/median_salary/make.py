import random
from pathlib import Path

draw = random.Random(17)
rows = ["person,department,salary"]
for number in range(61):
    department = draw.choice(("Legal", "Sales", "Design", "Support"))
    rows.append(f"P{number:03},{department},{draw.randint(2200, 7900)}")
Path("salaries.csv").write_text("\n".join(rows) + "\n")
