from pathlib import Path

for name, old, new in (
    ("settings.ini", "2.3.1", "2.4.0"),
    ("app/version.py", "2.3.1", "2.4.0"),
    ("CHANGES.md", "Unreleased", "2.4.0"),
):
    Path(name).write_text(Path(name).read_text().replace(old, new))
