"""Files as tables: CSV, TSV, lines of JSON, and JSON that holds records. Standard library only: the
sandbox runs a copy of this file.
"""

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

ENDINGS = (".csv", ".tsv", ".jsonl", ".json")
# The column that tells the rows of several files apart, where they are one table.
FILE_COLUMN = "file"
# Of an object that has something for each of several names.
NAME_COLUMN = "name"
VALUE_COLUMN = "value"
Cell = str | int | float | None

_DELIMITERS = (",", ";", "\t", "|")
# No code such as 007: its zeros would be lost.
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d{1,9})?")
_MOST_DEEP = 3
# A record has a few fields; what has more of them, all alike, has a value for each of many things.
_FEW_FIELDS = 3


@dataclass(frozen=True)
class Table:
    """The rows of a file, or of several files of one folder that have the same columns.

    Attributes:
        name: of the file without its ending, or of the folder.
        files: that the rows come from.
        columns: by name, in the order in which they stand.
        rows: a cell for each column; nothing written is None.
        numeric: the columns of which every cell is a number.
        places: how many decimals each cell of a column has, where that is the same for all.
    """

    name: str
    files: tuple[str, ...]
    columns: tuple[str, ...]
    rows: list[tuple[Cell, ...]]
    numeric: frozenset[str] = frozenset()
    places: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class _Read:
    columns: tuple[str, ...]
    rows: list[dict[str, object]]


def tables_in(texts: Mapping[str, str]) -> list[Table]:
    """The tables that files hold; what is none is left out.

    Args:
        texts: what each file holds, by path.
    """
    read = {path: found for path, text in sorted(texts.items()) if (found := _read(path, text))}
    folders: dict[str, list[str]] = {}
    for path in read:
        folders.setdefault(path.rpartition("/")[0], []).append(path)
    tables, taken = [], set[str]()
    for folder, paths in folders.items():
        alike = bool(folder) and len({frozenset(read[path].columns) for path in paths}) == 1
        if alike and len(paths) > 1 and FILE_COLUMN not in read[paths[0]].columns:
            tables.append(_table(_name(folder, taken), paths, read))
            continue
        tables += [_table(_name(path.rpartition(".")[0], taken), [path], read) for path in paths]
    return tables


def _name(path: str, taken: set[str]) -> str:
    """The last part of the path, or as much of it as is not taken yet."""
    parts = path.split("/")
    names = ["_".join(parts[at:]) for at in range(len(parts) - 1, -1, -1)]
    names += [f"{names[-1]}_{number}" for number in range(2, len(taken) + 3)]
    name = next(one for one in names if one.casefold() not in taken)
    taken.add(name.casefold())
    return name


def _table(name: str, paths: Sequence[str], read: Mapping[str, _Read]) -> Table:
    columns = read[paths[0]].columns
    rows = [row for path in paths for row in read[path].rows]
    cells = {column: [row.get(column) for row in rows] for column in columns}
    numeric = {column for column, values in cells.items() if _is_numeric(values)}
    places = {column: count for column in numeric if (count := _places(cells[column]))}
    made = [tuple(_cell(row.get(column), column in numeric) for column in columns) for row in rows]
    if len(paths) > 1:
        of = [path.rpartition("/")[2].rpartition(".")[0] for path in paths for _ in read[path].rows]
        columns = (FILE_COLUMN, *columns)
        made = [(file, *row) for file, row in zip(of, made, strict=True)]
    return Table(name, tuple(paths), columns, made, frozenset(numeric), places)


def _read(path: str, text: str) -> _Read | None:
    if path.endswith((".csv", ".tsv")):
        return _separated(text, "\t" if path.endswith(".tsv") else "")
    try:
        if path.endswith(".jsonl"):
            found: object = [json.loads(line) for line in text.splitlines() if line.strip()]
        else:
            found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return _records(found)


