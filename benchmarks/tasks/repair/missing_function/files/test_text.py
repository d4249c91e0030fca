from textkit import count_vowels, is_palindrome, shorten, wrap_words


def test_shorten():
    assert shorten("abcdefgh", 6) == "abc..."
    assert shorten("abc", 6) == "abc"


def test_count_vowels():
    assert count_vowels("Banana") == 3
    assert count_vowels("AEIOU xyz") == 5


def test_is_palindrome():
    assert is_palindrome("Never odd or even")
    assert is_palindrome("A man, a plan, a canal: Panama")
    assert not is_palindrome("palindrome")


def test_wrap_words():
    assert wrap_words("one two three four five", 2) == ["one two", "three four", "five"]
    assert wrap_words("", 3) == []
