from judging import equal, kept, text

equal(text("five.txt").strip(), "5", "five.txt")
kept()
