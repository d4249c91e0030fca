from judging import equal, given_rows, kept, table

asked = given_rows("questions.csv")
answers = ["1964", "7", "Marou", "2316"]
wanted = [[r["id"], r["question"], a] for r, a in zip(asked, answers, strict=True)]
equal(table("answers.csv", ["id", "question", "answer"]), wanted, "answers.csv")
kept()
