from judging import equal, kept, lines, start

wanted = []
for path in sorted((start() / "笔记").iterdir()):
    wanted += [f"# {path.stem}", *path.read_text(encoding="utf-8").split("\n")[:-1]]
equal([line for line in lines("合集.txt") if line], wanted, "合集.txt")
kept()
