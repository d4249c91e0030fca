from judging import equal, given_rows, kept, lines

handed = {row["student"] for row in given_rows("submissions.csv")}
people = given_rows("enrolled.csv")
wanted = sorted(row["name"] for row in people if row["student_id"] not in handed)
equal([line.strip() for line in lines("missing.txt")], wanted, "missing.txt")
kept()