def _separated(text: str, mark: str) -> _Read | None:
    head = next((line for line in text.splitlines() if line.strip()), "")
    mark = mark or max(_DELIMITERS, key=head.count)
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=mark) if row]
    except csv.Error:
        return None
    columns = tuple(name.strip() for name in rows[0]) if rows else ()
    if not columns or not all(columns) or _twice(columns):
        return None
    held = [row for row in rows[1:] if any(cell.strip() for cell in row)]
    return _Read(columns, [dict(zip(columns, row, strict=False)) for row in held])


def _records(found: object) -> _Read | None:
    """Of a list of objects, of the one such list in an object, or of an object that has a value, or
    a record, for each of several names.
    """
    if isinstance(found, dict):
        lists = [value for value in found.values() if isinstance(value, list) and value]
        found = lists[0] if len(lists) == 1 else _named(found)
    if not isinstance(found, list) or not found or not all(isinstance(one, dict) for one in found):
        return None
    rows = [_flat(one) for one in _spread(found)]
    held = [row for row in rows if row is not None]
    columns = tuple(dict.fromkeys(name for row in held for name in row))
    whole = len(held) == len(rows) and bool(columns) and not _twice(columns)
    return _Read(columns, held) if whole else None


def _named(found: Mapping[str, object]) -> list[dict[str, object]] | None:
    """Of {"Oslo": 3, "Lima": 5, ...} or {"Oslo": {"n": 3}, ...}: a row for each name."""
    if len(found) < _FEW_FIELDS:
        return None
    if all(isinstance(one, dict) and NAME_COLUMN not in one for one in found.values()):
        return [{NAME_COLUMN: name, **one} for name, one in found.items() if isinstance(one, dict)]
    if any(isinstance(one, dict | list) for one in found.values()):
        return None
    return [{NAME_COLUMN: name, VALUE_COLUMN: value} for name, value in found.items()]


def _spread(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """Where a field holds a number for each of many things, a row for each of these."""
    for name in dict.fromkeys(name for row in rows for name in row):
        held = [row.get(name, {}) for row in rows]
        maps = [one for one in held if isinstance(one, dict)]
        numbers = all(_is_number(value) for one in maps for value in one.values())
        other = len({frozenset(one) for one in maps}) > 1
        many = other or any(len(one) >= _FEW_FIELDS for one in maps)
        if any(maps) and len(maps) == len(rows) and numbers and many:
            return [
                {**row, name: thing, f"{name}_{VALUE_COLUMN}": value}
                for row, one in zip(rows, maps, strict=True)
                for thing, value in one.items()
            ]
    return rows


def _flat(record: dict[str, object], deep: int = 0) -> dict[str, object] | None:
    """The fields of an object, those of inner ones as outer_inner; None where it is no record."""
    if deep > _MOST_DEEP or (deep and len(record) >= _FEW_FIELDS and _all_numbers(record)):
        return None
    found: dict[str, object] = {}
    for name, value in record.items():
        if isinstance(value, dict):
            inner = _flat(value, deep + 1)
            if inner is None:
                return None
            found.update({f"{name}_{key}": one for key, one in inner.items()})
        else:
            found[str(name)] = value
    return found


def _all_numbers(record: Mapping[str, object]) -> bool:
    return all(map(_is_number, record.values()))


def _twice(columns: Sequence[str]) -> bool:
    return len({name.casefold() for name in columns}) < len(columns)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_numeric(values: Sequence[object]) -> bool:
    there = [value for value in values if value is not None and value != ""]
    return bool(there) and all(
        _is_number(value) or (isinstance(value, str) and bool(_NUMBER.fullmatch(value.strip())))
        for value in there
    )


def _places(values: Sequence[object]) -> int:
    counts = {len(str(one).strip().partition(".")[2]) for one in values if one not in (None, "")}
    return counts.pop() if len(counts) == 1 and all(isinstance(one, str) for one in values) else 0


def _cell(value: object, numeric: bool) -> Cell:
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str) and numeric:
        return float(value) if "." in value else int(value)
    if isinstance(value, str):
        return value
    if _is_number(value) and abs(float(str(value))) < 2**53:
        return value if isinstance(value, int | float) else None
    return json.dumps(value, ensure_ascii=False)
