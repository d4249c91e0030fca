"""Puts right a file whose content is there and whose form alone is wrong: no model is asked.

A small model that wrote "Total: 7" where the number alone is wanted writes it again when told.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from types import MappingProxyType

from replan.state.errors import ReplanError
from replan.state.task import Action, Check, Task
from replan.tools.form_checks import as_numbers, column_values
from replan.tools.formats import hanging
from replan.tools.workspace import Workspace

_LABELLED = re.compile(
    r"((?:[^\d\n:=]{1,40}(?:[:=：]|\bis\b)\s*)?)[$€£¥]?\s?"
    r"([+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?|[+-]?\d+(?:\.\d+)?)(?:\s?[^\W\d_]{1,12}|\s?[$€£¥%])?\.?"
)
_NO_RESULT = re.compile(r"\b(?:error|no|not|none|failed?)\b|没有|错误", re.IGNORECASE)
_MOST_CHARS = 20_000


async def repaired_form(task: Task, workspace: Workspace) -> Action | None:
    """The call that writes the file in its form; None where more is wrong, or nobody can tell.

    Args:
        task: with what its last attempt led to.
        workspace: where the file is.
    """
    if len(task.failing) != 1:
        return None
    check = task.failing[0].check
    # Before there was an attempt, it may be the run's, and else is somebody's.
    if not (task.attempts[-1].observation.ok if task.attempts else check.path in task.made):
        return None
    if check.kind not in _BETTER:
        return None
    try:
        text = await workspace.read_text(check.path, _MOST_CHARS + 1)
    except ReplanError:
        return None
    better = _BETTER[check.kind](check, text)
    if not better or better == text or len(text) > _MOST_CHARS:
        return None
    return Action(tool="write_file", args={"path": check.path, "text": better}, thought="its form")


def _number(check: Check, text: str) -> str:
    """The number, where a label before it and a unit behind it are all that is too much."""
    found = _LABELLED.fullmatch(text.strip())
    if not found or _NO_RESULT.search(found[1] or ""):
        return ""
    number = found[2].replace(",", "")
    decimals = len(number.partition(".")[2])
    return f"{number}\n" if not check.text or decimals == int(check.text) else ""


def _sorted(check: Check, text: str) -> str:
    """The lines, or the rows of a table, in order; "" where nobody can tell which is a heading or a
    sum, or what order is meant.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    if check.columns:
        values = column_values(check.columns, "\n".join(lines))
        if len(values) != len(lines) - 1:  # a row of several lines, or of too few columns
            return ""
        order = _order(values)
        if order is None or (lines[1:] and _SUM.match(lines[-1])):
            return ""
        rows = sorted(zip(map(order, values), lines[1:], strict=True), key=itemgetter(0))
        lines = [lines[0], *(line for _, line in rows)]
    elif lines[1:] == sorted(lines[1:], key=str.casefold):
        return ""
    else:
        lines = sorted(lines, key=str.casefold)
    return "".join(f"{line}\n" for line in lines)


def _order(values: Sequence[str]) -> Callable[[str], float | str] | None:
    """What the values are sorted by: all numbers, all dates such as 2024-05-01, or all words."""
    if as_numbers(values) is not None:
        return float
    if all(map(_DATE.fullmatch, values)) or (not any(map(_DIGIT.search, values)) and all(values)):
        return str.casefold
    return None


_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_DIGIT = re.compile(r"\d")
_SUM = re.compile(r"\W*(?:grand )?(?:total|sum|all)\b|\W*(?:合计|总计|总)", re.IGNORECASE)


def _without_gaps(check: Check, text: str) -> str:
    return "".join(f"{line}\n" for line in text.splitlines() if line.strip())


def _without_hanging(check: Check, text: str) -> str:
    mark = hanging(text)
    return f"{text.rstrip().removesuffix(mark).rstrip()}\n" if mark else ""


def _rounded(check: Check, text: str) -> str:
    """The numbers that the lines end in, with as many decimals as asked for; "" where one has
    fewer: what it lacks nobody knows.
    """
    places = int(check.text)
    lines = [line.rstrip() for line in text.splitlines()]
    found = [_LAST_NUMBER.search(line) for line in lines if line]
    if any(number is None or len(number[1]) < places for number in found):
        return ""
    # A half goes where Python's own rounding takes it: a script has the same number before it.
    better = [
        _LAST_NUMBER.sub(lambda number: f"{float(number[0]):.{places}f}", line) for line in lines
    ]
    return "".join(f"{line}\n" for line in better)


_LAST_NUMBER = re.compile(r"(?<![\w.,+-])-?\d+\.(\d+)$")


_BETTER: Mapping[str, Callable[[Check, str], str]] = MappingProxyType(
    {
        "number_only": _number,
        "is_sorted": _sorted,
        "decimals": _rounded,
        "no_gaps": _without_gaps,
        "file_exists": _without_hanging,
    }
)
