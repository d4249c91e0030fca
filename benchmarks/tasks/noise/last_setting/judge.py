from judging import check, equal, given, kept, lines

held = {}
for line in given("trace.txt").splitlines():
    match line.split():
        case ["set", name, value]:
            held[name] = value
        case ["unset", name]:
            held.pop(name, None)
check(len(held) >= 3, "too few settings hold")
equal(lines("final.txt"), [f"{name}={held[name]}" for name in sorted(held)], "final.txt")
kept()
