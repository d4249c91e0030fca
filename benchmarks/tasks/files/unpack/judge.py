import zipfile
from pathlib import Path

from judging import check, equal, kept, lines, start

with zipfile.ZipFile(start() / "bundle.zip") as bundle:
    names = sorted(bundle.namelist())
    for name in names:
        path = Path("unpacked", name)
        check(path.is_file() and path.read_bytes() == bundle.read(name), f"{path} is not as packed")
    wanted = [f"{name} {bundle.getinfo(name).file_size}" for name in names]
equal(lines("contents.txt"), wanted, "contents.txt")
kept()
