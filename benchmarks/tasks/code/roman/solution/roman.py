STEPS = (
    (1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"),
    (50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"),
)  # fmt: skip


def to_roman(n):
    if not 1 <= n <= 3999:
        raise ValueError(n)
    out = ""
    for value, sign in STEPS:
        while n >= value:
            out += sign
            n -= value
    return out


def from_roman(text):
    total = 0
    for value, sign in STEPS:
        while text.startswith(sign):
            total += value
            text = text[len(sign) :]
    return total
