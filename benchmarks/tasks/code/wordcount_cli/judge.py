import re
from collections import Counter
from pathlib import Path

from judging import equal, kept, run

Path("other.txt").write_text("b B c, a A-c d1d. x b\n")
for name in ("poem.txt", "other.txt"):
    words = Counter(re.findall("[a-z]+", Path(name).read_text().lower()))
    ranked = sorted(words.items(), key=lambda pair: (-pair[1], pair[0]))
    for count in (1, 3, 6):
        wanted = [f"{word} {times}" for word, times in ranked[:count]]
        equal(run("top.py", name, str(count)).split("\n")[:-1], wanted, f"top.py {name} {count}")
kept()
