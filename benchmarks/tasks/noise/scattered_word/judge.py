from judging import equal, kept, text

equal(text("word.txt").strip().lower(), "lighthouse", "word.txt")
kept()
