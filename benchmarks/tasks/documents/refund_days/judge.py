from judging import equal, text

equal(text("days.txt").strip(), "45", "days.txt")
