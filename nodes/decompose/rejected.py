"""What a function has to refuse, as far as the goal's words leave no doubt about it."""

import re

from replan.nodes.decompose.parts import SENTENCE_END

_FUNCTION = re.compile(r"(?<![\w.])([A-Za-z_]\w*)\(([A-Za-z_]\w*)\)")
_RAISES = re.compile(
    r"(?:\braises?\s+(?:an?\s+)?|抛出\s*(?:一个\s*)?)`?([A-Z]\w*(?:Error|Exception))"
)
_NEGATED = re.compile(r"\b(?:not|never|n't|no|without)\s+raises?\b|(?:不|别|勿)\S{0,2}抛出")
_EMPTY = re.compile(r"\bempty (?:string|text)\b|空字符串|空串", re.IGNORECASE)
_LENGTH = re.compile(
    r"\b(?:not|unless|other than|anything but|isn't)\s+(?:it is\s+|has\s+|have\s+)?"
    r"exactly (\d{1,3}) digits\b(?! or\b)"
    r"|(?:不是|并非)\s*恰好\s*(\d{1,3})\s*位数字",
    re.IGNORECASE,
)
_ELSE = re.compile(
    r"\b(?:anything|everything) else\b(?:,? the empty string included)?,?\s+raises?\b"
    r"|其他(?:任何)?(?:输入|字符串|内容)(?:都|则|均|应)?抛出",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"[`'\"“]([\w.:/-]{1,40})[`'\"”]")
_LIKE = re.compile(rf"(?:\bstrings? (?:like|such as)\s+|形如\s*){_QUOTED.pattern}", re.IGNORECASE)
_ALL_LIKE = re.compile(
    rf"\bstrings? (?:like|such as)\s+({_QUOTED.pattern}(?:(?:,|,? or|,? and)\s+{_QUOTED.pattern})*)"
    r"\s+(?:in)?to\b[^.;]{0,30}?\b(?:as an int|as an integer|an int|a whole number)\b",
    re.IGNORECASE,
)
_NO_INT = re.compile(r"\b(?:not|never|float|pair|tuple|list|dict|and an)\b", re.IGNORECASE)
_MOST = 4
_CLAUSE = re.compile(rf"{SENTENCE_END.pattern}|,?\s+\bbut\b|，?但")
# Of a method, or a number, a call with a text says nothing.
_OTHER = re.compile(r"\b(?:class|method|int|integer|number) |类|方法|整数", re.IGNORECASE)


def rejected_in(goal: str) -> list[str]:
    """Calls that have to raise, as `f('') raises ValueError`; none where the goal speaks of several
    functions, of one with several arguments, or of a method.
    """
    functions = {match.groups() for match in _FUNCTION.finditer(goal)}
    if len({name for name, _ in functions}) != 1 or _OTHER.search(goal):
        return []
    name = functions.pop()[0]
    found: list[str] = []
    for clause in _CLAUSE.split(goal):
        raises = _RAISES.search(clause)
        if raises and not _NEGATED.search(clause):
            given = _inputs(clause, goal)
            found += [f"{name}({text!r}) raises {raises.group(1)}" for text in given]
    return list(dict.fromkeys(found))


def accepted_in(goal: str) -> list[str]:
    """Calls that have to give an int, where the goal shows strings that the function turns into
    one: `isinstance(f('3kg'), int) == True`, and one at least no zero.
    """
    functions = {match.groups() for match in _FUNCTION.finditer(goal)}
    listed = _ALL_LIKE.search(goal)
    if (
        len(functions) != 1
        or not listed
        or _NO_INT.search(listed.group())
        or _OTHER.search(goal.replace(listed.group(), ""))
    ):
        return []
    name = functions.pop()[0]
    shown = _QUOTED.findall(listed[1])[:_MOST]
    gives = [f"{name}({text!r})" for text in shown]
    ints = [f"isinstance({one}, int) == True" for one in gives]
    # What gives zero for all of them has understood none.
    amounts = all(re.search(r"[1-9]", text) for text in shown)
    return [*ints, f"any([{', '.join(gives)}]) == True"] if amounts else ints


def _inputs(clause: str, goal: str) -> list[str]:
    """What the clause, which says that something raises, is surely about."""
    empty = _EMPTY.search(clause)
    told = _GIVES.search(clause)  # the empty one gives something, and others raise
    inputs = [""] if empty and not told else []
    if length := _LENGTH.search(clause):
        digits = int(length[1] or length[2])
        long = "1234567890" * (digits // 10 + 1)
        inputs += [long[: digits - 1], long[: digits + 1], f"{long[: digits - 1]}x"]
    if _ELSE.search(clause) and (like := _LIKE.search(goal)):
        inputs.append(f"{like[1]}?")
    return inputs


_GIVES = re.compile(r"\b(?:returns?|gives?|is|yields?)\b|返回|得到", re.IGNORECASE)
