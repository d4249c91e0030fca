def encode(text, shift):
    out = ""
    for char in text:
        if char.isascii() and char.isalpha():
            first = ord("a" if char.islower() else "A")
            char = chr((ord(char) - first + shift) % 26 + first)
        out += char
    return out
