"""Has a file's content the form that the goal asks for? Answers in words that help to mend it."""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType

from replan.state.task import Check
from replan.tools.formats import first_lines

_SHOWN = 80
_BRIEF_WORDS = 5
_CHINESE = re.compile(r"[\u4e00-\u9fff]")


def json_keys(check: Check, text: str) -> str:
    """Whether the object, or each object of the list, has the keys; others are let be."""
    try:
        held = json.loads(text)
    except (ValueError, RecursionError) as error:
        return f"it is not valid JSON: {error}"
    for one in held if isinstance(held, list) else [held]:
        if not isinstance(one, dict):
            return f"it holds {json.dumps(one, ensure_ascii=False)[:_SHOWN]}, which has no keys"
        missing = [key for key in check.columns if key not in one]
        if missing:
            there = ", ".join(map(str, one))[:_SHOWN] or "none"
            return f"the key {', '.join(missing)} is missing; its keys are: {there}"
    return ""


def number_only(check: Check, text: str) -> str:
    """Whether a number is all there is, with so many decimals."""
    told = text.strip()
    if not re.fullmatch(r"[+-]?\d+(?:\.\d+)?", told):
        return (
            f"it holds more than one number, or another thing: {first_lines(told) or '(nothing)'}"
        )
    decimals = len(told.partition(".")[2])
    if check.text and decimals != int(check.text):
        return f"{told} has {decimals} decimals"
    return ""


def brief_only(check: Check, text: str) -> str:
    """Whether a name, a date or the like is all there is; two Chinese letters count as a word."""
    told = text.strip()
    words = len(re.findall(r"[^\s\u4e00-\u9fff]+", told)) + len(_CHINESE.findall(told)) / 2
    if not told or "\n" in told or words > _BRIEF_WORDS:
        return f"it holds more, or nothing: {first_lines(told) or '(nothing)'}"
    return ""


def is_sorted(check: Check, text: str) -> str:
    """Whether the values of the column, or what the lines begin with, ascend: as numbers if they
    are, else as words, with capitals apart or not.
    """
    values = column_values(check.columns, text)
    numbers = as_numbers(values)
    if numbers is not None and numbers == sorted(numbers):
        return ""
    if values in (sorted(values), sorted(values, key=str.casefold)):
        return ""
    for before, after in pairwise(values):
        if before.casefold() > after.casefold():
            return f"{after[:_SHOWN]!r} stands behind {before[:_SHOWN]!r}"
    return ""


def no_repeats(check: Check, text: str) -> str:
    """Whether no line stands there twice."""
    counts = Counter(line.strip() for line in text.splitlines() if line.strip())
    line, count = counts.most_common(1)[0] if counts else ("", 0)
    return f"it holds {line[:_SHOWN]!r} {count} times, not once" if count > 1 else ""


def no_gaps(check: Check, text: str) -> str:
    """Whether not every line, but the last, is followed by an empty one."""
    lines = text.rstrip().splitlines()
    gaps = lines[1::2]
    if gaps and not any(map(str.strip, gaps)) and all(map(str.strip, lines[::2])):
        return "every second line is empty: a line read from a file ends with its own line break"
    return ""


def no_line_begins(check: Check, text: str) -> str:
    """Whether what the lines were found by is no longer before them."""
    wrong = next((line for line in text.splitlines() if line.lstrip().startswith(check.text)), "")
    return f"there is {wrong[:_SHOWN]!r}" if wrong else ""


def decimals(check: Check, text: str) -> str:
    """Whether each line ends in a number with so many decimals, the only such one in it."""
    wanted = re.compile(rf"[-+]?\d+\.\d{{{int(check.text or 2)}}}")
    for line in filter(str.strip, text.splitlines()):
        if len(_NAMED_NUMBER.findall(line)) > 1:
            return f"several stand in one line: {line[:_SHOWN]!r}; each has to be a line of its own"
        if not wanted.fullmatch(re.split(r"[:=：\s]", line.rstrip())[-1]):
            return f"there is {line[:_SHOWN]!r}"
    return ""


_NAMED_NUMBER = re.compile(r"[^\W\d]\w*\s*[:=：]\s*[-+]?\d")


