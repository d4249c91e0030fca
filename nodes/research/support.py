"""Whether a source holds a claim: evidence in letters and figures, not an opinion.

A claim rests on a passage. The passage has to stand in the source; what the claim names and counts
has to stand in the passage; and a claim in the passage's language has to be about the same thing.
What this cannot see is a claim that turns the passage's meaning round in its own words: therefore
every citation shows its passage.
"""

import re
import unicodedata
from collections.abc import Iterator

from replan.tools.documents.chunks import words

_WIDE = r"\u3000-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef"
_BLANK_AT_WIDE = re.compile(rf"(?<=[{_WIDE}])\s+|\s+(?=[{_WIDE}])")
_HAN_SIGNS = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_HAN = re.compile(f"[{_HAN_SIGNS}]")
_LETTERS = re.compile(r"[^\W\d_]")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_GROUPS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_NUMERAL = re.compile(r"[〇零一二两三四五六七八九十百千]+")
_DIGITS = {sign: value for value, sign in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_SMALL = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety", "hundred")
_WORDS = {word: value for value, word in enumerate(_SMALL)} | {
    word: 10 * value for value, word in enumerate(_TENS, 2)
}
_ANY_WORD = "|".join(_WORDS)
_NUMBER_WORDS = re.compile(rf"\b(?:{_ANY_WORD})(?:(?:\s+and\s+|\s+|-)(?:{_ANY_WORD}))*\b")
_WORD = re.compile(r"[a-z]+")
_LETTERED = re.compile(rf"(?![{_HAN_SIGNS}])[^\W\d_](?:(?![{_HAN_SIGNS}])[\w.&'’-])*")
_QUOTED = re.compile(r"[“\"«「『《]([^”\"»」』》]{2,80})[”\"»」』》]")
_END = re.compile(r"[.!?。！？:：;；]\s*$")
_SAME_STEM = 5
_ABOUT = 0.5


def problem_of(claim: str, passage: str, source: str) -> str:
    """Why the source does not hold the claim, in one line; "" when it does.

    Args:
        claim: the statement.
        passage: what it rests on, word for word.
        source: the source's whole text.
    """
    if not claim.strip() or not passage.strip():
        return "there is no statement, or no passage"
    if plain(passage) not in plain(source):
        return "the passage is not in the source"
    there = set(numbers(passage, all_numerals=True))
    for number in numbers(claim):
        if number not in there:
            return f"the passage does not give the number {number}"
    inside = plain(passage)
    for name in names(claim):
        if plain(name) not in inside:
            return f"the passage does not name {name!r}"
    return "" if _about(claim, passage) else "the passage is about something else"


def plain(text: str) -> str:
    """The text as it is compared: one width and case, one blank where there are any, and none
    beside Chinese characters, which lines break between.
    """
    line = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return _BLANK_AT_WIDE.sub("", line)


def numbers(text: str, all_numerals: bool = False) -> Iterator[str]:
    """The numbers of a text in one form: figures without marks between thousands, English words
    up to a hundred, Chinese numerals.

    Args:
        text: what is looked through.
        all_numerals: whether words count that need not be numbers, such as "one", or 一 in 一些.
            What proves is read in all ways, what has to be proved only in the plain one.
    """
    figures = _GROUPS.sub("", unicodedata.normalize("NFKC", text))
    for match in _NUMBER.finditer(figures):
        yield _canonical(match[0])
    for match in _NUMBER_WORDS.finditer(figures.casefold()):
        values = [_WORDS[word] for word in _WORD.findall(match[0]) if word != "and"]
        if all_numerals or values != [1]:
            yield str(_sum(values))
        if all_numerals and len(values) > 1:
            yield from map(str, values)
    for match in _NUMERAL.finditer(text):
        if all_numerals or (len(match[0]) > 1 and any(unit in match[0] for unit in _UNITS)):
            yield str(_value(match[0]))


def _sum(values: list[int]) -> int:
    """One, hundred, eighty are 180."""
    total = 0
    for value in values:
        total = max(total, 1) * 100 if value == 100 else total + value
    return total


def _canonical(figure: str) -> str:
    whole, point, part = figure.replace(",", ".").partition(".")
    part = part.rstrip("0")
    return (whole.lstrip("0") or "0") + (f".{part}" if point and part else "")


def _value(numeral: str) -> int:
    """十六 is 16, 三百二十 is 320, 二〇二四 is 2024."""
    if not any(unit in numeral for unit in _UNITS):
        return int("".join(str(_DIGITS[sign]) for sign in numeral))
    total, digit = 0, 0
    for sign in numeral:
        if sign in _UNITS:
            total += (digit or 1) * _UNITS[sign]
            digit = 0
        else:
            digit = _DIGITS[sign]
    return total + digit


def names(claim: str) -> Iterator[str]:
    """What a claim calls by name: words with a capital or a figure in them, except that the first
    of a sentence needs more than its capital; every Latin word in a Chinese claim; and what stands
    in quotation marks.
    """
    in_han = bool(_HAN.search(claim))
    for match in _LETTERED.finditer(claim):
        word = match[0].rstrip(".'’-")
        begins = not claim[: match.start()].strip() or bool(_END.search(claim[: match.start()]))
        marked = word[1:] != word[1:].lower() or any(sign.isdigit() for sign in word)
        if marked or (in_han and len(word) > 1) or (word[:1].isupper() and not begins):
            if word == "I":
                continue
            yield word.removesuffix("'s").removesuffix("’s")
    for match in _QUOTED.finditer(claim):
        yield match[1].strip(" ,.，。")


def _about(claim: str, passage: str) -> bool:
    """Whether enough of the claim's words are the passage's; of two languages nothing is said."""
    if _is_han(claim) != _is_han(passage):
        return True
    said = [word for word in words(claim) if len(word) > 2 or _HAN.search(word)]
    there = words(passage)
    stems = {word[:_SAME_STEM] for word in there}
    shared = [word for word in said if word in there or word[:_SAME_STEM] in stems]
    return not said or len(shared) >= _ABOUT * len(said)


def _is_han(text: str) -> bool:
    letters = _LETTERS.findall(text)
    return 2 * len(_HAN.findall(text)) > len(letters) if letters else False
