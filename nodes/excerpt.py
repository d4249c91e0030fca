"""What of a long text is about a question: a prompt has room for a part of it, and the beginning is
seldom the part that matters.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence

_PIECE = re.compile(r"[^\n]+?(?:[.!?](?=\s)|[。！？；]|\n|$)\s*")
_WORD = re.compile(r"(?:(?![\u4e00-\u9fff])[^\W\d_]){3,}|\d+|[\u4e00-\u9fff]")
_GAP = " ... "


def excerpt(text: str, question: str, room: int) -> str:
    """The text, or, where it is longer than `room` characters, the sentences and lines of it that
    share the most words with the question, rare words before common ones, in their order; what
    stands there twice, once.
    """
    if len(text) <= room:
        return text
    pieces = [piece for piece in _PIECE.findall(text) if piece.strip()]
    words = [set(_words(piece)) for piece in pieces]
    counts = Counter(word for of in words for word in of)
    asked = set(_words(question))
    weights = {word: math.log(1 + len(pieces) / counts[word]) for word in asked if counts[word]}
    scores = [sum(weights.get(word, 0.0) for word in of) for of in words]
    order = sorted(range(len(pieces)), key=lambda at: (-scores[at], at))
    kept: set[int] = set()
    said_once: set[str] = set()
    left = room
    for at in order:
        size = len(pieces[at]) + len(_GAP)
        if scores[at] and size <= left and pieces[at].strip() not in said_once:
            kept.add(at)
            said_once.add(pieces[at].strip())
            left -= size
    if not kept:
        return text[:room]
    said = ""
    for at in sorted(kept):
        gap = _GAP if at and at - 1 not in kept else ""
        said = f"{said.rstrip()}{gap}{pieces[at]}" if gap else f"{said}{pieces[at]}"
    return said.strip()


def excerpts(texts: Sequence[str], question: str, room: int) -> list[str]:
    """Of each text what is about the question; they share the room, short ones leave theirs."""
    waiting = sorted(range(len(texts)), key=lambda at: len(texts[at]))
    shown: dict[int, str] = {}
    for done, at in enumerate(waiting):
        share = room // (len(waiting) - done)
        shown[at] = excerpt(texts[at], question, share)
        room -= len(shown[at])
    return [shown[at] for at in range(len(texts))]


def _words(text: str) -> list[str]:
    """In small letters, without the ending of a plural; of Chinese each letter is one."""
    found = _WORD.findall(text.lower())
    return [word[:-1] if word.isascii() and len(word) > 3 and word[-1] == "s" else word
            for word in found]  # fmt: skip
