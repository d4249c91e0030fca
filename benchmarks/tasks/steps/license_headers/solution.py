from pathlib import Path

count = 0
for folder in ("lib", "tools"):
    for path in Path(folder).rglob("*.py"):
        if not path.read_text().startswith("# Copyright Fern Ltd\n"):
            path.write_text("# Copyright Fern Ltd\n" + path.read_text())
            count += 1
Path("changed.txt").write_text(f"{count}\n")
