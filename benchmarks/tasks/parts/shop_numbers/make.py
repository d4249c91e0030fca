import random
from pathlib import Path

draw = random.Random(301)
price = {"soap": 2.35, "brush": 4.8, "towel": 11.99, "sponge": 0.95}
rows = ["customer,product,price,quantity"]
for _ in range(70):
    product = draw.choice([*price, "sponge"])
    rows.append(f"C{draw.randint(1, 25):02},{product},{price[product]},{draw.randint(1, 6)}")
Path("basket.csv").write_text("\n".join(rows) + "\n")
