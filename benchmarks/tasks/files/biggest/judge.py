from judging import equal, kept, lines, start

paths = [path for path in (start() / "store").rglob("*") if path.is_file()]
paths.sort(key=lambda path: -path.stat().st_size)
wanted = [path.relative_to(start()).as_posix() for path in paths[:5]]
found = [line.strip().removeprefix("./") for line in lines("biggest.txt")]
equal(found, wanted, "biggest.txt")
kept()
