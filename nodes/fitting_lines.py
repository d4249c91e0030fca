"""Which lines of a list have what the goal asks for: a small model copies the others as well.

A list that documents hold (names, departments, numbers) is told again without the lines that lack
a word of the goal which stands in others as a field of its own.
"""

import re
from collections import Counter
from collections.abc import Iterator

_ITEM = re.compile(r"^\s*(?:[-*•|]|\d+[.)])\s*(.*)$", re.MULTILINE)
_FIELDS = re.compile(r"[,;|\t，、；]|\s[-–]\s")
_SIGN = r"[a-z0-9À-ɏ]"  # Chinese leaves no space beside a name in Latin letters.
_LEAST_LINES = 4
_LEAST_FITTING = 2
_MOST_SHOWN = 20
# Others matter too.
OTHERWISE = re.compile(
    r"\b(?:not|except|outside|other than|without|but|share|compar\w+|none of)\b|不|除|以外|占",
    re.IGNORECASE,
)


def fitting_lines(goal: str, text: str) -> str:
    """The lines of the lists in the text that hold, as one of their fields, the one word that the
    goal names; "" where no word, or more than one, parts the lines, or where there are few.

    Args:
        goal: its words.
        text: what was found.
    """
    items = [line.strip(" |") for line in _ITEM.findall(text)]
    items = [line for line in items if len(_FIELDS.split(line)) > 1]
    if len(items) < _LEAST_LINES or OTHERWISE.search(goal):
        return ""
    counts = Counter(field for line in items for field in set(_fields(line)))
    words = [
        field
        for field, count in counts.items()
        if _LEAST_FITTING <= count < len(items) and is_named(field, goal)
    ]
    if len(words) != 1:
        return ""
    fitting = [line for line in items if words[0] in _fields(line)]
    if len(fitting) > _MOST_SHOWN:
        return ""
    lines = "\n".join(f"- {line}" for line in fitting)
    return f"Of these lines, those that hold {words[0]!r}:\n{lines}"


def is_named(field: str, goal: str) -> bool:
    """Whether the goal has the field, which is no number, as words of its own.

    Args:
        field: in small letters, as `casefold` gives it.
        goal: its words.
    """
    if len(field) < _LEAST_FITTING or field.isdigit():
        return False
    return bool(re.search(rf"(?<!{_SIGN}){re.escape(field)}(?!{_SIGN})", goal.casefold())) or (
        not field.isascii() and field in goal
    )


def _fields(line: str) -> Iterator[str]:
    for field in _FIELDS.split(line):
        yield field.strip().casefold()
