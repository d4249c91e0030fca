PAIRS = {")": "(", "]": "[", "}": "{"}


def balanced(text):
    open_ones = []
    for char in text:
        if char in PAIRS.values():
            open_ones.append(char)
        elif char in PAIRS and (not open_ones or open_ones.pop() != PAIRS[char]):
            return False
    return not open_ones
