from judging import equal, text

found = text("best.txt").strip().rstrip(".").lower().removeprefix("pump ")
equal(found, "b7", "best.txt")
