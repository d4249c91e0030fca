import random
import zipfile

draw = random.Random(5)
with zipfile.ZipFile("bundle.zip", "w") as bundle:
    for name in ("readme.md", "img/logo.svg", "img/icon.svg", "data/points.csv", "data/old/a.csv"):
        info = zipfile.ZipInfo(name, (2024, 1, 1, 0, 0, 0))
        bundle.writestr(info, "".join(draw.choice("abc \n") for _ in range(draw.randint(20, 900))))
