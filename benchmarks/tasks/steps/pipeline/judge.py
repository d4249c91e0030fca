import os
from pathlib import Path

from judging import data, equal, given, kept, lines, run

kept()
wanted = [line for line in given("raw.txt").split("\n") if line and not line.startswith("#")]
equal(lines("clean.txt"), wanted, "clean.txt")
equal(data("score.json"), {"mia": 16, "tom": 8, "zoe": 9}, "score.json")
Path("raw.txt").write_text("# x\nann:1\n\nbob:2\nann:5\n")
os.remove("score.json")
run("clean.py")
run("score.py")
equal(data("score.json"), {"ann": 6, "bob": 2}, "score.json of other points")
