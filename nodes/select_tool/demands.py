"""What a goal demands of a script or a query, and a look at it tells: an order, a limit, a sum.

A small model does the first half of a sentence and forgets the second.
"""

import re

from replan.nodes.select_tool.parsing import parsed

_ORDER = re.compile(
    r"(?<!is )(?<!are )(?<!already )\b(?:in (?:the )?order of|sorted by|ordered by|"
    r"sort(?:ed)? (?:(?:them|it) )?by)\s+(?:the\s+|their\s+)?[`'\"]?"
    r"(?:(?:total|first|last|original|same|given)\s+)?\w+"
    r"|\b(?:smallest|largest|highest|lowest|longest|shortest|cheapest|most \w+|least \w+) first\b"
    r"|\bin (?:alphabetical|ascending|descending) order\b"
    r"|按[^，。；\n]{1,12}?(?:顺序|排序|排列)|从[大小高低多少]到[大小高低多少]",
    re.IGNORECASE,
)
# As things come, or as the names of files go, they are gone through anyway.
_AS_IT_IS = re.compile(
    r"\b(?:file|name|names|path|paths|month|date|day|chapter|appearance|occurrence|original|same|"
    r"given|input|lines?)\b|文件|日期|月|原|出现|要求|给定|相同",
    re.IGNORECASE,
)
_LISTED = re.compile(
    r"sorted\(\s*(?:glob\.|os\.|[\w.()'\"/]*\.)?(?:i?glob|listdir|iterdir|rglob)\("
)
_SORTS = re.compile(
    r"sort|\bn(?:largest|smallest)\b|most_common|order by|order_by|reversed\(|::-1|heapq|\bmin\(|"
    r"\bmax\(",
    re.IGNORECASE,
)
_NUMBER = r"(\d[\d,]*(?:\.\d+)?)"
# What is told in units is compared in others, or not by a script.
_PLAIN = (
    r"(?![\d.,]*\d)(?!\s*(?:%|percent|per cent|hours?|minutes?|seconds?|days?|weeks?|months?|"
    r"years?|[kmgt]i?b\b|bytes?|words?|characters?|sentences?|lines?|pages?|[kmc]?m\b|[万亿千百个]?"
    r"(?:小时|分钟|秒|天|周|年|字|句|页|%)|[万亿千百]))"
)
_LIMIT = re.compile(
    r"(?<!no )\b(?:more|less|fewer|larger|greater|smaller|bigger|higher|lower|longer|shorter|older|"
    rf"younger) than {_NUMBER}{_PLAIN}"
    rf"|\b(?:at least|at most|above|below|over|under) {_NUMBER}{_PLAIN}"
    rf"|(?:少于|多于|大于|小于|超过|不足|低于|高于|至少|至多)\s*{_NUMBER}{_PLAIN}",
    re.IGNORECASE,
)
_MOST_DIGITS = 15


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
    if wanted and not _AS_IT_IS.search(wanted) and not _SORTS.search(_LISTED.sub("", code)):
        return (
            f"does not sort, and the task wants it {wanted}: collect what is found in a list, with "
            "what it is sorted by, sort the list, and only then go on with it"
        )
    return _limit_forgotten(code, goal)


def forgotten_in_query(query: str, goal: str) -> str:
    """What the query does not do, in words; "" where it does all that can be seen.

    Args:
        query: one SELECT.
        goal: its words, or a task's.
    """
    added = _ADDED_UP.search(goal)
    # Where the query has those words, they are a column's name.
    known = added is None or added.group().casefold() in query.casefold()
    if added and not known and not _ADDS_UP.search(query):
        return (
            f"adds nothing up, and the task speaks of: {added.group()}. Several rows together are "
            "GROUP BY with SUM, COUNT or AVG, and a condition on them is HAVING"
        )
    wanted = order_wanted(goal)
    if wanted and not _AS_FOUND.search(wanted) and not _ORDER_BY.search(query):
        return f"has no ORDER BY, and the task wants it {wanted}"
    return _limit_forgotten(query, goal)


_ADDED_UP = re.compile(
    r"\b(?:totals?|sums?|sum(?:med)? up|add(?:ed)? up|averages?|"
    r"(?:the|a) mean|mean (?:of|value|per)|median|how (?:many|often|much)|"
    r"(?<!phone )(?<!order )(?<!id )(?<!serial )number of|most often)\b"
    r"|总(?!结|体|裁|经理|部|监|是)|合计|平均|共有?多少|个数|次数",
    re.IGNORECASE,
)
_ORDER_BY = re.compile(r"\border\s+by\b", re.IGNORECASE)
_AS_FOUND = re.compile(
    r"\b(?:appearance|occurrence|original|same|given|input|file|lines?)\b|原|出现|给定|相同|文件",
    re.IGNORECASE,
)
_ADDS_UP = re.compile(
    r"\b(?:sum|total|avg|count|median|group\s+by|max|min|\w*length)\b", re.IGNORECASE
)


def _limit_forgotten(code: str, goal: str) -> str:
    numbers = {float(one.replace("_", "")) for one in _NUMBERS.findall(code)}
    for found in _LIMIT.finditer(goal):
        told = next(filter(None, found.groups())).replace(",", "").rstrip(".")
        if len(told) > _MOST_DIGITS:
            continue
        limit = float(told)  # `> 49` is `>= 50`
        if not numbers & {limit, limit + 1, limit - 1}:
            return f"does not compare with {told}, and the task wants: {found.group()}"
    return ""


_NUMBERS = re.compile(r"(?<![\w.])\d[\d_]{0,14}(?:\.\d{1,9})?(?![\w])")


def better_of(first: str, second: str, goal: str) -> str:
    """The second script, where it can be run and does what the first forgot; else the first.

    Args:
        first: a script that forgets something.
        second: what was given when that was said.
        goal: its words, or a task's.
    """
    good = bool(second.strip()) and parsed(second) is not None and not forgotten(second, goal)
    return second if good else first
