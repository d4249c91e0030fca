"""How the records of a file come apart, in code that a script can take over.

A small model takes any file of records for a CSV file, guesses at the place of a field in a line,
and the header of a CSV file for a record. What can be seen by looking is therefore told.
"""

import csv
import json
import re
from collections.abc import Sequence

from replan.nodes.column_facts import column_facts

_LINE_CHARS = 160
_FIELDS = 8
_FEW = 6
_VALUE_CHARS = 40
# Dates and times as strptime wants them told.
_SHAPES = (
    (re.compile(r"\d{4}-\d\d-\d\d"), "%Y-%m-%d"),
    (re.compile(r"\d\d:\d\d:\d\d"), "%H:%M:%S"),
    (re.compile(r"\d\d:\d\d"), "%H:%M"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"), "%Y-%m-%dT%H:%M:%S"),
    (re.compile(r"[+-]?\d+"), "whole number"),
    (re.compile(r"[+-]?\d+\.\d+"), "number"),
    (re.compile(r"\d{1,3}(?:\.\d{1,3}){3}"), "IP address"),
)


def describe_records(path: str, rows: Sequence[str]) -> str:
    """What a line of the file holds, and how to get at it.

    Args:
        path: the file's name, for its extension.
        rows: its lines, all of which are looked at.
    """
    rows = [row for row in rows if row.strip()]
    if not rows:
        return ""
    if path.endswith(".csv"):
        told = f"pandas.read_csv('{path}') has the columns {_header(rows[0], ',')}"
        return "\n".join([told, *column_facts(rows, ",")])
    if path.endswith(".tsv"):
        told = f"pandas.read_csv('{path}', sep='\\t') has the columns {_header(rows[0], chr(9))}"
        return "\n".join([told, *column_facts(rows, "\t")])
    if keys := _json_keys(rows):
        return f"Each line is JSON; json.loads(line) has the keys {keys}"
    return _words(rows)


def fields_of(path: str, rows: Sequence[str]) -> str:
    """The form of the records and their fields, without any record: what a script relies on.

    "csv: region,amount", "lines of JSON: id,text", "words: %Y-%m-%d|%H:%M:%S|one of A,B|any"; ""
    where there are no records.
    """
    rows = [row for row in rows if row.strip()]
    if not rows:
        return ""
    for ending, mark in ((".csv", ","), (".tsv", "\t")):
        if path.endswith(ending):
            return f"{ending[1:]}: {_header(rows[0], mark)}"
    if keys := _json_keys(rows):
        return f"lines of JSON: {keys.replace(', ', ',')}"
    told = [line for line in _words(rows).splitlines() if line.startswith("parts[")]
    notes = [line.partition("  # ")[2].removesuffix("in every line").strip() for line in told]
    return f"words: {'|'.join(note.replace(', ', ',') or 'any' for note in notes)}"


def _header(row: str, mark: str) -> str:
    names = next(csv.reader([row[:4000]], delimiter=mark), [])
    return ",".join(names)[:_LINE_CHARS]


def _json_keys(rows: Sequence[str]) -> str:
    try:
        first = [json.loads(row) for row in rows[:3]]
    except (ValueError, RecursionError):
        return ""
    return ", ".join(first[0])[:_LINE_CHARS] if all(isinstance(one, dict) for one in first) else ""


def _words(rows: Sequence[str]) -> str:
    split = [row.split() for row in rows]
    widths = {len(parts) for parts in split}
    # Lines of different length end in free text, whose words have no place of their own.
    fixed = len(widths) == 1
    lines = ["Not a CSV file: read it line by line; parts = line.split() gives:"]
    told = 0
    while told < min(min(widths), _FIELDS):
        text = _values([parts[told] for parts in split], fixed)
        if not text:
            break
        lines.append(f"parts[{told}] = {text}")
        told += 1
    if max(widths) > told:
        lines.append(f"parts[{told}:] = words")
    return "\n".join(lines)


def _values(values: Sequence[str], fixed: bool) -> str:
    """What stands at one place of every line; "" for words of free text."""
    distinct = list(dict.fromkeys(values))
    first = repr(distinct[0][:_VALUE_CHARS])
    same = " in every line" if len(distinct) == 1 else ""
    for shape, name in _SHAPES:
        if all(shape.fullmatch(value) for value in distinct):
            return f"{first}  # {name}{same}"
    if same:
        return f"{first}  #{same}"
    few = len(distinct) <= _FEW and len(values) >= 4 * len(distinct)
    if few and (fixed or all(value == value.upper() for value in distinct)):
        return f"{first}  # one of {', '.join(sorted(value[:_VALUE_CHARS] for value in distinct))}"
    return f"{first}, ..." if fixed else ""