def has_table(check: Check, text: str) -> str:
    """Whether a Markdown table is there: a line of headings, one of dashes, and rows."""
    if re.search(r"^\|?[^|\n]+\|.*\n\|?\s*:?-+:?\s*\|[-|: ]*\n\|?[^|\n]+\|", text, re.MULTILINE):
        return ""
    return f"it holds no table: {first_lines(text.strip()) or '(nothing)'}"


def column_values(columns: Sequence[str], text: str) -> list[str]:
    """The values of the first of the columns of a CSV text, header apart; without columns, what
    the lines of a text begin with.
    """
    if not columns:
        return [re.split(r"[\t=:]|\s", line, maxsplit=1)[0] for line in text.split("\n") if line]
    rows = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
    names = [name.strip().casefold() for name in rows[0]] if rows else []
    if columns[0].casefold() not in names:
        return []
    at = names.index(columns[0].casefold())
    return [row[at].strip() for row in rows[1:] if len(row) > at]


def as_numbers(values: Sequence[str]) -> list[float] | None:
    """The values as numbers; None where one is none."""
    try:
        return [float(value) for value in values]
    except ValueError:
        return None


FORMS: Mapping[str, Callable[[Check, str], str]] = MappingProxyType(
    {
        "json_keys": json_keys,
        "number_only": number_only,
        "brief_only": brief_only,
        "is_sorted": is_sorted,
        "no_repeats": no_repeats,
        "no_gaps": no_gaps,
        "decimals": decimals,
        "no_line_begins": no_line_begins,
        "has_table": has_table,
    }
)


def as_many_rows(check: Check, text: str, *others: str) -> str:
    """Whether a CSV text has as many rows that are not empty as others have together."""
    try:
        mine, *theirs = map(_rows_of, (text, *others))
    except csv.Error:
        return ""  # who can read them counts otherwise
    several = "*" in check.text
    if several and any(map(_is_ragged, theirs)):
        return ""
    here, there = _count(mine), sum(map(_count, theirs))
    if here != there:
        return f"it has {here} rows, {check.text} has {there}"
    return _changed_row(_filled(mine), map(_filled, theirs)) if several else ""


_Rows = list[list[str]]


def _rows_of(text: str) -> _Rows:
    return [row for row in csv.reader(io.StringIO(text, newline="")) if row]


def _count(rows: _Rows) -> int:
    """How many that are not empty there are below the header."""
    return max(len(_filled(rows)) - 1, 0)


def _filled(rows: _Rows) -> _Rows:
    """Those that have more than empty cells."""
    return [row for row in rows if any(row)]


def _is_ragged(rows: _Rows) -> bool:
    """Whether rows have not as many cells as the header, or only empty ones."""
    return any(len(row) != len(rows[0]) or not any(row) for row in rows[1:])


def _changed_row(mine: _Rows, theirs: Iterable[_Rows]) -> str:
    """Which row of the others is not in a table as it was, where its last columns are theirs."""
    for head, *rows in filter(None, theirs):
        if not mine or mine[0][-len(head) :] != head:
            return ""
        there = {tuple(row[-len(head) :]) for row in mine[1:]}
        for row in rows:
            if tuple(row) not in there:
                told = f"no row has {','.join(row)[:_SHOWN]!r} as it was"
                whole = f"{row[-1]}.0" in {one[-1] for one in there}
                return f"{told}; pandas.read_csv(path, dtype=str) keeps it" if whole else told
    return ""


def no_figure(text: str) -> str:
    """Which column of a CSV text that is named for a figure holds none: empty cells alone, or texts
    of several lines.
    """
    try:
        head, *rows = _filled(_rows_of(text)) or [[]]
    except csv.Error:
        return ""
    for at, name in enumerate(head):
        cells = [row[at] for row in rows if at < len(row)]
        if _FIGURE.fullmatch(name.strip()):
            if any("\n" in cell.strip() for cell in cells):
                return f"the column {name} holds texts of several lines, not figures"
            if cells and not any(cell.strip() for cell in cells):
                return f"the column {name} is empty"
    return ""


_FIGURE = re.compile(r"counts?|lines|rows|行数|字数|数量|次数", re.IGNORECASE)
