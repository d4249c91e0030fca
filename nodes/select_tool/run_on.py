"""Notices an answer that goes on and on, and takes what is good of it.

A small model that has begun a list (assert f(2) ..., assert f(3) ...) often never ends it: the
answer is cut off by its limit, minutes later. No sampling penalty was found that stops it: they
changed the numbers, not the list.
"""

import re

_SAME_LINES = 8
_KEPT_LINES = 5
_VALUES = re.compile(r"\d+(?:\.\d+)?|'[^'\n]*'|\"[^\"\n]*\"|\bTrue\b|\bFalse\b")


def cut_run_on(text: str) -> str | None:
    """The text with its endless tail cut down to the first few lines of it.

    Args:
        text: an answer that was cut off; its last line may be half a line.

    Returns:
        None when the lines at its end are not all alike but for numbers and strings.
    """
    lines = text.splitlines()[:-1]
    shapes = [_VALUES.sub("#", line.strip()) for line in lines]
    if len(lines) < _SAME_LINES or not shapes[-1]:
        return None
    start = len(lines)
    while start and shapes[start - 1] == shapes[-1]:
        start -= 1
    if len(lines) - start < _SAME_LINES:
        return None
    return "\n".join(lines[: start + _KEPT_LINES]) + "\n"
