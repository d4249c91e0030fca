from judging import data, equal, given, kept, lines, table

wanted = [list(pair) for pair in data("capitals.json").items()]
equal(table("capitals.csv", ["country", "capital"]), wanted, "capitals.csv")
degrees = [f"{float(c) * 9 / 5 + 32:.1f}" for c in given("celsius.txt").split()]
equal(lines("fahrenheit.txt"), degrees, "fahrenheit.txt")
equal(lines("reversed.txt"), given("words.txt").split()[::-1], "reversed.txt")
kept()
