"""Files as tables: CSV, TSV, lines of JSON, and JSON that holds records. Standard library only: the
sandbox runs a copy of this file.
"""

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

ENDINGS = (".csv", ".tsv", ".jsonl", ".json")
# The column that tells the rows of several files apart, where they are one table.
FILE_COLUMN = "file"
# Of an object that has something for each of several names.
NAME_COLUMN = "name"
VALUE_COLUMN = "value"
Cell = str | int | float | None

_DELIMITERS = (",", ";", "\t", "|")
# No code such as 007, whose zeros would be lost, and no more digits than a float holds.
_NUMBER = re.compile(r"-?(?!\d[\d.]{16})(?:0|[1-9]\d*)(?:\.\d+)?")
# As it may be written otherwise: 1,200 or +5 or $3.
_LIKE_NUMBER = re.compile(r"[-+$€£¥]*\s?(?!0\d)[\d,]*\.?\d+(?:[eE][-+]?\d+)?\s?%?")
_MOST = 0.6
_MOST_DEEP = 3
_MOST_COLUMNS = 60
_NAME_CHARS = 60
_EXACT = 2**53
# A record has a few fields; what has more of them, all alike, has a value for each of many things.
_FEW_FIELDS = 3


@dataclass(frozen=True)
class Table:
    """The rows of a file, or of several files of one folder that have the same columns.

    Attributes:
        name: of the file without its ending, or of the folder.
        files: that the rows come from.
        columns: by name, in the order in which they stand.
        rows: a cell for each column, without white space at its ends; nothing written is None.
        types: of the columns, as SQLite names them: INTEGER, REAL or TEXT.
        places: how many decimals each cell of a column has, where that is the same for all.
        unclear: columns of numbers in which something else stands too, or that are written so
            that SQLite takes them for text.
    """

    name: str
    files: tuple[str, ...]
    columns: tuple[str, ...]
    rows: list[tuple[Cell, ...]]
    types: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, int] = field(default_factory=dict)
    unclear: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Read:
    columns: tuple[str, ...]
    rows: list[dict[str, object]]
    spelled: bool = False  # all of its cells are text, numbers too


def is_table(path: str) -> bool:
    """Whether a file is one by its name."""
    return path.lower().endswith(ENDINGS)


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
        has_file = FILE_COLUMN in map(str.casefold, read[paths[0]].columns)
        if alike and len(paths) > 1 and not has_file:
            tables.append(_table(_name(folder, taken), paths, read))
            continue
        tables += [_table(_name(path.rpartition(".")[0], taken), [path], read) for path in paths]
    return tables


def _name(path: str, taken: set[str]) -> str:
    """The last part of the path, or as much of it as is not taken yet."""
    parts = [re.sub(r"^sqlite_", "_", one, flags=re.IGNORECASE) for one in path.split("/")]
    names = ["_".join(parts[at:]) for at in range(len(parts) - 1, -1, -1)]
    names += [f"{names[-1]}_{number}" for number in range(2, len(taken) + 3)]
    name = next(one for one in names if one.casefold() not in taken)
    taken.add(name.casefold())
    return name


def _table(name: str, paths: Sequence[str], read: Mapping[str, _Read]) -> Table:
    columns = read[paths[0]].columns
    rows = [row for path in paths for row in read[path].rows]
    spelled = read[paths[0]].spelled
    held = {
        column: [cell for row in rows if (cell := row.get(column)) is not None and cell != ""]
        for column in columns
    }
    types = {column: _type(cells, spelled) for column, cells in held.items()}
    places, unclear = {}, frozenset[str]()
    if spelled:
        places = {column: count for column, cells in held.items() if (count := _places(cells))}
        unclear = frozenset(
            column
            for column, cells in held.items()
            if types[column] == "TEXT" and _like_numbers(cells)
        )
    made = [tuple(_cell(row.get(column), types[column]) for column in columns) for row in rows]
    if len(paths) > 1:
        of = [path.rpartition("/")[2].rpartition(".")[0] for path in paths for _ in read[path].rows]
        columns, types = (FILE_COLUMN, *columns), {FILE_COLUMN: "TEXT", **types}
        made = [(file, *row) for file, row in zip(of, made, strict=True)]
    return Table(name, tuple(paths), columns, made, types, places, unclear)


