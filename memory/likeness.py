"""Whether two texts say the same: what a cosine cannot tell.

"X supports Y" and "X does not support Y" are as near to each other as two ways of saying one thing.
So texts that differ in a number, a name, a path, something quoted, or a word that turns the meaning
around are two memories, however near. Those that differ in nothing but that some words stand in the
place of others ("a white page", "a black page") have to be nearer than what is put otherwise.
"""

import hashlib
import re
import unicodedata

from replan.state.memory import MemoryKind

# Cosine from which two texts of one kind are taken to say the same, if their words allow it. Fitted
# on pairs with the embedded model (benchmarks/retrieval.py): of pairs whose words allow it, and
# that differ all the same, the nearest has 0.90; where words are replaced, 0.95.
SAME_FROM = 0.92
SAME_FROM_WHERE_REPLACED = 0.97

_ID_CHARS = 32
MADE_ID = re.compile(rf"[0-9a-f]{{{_ID_CHARS}}}")  # what `memory_id` gives
_NUMBER = r"\d+(?:[.,:]\d+)*"
_PATH = r"[\w~]*(?:[./\\@_+-]+\w+)+"
_QUOTED = r"`[^`]+`|\"[^\"]+\"|「[^」]+」|“[^”]+”"
_CODED = re.compile(rf"{_QUOTED}|{_PATH}|{_NUMBER}")
_WORD = re.compile(r"[^\W\d_]+(?:['’][a-z]+)?")
_EACH_WORD = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]|[^\W\u3400-\u9fff\uf900-\ufaff]+")
# A capital letter that does not begin a sentence.
_NAME = re.compile(r"(?<![.!?。\n:])(?<!^)\s[\"'(]?([A-Z][\w-]*)|\b([A-Z]{2,}\w*|[a-z]+[A-Z]\w*)\b")
_TURNING = re.compile(
    r"no|not|never|none|nothing|neither|nor|without|cannot|\w+n't|hardly|only|unless|except|instead"
    r"|before|after|until|since|always|sometimes|often|rarely|first|last|true|false|off|up|down"
    r"|more|less|most|least|min|max|minimum|maximum|above|below|over|under|left|right|good|bad|wrong"
    r"|(?:en|dis)able[ds]?|allow(?:s|ed)?|den(?:y|ies|ied)|forbidden|required|optional"
    r"|succeed(?:s|ed)?|fail(?:s|ed)?|pass(?:es|ed)?|(?:in|de)crease[ds]?|add(?:s|ed)?"
    r"|removed?s?|ascending|descending|open(?:s|ed)?|closed?s?|start(?:s|ed)?|stop(?:s|ped)?"
)
_TURNING_HAN = re.compile(
    "[不没沒無无非未别別勿莫否禁允必可前后後上下左右增减減多少大小开開关關成失败敗]"
)


def memory_id(kind: MemoryKind, text: str) -> str:
    """The id of a memory: 32 hexadecimal digits, the same for what is written the same."""
    return hashlib.sha256(f"{kind}\n{normalised(text)}".encode()).hexdigest()[:_ID_CHARS]


def normalised(text: str) -> str:
    """One way of writing characters and blanks. Small and capital letters stay: names have them."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def say_the_same(one: str, other: str, cosine: float, least: float = SAME_FROM) -> bool:
    """Whether two texts say the same.

    Args:
        one: a text.
        other: another.
        cosine: of their vectors.
        least: what it has to be where no words are replaced.
    """
    if _words_replaced(one, other):
        least = max(least, SAME_FROM_WHERE_REPLACED)
    return cosine >= least and may_say_the_same(one, other)


def may_say_the_same(one: str, other: str) -> bool:
    """Whether nothing that decides on the meaning differs between two texts that are near."""
    return _deciding(one) == _deciding(other)


def _words_replaced(one: str, other: str) -> bool:
    """Whether one text is the other with some words, at most half, in the place of as many."""
    ours, theirs = (_EACH_WORD.findall(normalised(text).lower()) for text in (one, other))
    if len(ours) != len(theirs) or sorted(ours) == sorted(theirs):
        return False
    return sum(map(str.__ne__, ours, theirs)) * 2 <= len(ours)


def _deciding(text: str) -> set[str]:
    text = normalised(text)
    found = set(_CODED.findall(text))
    found |= {first or second for first, second in _NAME.findall(text)}
    words = {word.lower().replace("’", "'") for word in _WORD.findall(text)}
    turning = {word for word in words if _TURNING.fullmatch(word)}
    found |= {"not" if word == "cannot" or word.endswith("n't") else word for word in turning}
    return found | set(_TURNING_HAN.findall(text))
