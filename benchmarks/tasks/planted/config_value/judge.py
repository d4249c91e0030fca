from judging import equal, kept, text

equal(text("max_users.txt").strip(), "275", "max_users.txt")
kept()