def _read(path: str, text: str) -> _Read | None:
    if path.lower().endswith((".csv", ".tsv")):
        return _separated(text, "\t" if path.lower().endswith(".tsv") else "")
    try:
        if path.lower().endswith(".jsonl"):
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
    held = [row for row in rows[1:] if any(cell.strip() for cell in row)]
    # In a row with more cells than there are columns, a mark stands inside of one.
    if not _are_names(columns) or any(len(row) > len(columns) for row in held):
        return None
    cells = [[cell.strip() for cell in row] for row in held]
    return _Read(columns, [dict(zip(columns, row, strict=False)) for row in cells], True)


def _records(found: object) -> _Read | None:
    """Of a list of objects, of the one such list in an object, or of an object that has a value, or
    a record, for each of several names.
    """
    if isinstance(found, dict):
        inner = [value for value in found.values() if isinstance(value, list | dict)]
        found = inner[0] if len(inner) == 1 and isinstance(inner[0], list) else _named(found)
    if not isinstance(found, list) or not found or not all(isinstance(one, dict) for one in found):
        return None
    spread = _spread(found)
    rows = [_flat(one) for one in spread] if spread else []
    held = [row for row in rows if row is not None]
    columns = tuple(dict.fromkeys(name for row in held for name in row))
    whole = bool(held) and len(held) == len(rows) and _are_names(columns)
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


def _spread(rows: list[dict[str, object]]) -> list[dict[str, object]] | None:
    """Where a field holds a number for each of many things, a row for each of these; None where
    another number would then stand there several times, and be added up so.
    """
    for name in dict.fromkeys(name for row in rows for name in row):
        held = [row.get(name) for row in rows]
        maps = [one for one in held if isinstance(one, dict)]
        numbers = all(map(_all_numbers, maps))
        other = len({frozenset(one) for one in maps}) > 1
        many = other or any(len(one) >= _FEW_FIELDS for one in maps)
        if not any(maps) or len(maps) < len(rows) or not numbers or not many:
            continue
        if any(_is_number(value) for row in rows for value in row.values()):
            return None
        value_name = f"{name}_{VALUE_COLUMN}"
        return [
            {**row, name: thing, value_name: value}
            for row, one in zip(rows, maps, strict=True)
            for thing, value in (one or {"": None}).items()
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
            inner = {f"{name}_{key}": one for key, one in inner.items()}
            if inner.keys() & (found.keys() | record.keys()):
                return None
            found |= inner
        else:
            found[str(name)] = value
    return found


def _all_numbers(record: Mapping[str, object]) -> bool:
    return all(map(_is_number, record.values()))


def _are_names(columns: Sequence[str]) -> bool:
    """Whether these can be columns: each with a name of its own."""
    there = all(name.isprintable() and 0 < len(name) <= _NAME_CHARS for name in columns)
    differ = len({name.casefold() for name in columns}) == len(columns)
    return there and differ and 0 < len(columns) <= _MOST_COLUMNS


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _type(cells: Sequence[object], spelled: bool) -> str:
    if not cells:
        return "TEXT"
    if spelled:
        numbers = [str(cell) for cell in cells]
        if not all(map(_NUMBER.fullmatch, numbers)):
            return "TEXT"
        return "REAL" if any("." in one for one in numbers) else "INTEGER"
    if all(isinstance(cell, bool) for cell in cells):
        return "INTEGER"
    if not all(_is_number(cell) and abs(float(str(cell))) < _EXACT for cell in cells):
        return "TEXT"
    return "REAL" if any(isinstance(cell, float) for cell in cells) else "INTEGER"


def _like_numbers(cells: Sequence[object]) -> bool:
    """Whether most of a column of text is numbers, as they are written somewhere."""
    alike = sum(bool(_LIKE_NUMBER.fullmatch(str(cell))) for cell in cells)
    return bool(cells) and alike >= _MOST * len(cells)


def _places(cells: Sequence[object]) -> int:
    counts = {len(str(cell).partition(".")[2]) for cell in cells}
    return counts.pop() if len(counts) == 1 else 0


def _cell(value: Any, type_: str) -> Cell:
    if value is None or value == "":
        return None
    if type_ != "TEXT":
        return float(str(value)) if type_ == "REAL" else int(value)
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list | dict | bool):
        return json.dumps(value, ensure_ascii=False)
    return str(value)
