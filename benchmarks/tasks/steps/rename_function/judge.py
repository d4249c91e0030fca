from pathlib import Path

from judging import check, equal, kept, probe, run, text

for path in ("main.py", "app/source.py", "app/report.py", "app/total.py"):
    check("load_records" in text(path), f"{path} does not name load_records")
    check("get_data" not in text(path), f"{path} still names get_data")
check(not any("get_data" in p.read_text() for p in Path("app").rglob("*.py")), "get_data is left")
equal(run("main.py").split(), ["3", "a=3,", "b=5,", "c=4"], "main.py")
probe("from app.total import total\nassert total() == 12")
kept("main.py", "app/source.py", "app/report.py", "app/total.py", "app/__init__.py")
