from judging import equal, given, kept, lines

wanted = sorted(given("shopping.txt").splitlines())
equal(lines("sorted.txt"), wanted, "sorted.txt")
kept()
