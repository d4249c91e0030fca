from judging import equal, given, kept, text

numbers = [int(line) for line in given("numbers.txt").split()]
large = sorted(n for n in numbers if n > 50)
equal(text("sum.txt").strip(), str(sum(numbers)), "sum.txt")
equal(text("triple.txt").strip(), str(3 * sum(numbers)), "triple.txt")
equal(text("large.txt").split(), [str(n) for n in large], "large.txt")
equal(text("done.txt").strip(), str(len(large)), "done.txt")
kept()
