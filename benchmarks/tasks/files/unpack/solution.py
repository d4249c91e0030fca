import zipfile
from pathlib import Path

with zipfile.ZipFile("bundle.zip") as bundle:
    bundle.extractall("unpacked")
    rows = [f"{one.filename} {one.file_size}" for one in bundle.infolist()]
Path("contents.txt").write_text("\n".join(sorted(rows)) + "\n")
