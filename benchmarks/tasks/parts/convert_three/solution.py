import json
from pathlib import Path

pairs = json.loads(Path("capitals.json").read_text())
Path("capitals.csv").write_text(
    "country,capital\n" + "".join(f"{country},{city}\n" for country, city in pairs.items())
)
degrees = [float(c) * 9 / 5 + 32 for c in Path("celsius.txt").read_text().split()]
Path("fahrenheit.txt").write_text("".join(f"{f:.1f}\n" for f in degrees))
Path("reversed.txt").write_text("\n".join(Path("words.txt").read_text().split()[::-1]) + "\n")
