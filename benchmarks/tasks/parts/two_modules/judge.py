from judging import probe

probe("""
from caesar import encode
assert encode("abc xyz", 3) == "def abc"
assert encode("Hello, World! 9", 13) == "Uryyb, Jbeyq! 9"
assert encode("Zz", 1) == "Aa" and encode("Bb", -2) == "Zz" and encode("Same", 26) == "Same"
""")
probe("""
from stats import mean, mode
assert abs(mean([1, 2, 4]) - 7 / 3) < 1e-9 and mean([5]) == 5
assert mode([3, 1, 3, 2]) == 3 and mode([9, 4, 4, 9, 1]) == 4 and mode([8, 7]) == 7
""")
