"""What a goal demands of a script and a look at the script tells: an order, and a limit.

A small model does the first half of a sentence and forgets the second.
"""

import re

_ORDER = re.compile(
    r"\b(?:in (?:the )?order of|sorted by|ordered by|sort(?:ed)? (?:them|it)? ?by)\s+(?:the\s+)?"
    r"[`'\"]?(\w+)[^.,;:\n]{0,40}"
    r"|\b(?:smallest|largest|highest|lowest|longest|shortest|newest|oldest|latest|earliest|most"
    r" \w+|least \w+) first\b"
    r"|\bin (?:alphabetical|ascending|descending|reverse) order\b"
    r"|按[^，。；\n]{1,12}?(?:顺序|排序|排列)|从[大小高低多少]到[大小高低多少]",
    re.IGNORECASE,
)
# In the order of their names files are gone through anyway.
_OF_NAMES = re.compile(r"(?:file|name|path|month|date|day|chapter|文件|日期|月)", re.IGNORECASE)
_LISTED = re.compile(
    r"sorted\(\s*(?:glob\.|os\.|[\w.()'\"/]*\.)?(?:i?glob|listdir|iterdir|rglob)\("
)
_SORTS = re.compile(r"\bsort|\bn(?:largest|smallest)\b|most_common|order_by|ORDER BY|reversed\(")
_LIMIT = re.compile(
    r"\b(?:more|less|fewer|larger|greater|smaller|bigger|higher|lower|longer|shorter|older|younger)"
    r" than (\d+)\b(?! ?%)|\b(?:at least|at most|above|below|over|under) (\d+)\b(?! ?%)"
    r"|(?:少于|多于|大于|小于|超过|不足|低于|高于|至少|至多)\s*(\d+)(?! ?%)",
    re.IGNORECASE,
)


def order_wanted(goal: str) -> str:
    """The words that say in which order things are to be; "" where none do.

    Args:
        goal: its words, or a task's.
    """
    found = _ORDER.search(goal)
    return " ".join(found.group().split()) if found else ""


def forgotten(code: str, goal: str) -> str:
    """What the script does not do, in words; "" where it does all that can be seen.

    Args:
        code: the script.
        goal: its words, or a task's.
    """
    wanted = order_wanted(goal)
    if wanted and not _OF_NAMES.search(wanted) and not _SORTS.search(_LISTED.sub("", code)):
        return f"does not sort, and the task wants it {wanted}"
    for found in _LIMIT.finditer(goal):
        number = next(filter(None, found.groups()))
        near = {number, str(int(number) + 1), str(int(number) - 1)}  # `> 49` is `>= 50`
        if not near & set(_NUMBER.findall(code)):
            return f"does not compare with {number}, and the task wants: {found.group()}"
    return ""


_NUMBER = re.compile(r"\d+")
