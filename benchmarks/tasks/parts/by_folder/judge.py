from judging import data, equal, kept, start

for name in ("north", "south", "west"):
    bodies = [path.read_text() for path in (start() / name).iterdir()]
    total = sum(int(number) for body in bodies for number in body.split())
    equal(data(f"{name}.json"), {"files": len(bodies), "sum": total}, f"{name}.json")
kept()
