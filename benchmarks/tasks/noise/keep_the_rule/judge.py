from judging import equal, kept, text

equal(text("answer.txt").strip(), "HERON-LYNX-MARTEN-RAVEN-HARE-SWAN", "answer.txt")
kept()
