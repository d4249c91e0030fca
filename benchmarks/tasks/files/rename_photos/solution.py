from pathlib import Path

for path in Path("camera").glob("IMG_*_*.jpg"):
    day, number = path.stem.split("_")[1:]
    path.rename(path.with_name(f"{day[:4]}-{day[4:6]}-{day[6:]}_{number}.jpg"))
