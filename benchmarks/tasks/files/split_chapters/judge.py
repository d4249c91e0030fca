import os
import re

from judging import check, equal, given, kept, lines

parts = [part for part in re.split(r"^(?=CHAPTER \d+$)", given("book.txt"), flags=re.M) if part]
check(os.path.isdir("chapters"), "chapters is missing")
equal(sorted(os.listdir("chapters")), [f"{n:02}.txt" for n in range(1, 12)], "chapters")
for number, part in enumerate(parts, 1):
    equal(lines(f"chapters/{number:02}.txt"), part.split("\n")[:-1], f"chapter {number}")
kept()
