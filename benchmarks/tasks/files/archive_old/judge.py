from pathlib import Path

from judging import equal, start

wanted = {}
for path in (start() / "logs").iterdir():
    home = "logs/old" if path.stem[4:] < "2024-06-01" else "logs"
    wanted[f"{home}/{path.name}"] = path.read_text()
found = {path.as_posix(): path.read_text() for path in Path("logs").rglob("*") if path.is_file()}
equal(sorted(found), sorted(wanted), "logs")
equal(found, wanted, "the files' content")
