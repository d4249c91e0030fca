from pathlib import Path

Path("squares.txt").write_text("".join(f"{n * n}\n" for n in range(1, 21)))
Path("alphabet.txt").write_text("abcdefghijklmnopqrstuvwxyz\n")
Path("leap.txt").write_text("".join(f"{year}\n" for year in range(2000, 2061, 4)))
