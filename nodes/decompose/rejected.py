"""What a function has to refuse, as far as the goal's words leave no doubt about it."""

import re

_FUNCTION = re.compile(r"(?<![\w.])([A-Za-z_]\w*)\(([A-Za-z_]\w*)\)")
_RAISES = re.compile(
    r"(?:\braises?\s+(?:an?\s+)?|抛出\s*(?:一个\s*)?)`?([A-Z]\w*(?:Error|Exception))"
)
_EMPTY = re.compile(r"\bempty (?:string|text|input|one)\b|空字符串|空串", re.IGNORECASE)
_LENGTH = re.compile(
    r"\b(?:not|unless|other than|anything but|isn't)\b[^.;]{0,30}?\bexactly (\d{1,3}) digits\b"
    r"|(?:不是|并非|除)[^。；]{0,6}恰好\s*(\d{1,3})\s*位数字",
    re.IGNORECASE,
)
_ELSE = re.compile(
    r"\b(?:anything|everything) else\b|其他(?:任何)?(?:输入|字符串|情况|内容)", re.IGNORECASE
)
_LIKE = re.compile(
    r"(?:\bstrings? (?:like|such as)\s+|形如\s*)[`'\"“]([^`'\"”\n]{1,40})[`'\"”]", re.IGNORECASE
)
_SENTENCE = re.compile(r"[.;!?](?=\s|$)|[。；！？\n]")


def rejected_in(goal: str) -> list[str]:
    """Calls that have to raise, as `f('') raises ValueError`; none where the goal speaks of several
    functions, or of one with several arguments.
    """
    functions = {match.groups() for match in _FUNCTION.finditer(goal)}
    if len({name for name, _ in functions}) != 1:
        return []
    name = functions.pop()[0]
    found: list[str] = []
    for sentence in _SENTENCE.split(goal):
        raises = _RAISES.search(sentence)
        if raises:
            given = _inputs(sentence, goal)
            found += [f"{name}({text!r}) raises {raises.group(1)}" for text in given]
    return list(dict.fromkeys(found))


def _inputs(sentence: str, goal: str) -> list[str]:
    """What the sentence, which says that something raises, is surely about."""
    inputs = [""] if _EMPTY.search(sentence) else []
    if length := _LENGTH.search(sentence):
        digits = int(length[1] or length[2])
        long = "1234567890" * (digits // 10 + 1)
        inputs += [long[: digits - 1], long[: digits + 1], f"{long[: digits - 1]}x"]
    if _ELSE.search(sentence) and (like := _LIKE.search(goal)):
        inputs.append(f"{like[1]}?")
    return inputs
