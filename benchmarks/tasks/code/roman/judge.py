from judging import probe

probe("""
from roman import from_roman, to_roman
known = {1: "I", 4: "IV", 9: "IX", 14: "XIV", 40: "XL", 90: "XC", 400: "CD", 900: "CM",
         1994: "MCMXCIV", 2024: "MMXXIV", 3999: "MMMCMXCIX", 58: "LVIII"}
for n, roman in known.items():
    assert to_roman(n) == roman, (n, to_roman(n))
    assert from_roman(roman) == n, (roman, from_roman(roman))
assert all(from_roman(to_roman(n)) == n for n in range(1, 4000))
for n in (0, -1, 4000):
    try:
        to_roman(n)
    except ValueError:
        continue
    raise AssertionError(f"no ValueError for {n}")
""")
