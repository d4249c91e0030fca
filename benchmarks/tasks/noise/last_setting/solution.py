from pathlib import Path

held = {}
for line in Path("trace.txt").read_text().splitlines():
    words = line.split()
    if words[0] == "set":
        held[words[1]] = words[2]
    elif words[0] == "unset":
        held.pop(words[1], None)
Path("final.txt").write_text("".join(f"{k}={v}\n" for k, v in sorted(held.items())))
