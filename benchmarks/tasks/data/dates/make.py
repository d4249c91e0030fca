import datetime
import random
from pathlib import Path

draw = random.Random(23)
rows = ["visitor,date,minutes"]
for number in range(30):
    day = datetime.date(2023, 1, 1) + datetime.timedelta(days=draw.randrange(700))
    form = draw.choice(("%d/%m/%Y", "%Y-%m-%d", "%d %b %Y"))
    rows.append(f"v{number},{day.strftime(form)},{draw.randint(3, 90)}")
Path("visits.csv").write_text("\n".join(rows) + "\n")
