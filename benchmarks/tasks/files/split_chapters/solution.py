import re
from pathlib import Path

Path("chapters").mkdir()
for part in re.split(r"^(?=CHAPTER \d+$)", Path("book.txt").read_text(), flags=re.M):
    if found := re.match(r"CHAPTER (\d+)", part):
        Path(f"chapters/{int(found[1]):02}.txt").write_text(part)
