import os

from judging import check, equal, start, text

first = {}
for path in sorted((start() / "inbox").iterdir()):
    first.setdefault(path.read_bytes(), path.name)
check(os.path.isdir("inbox"), "inbox is missing")
equal(sorted(os.listdir("inbox")), sorted(first.values()), "inbox")
for body, name in first.items():
    equal(text(f"inbox/{name}").encode(), body, name)
check(len(first) < len(list((start() / "inbox").iterdir())), "nothing to delete")
