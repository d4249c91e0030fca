from judging import equal, kept, lines

wanted = ["Offer for the roof", "Roof, second offer", "Thanks"]
equal(lines("subjects.txt"), wanted, "subjects.txt")
kept()
