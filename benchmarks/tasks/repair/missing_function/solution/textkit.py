def shorten(text, width):
    """The text, cut to so many characters with ... at its end."""
    return text if len(text) <= width else text[: width - 3] + "..."


def count_vowels(text):
    return sum(char in "aeiou" for char in text.lower())


def is_palindrome(text):
    letters = [char for char in text.lower() if char.isalnum()]
    return letters == letters[::-1]


def wrap_words(text, count):
    words = text.split()
    return [" ".join(words[at : at + count]) for at in range(0, len(words), count)]
