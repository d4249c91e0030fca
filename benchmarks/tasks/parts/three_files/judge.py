from judging import equal, lines, text

equal(text("squares.txt").split(), [str(n * n) for n in range(1, 21)], "squares.txt")
equal(len(lines("squares.txt")), 20, "lines of squares.txt")
equal(text("alphabet.txt").strip(), "abcdefghijklmnopqrstuvwxyz", "alphabet.txt")
equal(lines("leap.txt"), [str(year) for year in range(2000, 2061, 4)], "leap.txt")
