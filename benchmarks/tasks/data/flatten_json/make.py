import json
import random
from pathlib import Path

draw = random.Random(61)
devices = []
for number in range(15):
    owner = draw.choice(("Lena", "Omar", "Pia", "Quin"))
    devices.append(
        {
            "id": 700 + number,
            "info": {"name": f"node-{draw.randint(10, 99)}", "rack": draw.choice("AB")},
            "owner": {"name": owner, "mail": f"{owner.lower()}@lab.example"},
            "ports": [{"no": n, "up": draw.random() < 0.5} for n in range(draw.randint(0, 5))],
        }
    )
Path("devices.json").write_text(json.dumps({"devices": devices}, indent=1))
