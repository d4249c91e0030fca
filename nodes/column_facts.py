"""What is odd about the columns of a table, of which a prompt shows only the first rows.

A script that was written from the first rows fails on the others, or worse, does not: what can be
seen by looking at all of them is therefore told, and nothing where there is nothing odd.
"""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

_FACTS = 6
_SHOWN = 3
_VALUE_CHARS = 24
_MOST_ROWS = 20_000
# A column is one of numbers or dates when most of its values are.
_MOST = 0.6
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")
_FORMATS = (
    (re.compile(r"\d{4}-\d\d?-\d\d?"), ("%Y-%m-%d",)),
    (re.compile(r"\d{4}/\d\d?/\d\d?"), ("%Y/%m/%d",)),
    (re.compile(r"\d\d?/\d\d?/\d{4}"), ("%d/%m/%Y", "%m/%d/%Y")),
    (re.compile(r"\d\d?-\d\d?-\d{4}"), ("%d-%m-%Y", "%m-%d-%Y")),
    (re.compile(r"\d\d?\.\d\d?\.\d{4}"), ("%d.%m.%Y",)),
    (re.compile(r"\d\d? [A-Za-z]{3} \d{4}"), ("%d %b %Y",)),
    (re.compile(r"\d\d? [A-Za-z]{4,9} \d{4}"), ("%d %B %Y",)),
    (re.compile(r"[A-Za-z]{3} \d\d?, \d{4}"), ("%b %d, %Y",)),
    (re.compile(r"[A-Za-z]{4,9} \d\d?, \d{4}"), ("%B %d, %Y",)),
    (re.compile(r"\d{4}年\d\d?月\d\d?日"), ("%Y年%m月%d日",)),
)


def column_facts(rows: Sequence[str], mark: str) -> list[str]:
    """A line for each oddity, at most six.

    Args:
        rows: the lines of the table, the header first; all are looked at, up to 20,000.
        mark: what stands between its columns.
    """
    try:
        table = [row for row in csv.reader(rows[:_MOST_ROWS], delimiter=mark) if row]
    except csv.Error:  # whoever reads it is told then
        return []
    if len(table) < 3:
        return []
    names, body = table[0], table[1:]
    facts = []
    for at, name in enumerate(names):
        values = [row[at] if at < len(row) else "" for row in body]
        if said := _of_column(values):
            facts.append(f"{name[:_VALUE_CHARS]}: {'; '.join(said)}")
    twice = sum(count - 1 for count in Counter(map(tuple, body)).values())
    if twice:
        facts.append(f"{twice} rows are exactly like another one")
    return facts[:_FACTS]


def are_other_dates(values: Sequence[str]) -> bool:
    """Whether most of the values are dates, and some of them do not begin with the year.

    Args:
        values: of a column, without the empty ones.
    """
    forms = [next((at for at, (shape, _) in enumerate(_FORMATS) if shape.fullmatch(value)), -1)
             for value in values]  # fmt: skip
    dates = [form for form in forms if form >= 0]
    return len(dates) >= _MOST * len(values) and any(dates)


def _of_column(values: Sequence[str]) -> list[str]:
    bare = [value.strip() for value in values]
    there = [value for value in bare if value]
    said = []
    if there and len(there) < len(bare):
        said.append(f"empty in {len(bare) - len(there)} of {len(bare)} rows")
    if any(value != value.strip() for value in values):
        said.append("spaces around some values")
    if told := _dates(there):
        return [*said, told]
    numbers = sum(1 for value in there if _NUMBER.fullmatch(value))
    if there and _MOST * len(there) <= numbers < len(there):
        others = dict.fromkeys(value for value in there if not _NUMBER.fullmatch(value))
        return [*said, f"numbers, but also {_shown(others)}"]
    if told := _spellings(there):
        said.append(told)
    return said


def _dates(values: Sequence[str]) -> str:
    """The forms of dates, where there is more than one, as strptime wants them told."""
    found: dict[tuple[str, ...], list[str]] = {}
    for value in values:
        for shape, formats in _FORMATS:
            if shape.fullmatch(value):
                found.setdefault(formats, []).append(value)
                break
    if len(found) < 2 or sum(map(len, found.values())) < _MOST * len(values):
        return ""
    forms = [f"{_fitting(formats, of)} ({of[0]})" for formats, of in found.items()]
    return f"dates of several forms, try each with datetime.strptime: {', '.join(forms)}"


def _fitting(formats: Sequence[str], values: Sequence[str]) -> str:
    """The first format that reads all of the values."""
    for form in formats:
        if all(_reads(form, value) for value in values):
            return form
    return formats[0]


def _reads(form: str, value: str) -> bool:
    try:
        datetime.strptime(value, form)
    except ValueError:
        return False
    return True


def _spellings(values: Sequence[str]) -> str:
    """A value that is written in several ways, but for its capitals."""
    ways: dict[str, dict[str, None]] = {}
    for value in values:
        ways.setdefault(value.casefold(), {})[value] = None
    several = [way for way in ways.values() if len(way) > 1]
    return f"the same value as {_shown(several[0])}" if several else ""


def _shown(values: dict[str, None]) -> str:
    told = [repr(value[:_VALUE_CHARS]) for value in list(values)[:_SHOWN]]
    return ", ".join(told)
