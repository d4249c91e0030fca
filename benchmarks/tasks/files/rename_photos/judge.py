import os

from judging import equal, kept, start, text

wanted = {"readme.txt", "IMG_draft.png"}
for path in sorted((start() / "camera").glob("IMG_*.jpg")):
    day, number = path.stem.split("_")[1:]
    name = f"{day[:4]}-{day[4:6]}-{day[6:]}_{number}.jpg"
    wanted.add(name)
    equal(text(f"camera/{name}"), path.read_text(), name)
equal(set(os.listdir("camera")), wanted, "camera")
kept(*(f"camera/{path.name}" for path in (start() / "camera").glob("IMG_*.jpg")))
