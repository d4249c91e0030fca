from pathlib import Path

Path("camera").mkdir()
for day, number in (("20240311", 7), ("20240311", 8), ("20231205", 112), ("20250101", 3)):
    Path(f"camera/IMG_{day}_{number:04}.jpg").write_bytes(f"photo {day} {number}".encode())
Path("camera/readme.txt").write_text("Taken with the old camera.\n")
Path("camera/IMG_draft.png").write_bytes(b"no photo")
