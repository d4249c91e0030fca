from judging import equal, kept, text

equal(text("code.txt").strip(), "6128", "code.txt")
kept()
