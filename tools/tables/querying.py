"""What a query in SQL gives of tables, and as a file. Standard library only: the sandbox runs a
copy of this file, beside one of `reading.py`, as `querying.py JOB`: a JSON file with the fields of
`Job`.
"""

import csv
import io
import json
import math
import re
import sqlite3
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from replan.tools.tables.reading import Cell, Table, tables_in

_SHOWN = 20
_CELL_CHARS = 60
_DIGITS = 10
# Names that a query has to put in quotes; a small model forgets it.
_RESERVED = frozenset(
    ("add", "all", "alter", "and", "as", "case", "check", "collate", "column", "commit",
     "constraint", "create", "cross", "current", "default", "delete", "desc", "distinct", "drop",
     "else", "end", "escape", "except", "exists", "filter", "for", "foreign", "from", "full",
     "group", "having", "if", "in", "index", "inner", "insert", "intersect", "into", "is", "join",
     "key", "left", "like", "limit", "match", "natural", "no", "not", "null", "of", "offset", "on",
     "or", "order", "outer", "primary", "references", "replace", "right", "row", "rows", "select",
     "set", "table", "then", "to", "transaction", "trigger", "union", "unique", "update", "using",
     "values", "view", "when", "where", "with", "autoincrement", "between", "deferrable", "isnull",
     "nothing", "notnull", "returning")
)  # fmt: skip
# What stands in quotes, or in a comment.
_LITERAL = re.compile(r"""('(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]|--[^\n]*)""")
# What other databases write a result with.
_INTO_FILE = re.compile(
    r"\s+(?:INTO(?:\s+OUTFILE)?|OUTPUT\s+TO|TO(?:\s+FILE)?)\s+"
    r"['\"`]?[^\s'\"`]+\.(?:csv|tsv|txt|json)['\"`]?\s*;?\s*$",
    re.IGNORECASE,
)


class QueryError(Exception):
    """What is wrong with a query, in one line."""


@dataclass(frozen=True)
class Job:
    """What the program is to do.

    Attributes:
        files: that are tables, by path.
        query: one SELECT.
        path: of the file to write, .csv, .json or .txt; "" to print alone.
        columns: the names of the result's columns; none for those of the query.
        decimals: of numbers that are not whole; None for as many as they have.
        first_column: whether only that is wanted: the others say what the rows are sorted by.
    """

    files: Sequence[str]
    query: str
    path: str = ""
    columns: Sequence[str] = ()
    decimals: int | None = None
    first_column: bool = False


@dataclass(frozen=True)
class Result:
    """The rows that a query gives."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def quoted(name: str) -> str:
    """The name as SQL takes it: in quotes where it has to be."""
    if re.fullmatch(r"[^\W\d]\w*", name) and name.casefold() not in _RESERVED:
        return name
    return _in_quotes(name)


def _in_quotes(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def database_of(tables: Sequence[Table]) -> sqlite3.Connection:
    """A database in memory that holds the tables."""
    database = sqlite3.connect(":memory:")
    database.create_function("REGEXP", 2, _matches, deterministic=True)
    database.create_function("CONCAT", -1, _concat, deterministic=True)
    database.create_function("LEFT", 2, _left, deterministic=True)
    database.create_function("RIGHT", 2, _right, deterministic=True)
    for name, part in _DATE_PARTS.items():
        database.create_function(name, 1, part, deterministic=True)
    database.create_aggregate("MEDIAN", 1, _Median)  # type: ignore[arg-type]  # of ints alone
    for table in tables:
        columns = (f"{_in_quotes(name)} {table.types[name]}" for name in table.columns)
        database.execute(f"CREATE TABLE {_in_quotes(table.name)} ({', '.join(columns)})")
        marks = ", ".join("?" * len(table.columns))
        database.executemany(f"INSERT INTO {_in_quotes(table.name)} VALUES ({marks})", table.rows)
    database.set_authorizer(_allowed)
    return database


def _allowed(action: int, *about: str | None) -> int:
    """Another database is a file, which the query has no business with."""
    return sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_ATTACH else sqlite3.SQLITE_OK


def columns_of(table: Table) -> list[str]:
    """The columns with their types, as SQL declares them."""
    return [f"{quoted(name)} {table.types[name]}" for name in table.columns]


def answered(tables: Sequence[Table], job: Job) -> Result:
    """What the query gives, in the columns that are wanted.

    Raises:
        QueryError: it cannot be run, gives nothing, or gives other columns.
    """
    query = _spelled(_last_statement(job.query), tables)
    try:
        database = database_of(tables)
        try:
            found = database.execute(query)
        except sqlite3.OperationalError as error:
            other = _of_other_table(query, str(error), tables)
            if other == query:
                raise
            found = database.execute(other)
        rows = found.fetchall()
        alone = _with_those_alone(query)
        if not rows and alone != query:
            rows = database.execute(alone).fetchall()
    except (sqlite3.Error, sqlite3.Warning, OverflowError, ValueError) as error:
        there = "; ".join(f"{quoted(one.name)}({', '.join(one.columns)})" for one in tables)
        raise QueryError(f"{str(error).rstrip('.')}. There are the tables {there}") from None
    if not found.description:
        raise QueryError("that is no SELECT")
    if not rows:
        raise QueryError("the query gives no rows")
    result = Result(tuple(one[0] for one in found.description), rows)
    if job.first_column:
        return Result(result.columns[:1], [row[:1] for row in rows])
    return _wanted(result, job.columns)


def written(result: Result, job: Job, tables: Sequence[Table]) -> str:
    """The text of the file."""
    spelled = _spelled_as(tables)
    if job.path.endswith(".json"):
        records = [dict(zip(result.columns, row, strict=True)) for row in result.rows]
        return json.dumps(records, ensure_ascii=False, indent=2) + "\n"
    rows = [
        [
            _text(cell, job.decimals, spelled.get(name.casefold()))
            for name, cell in zip(result.columns, row, strict=True)
        ]
        for row in result.rows
    ]
    if not job.path.endswith((".csv", ".tsv")):
        return "".join(f"{' '.join(row)}\n" for row in rows)
    text = io.StringIO()
    mark = "\t" if job.path.endswith(".tsv") else ","
    csv.writer(text, delimiter=mark, lineterminator="\n").writerows([result.columns, *rows])
    return text.getvalue()


def _wanted(result: Result, columns: Sequence[str]) -> Result:
    """With the columns of those names, wherever they stand; as many others under the names that
    are left.
    """
    if not columns:
        return result
    names = tuple(columns)
    place = {name.casefold(): at for at, name in reversed(list(enumerate(result.columns)))}
    here = {name: place[name.casefold()] for name in names if name.casefold() in place}
    if len(names) == len(result.columns):
        left = iter([at for at in range(len(names)) if at not in here.values()])
        here |= {name: next(left) for name in names if name not in here}
    if len(here) == len(names):
        return Result(names, [tuple(row[here[name]] for name in names) for row in result.rows])
    raise QueryError(
        f"the query gives {len(result.columns)} columns ({', '.join(result.columns)}), and wanted "
        f"are {len(names)}: {', '.join(names)}"
    )


def _last_statement(text: str) -> str:
    """Of several statements the one that all lead to: a small model writes its way there as
    queries of their own, or the whole once more, to write the file.
    """
    found, start = [], 0
    for at, sign in enumerate(text):
        if sign == ";" and sqlite3.complete_statement(text[start : at + 1]):
            found.append(text[start:at])
            start = at + 1
    found.append(text[start:])
    told = [one for one in found if _COMMENT.sub("", one).strip()]
    return told[-1] if told else text


_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)


def _with_those_alone(query: str) -> str:
    """The query with what has no partner in the other table, where it asks for just that: in an
    inner join there is none.
    """
    asks = re.search(r"\bis\s+null\b", query, re.IGNORECASE)
    side = re.search(r"\b(?:left|right|full|outer|cross)\b", query, re.IGNORECASE)
    if not asks or side:
        return query
    return re.sub(r"\b(?:inner\s+)?join\b", "LEFT JOIN", query, flags=re.IGNORECASE)


def _of_other_table(query: str, error: str, tables: Sequence[Table]) -> str:
    """The query without the wrong table before a column that only another one has."""
    missing = re.fullmatch(r"no such column: (\w+)\.(\w+)", error)
    if not missing:
        return query
    name = missing[2].casefold()
    having = sum(name in map(str.casefold, one.columns) for one in tables)
    whole = rf"\b{re.escape(missing[1])}\.{re.escape(missing[2])}\b"
    return re.sub(whole, missing[2], query) if having == 1 else query


def _spelled(query: str, tables: Sequence[Table]) -> str:
    """The query as SQLite takes it: columns in quotes whose names are words of SQL, and LEFT and
    RIGHT, which it knows as joins alone, as functions.
    """
    query = _INTO_FILE.sub("", query.strip()).rstrip("; \n")
    names = {name.casefold() for one in tables for name in one.columns} & _RESERVED
    parts = _LITERAL.split(query)
    for at in range(0, len(parts), 2):
        part = _FILE_NAME.sub(r"\1", _SIDE.sub(r'"\1"(', parts[at]))
        for name in sorted(names):
            # Behind a dot it can be nothing else; alone only where no BY follows.
            alone = rf'|(?<![.\w"]){name}\b(?!\s+by\b)' if name in _BEFORE_BY else ""
            part = re.sub(rf"(?<=\.){name}\b{alone}", f"[{name}]", part, flags=re.IGNORECASE)
        parts[at] = part
    return "".join(parts)


_SIDE = re.compile(r"\b(left|right)\s*\(", re.IGNORECASE)
_FILE_NAME = re.compile(r"(\b(?:from|join)\s+\w+)\.(?:csv|tsv|jsonl?)\b", re.IGNORECASE)
_BEFORE_BY = ("group", "order")


def _spelled_as(tables: Sequence[Table]) -> dict[str, int]:
    """How many decimals a column of that name has wherever there is one: 0 for just as many as a
    number needs.
    """
    found: dict[str, set[int]] = {}
    for table in tables:
        for name in table.columns:
            found.setdefault(name.casefold(), set()).add(table.places.get(name, 0))
    return {name: counts.pop() for name, counts in found.items() if len(counts) == 1}


def _text(cell: Cell, decimals: int | None, places: int | None) -> str:
    """A cell as the file has it.

    Args:
        cell: of the result.
        decimals: of numbers that are not whole by their type, where the goal says it.
        places: of the column of that name, if there is one.
    """
    if cell is None:
        return ""
    if not isinstance(cell, float) or not math.isfinite(cell):
        return str(cell)
    if places and round(cell, places) == round(cell, _DIGITS):
        return f"{cell:.{places}f}"
    if decimals is not None:
        return f"{cell:.{decimals}f}"
    plain = f"{cell:.{_DIGITS}f}".rstrip("0")
    # Of a column that is there, a whole number was one; of others, such as a mean, none.
    return plain.rstrip(".") if places == 0 else plain + "0" * plain.endswith(".")


def _matches(pattern: str, text: object) -> bool:
    return text is not None and re.search(pattern, str(text)) is not None


def _concat(*parts: object) -> str:
    return "".join(str(part) for part in parts if part is not None)


def _left(text: object, count: int) -> str | None:
    return None if text is None else str(text)[: max(0, count)]


def _right(text: object, count: int) -> str | None:
    return None if text is None else str(text)[-count:] if count > 0 else ""


def _part(start: int, end: int) -> Callable[[object], int | None]:
    def part(date: object) -> int | None:
        digits = str(date)[start:end]
        return int(digits) if digits.isdigit() else None

    return part


# Of a date such as 2024-01-31.
_DATE_PARTS = {"YEAR": _part(0, 4), "MONTH": _part(5, 7), "DAY": _part(8, 10)}


class _Median:
    """The middle one of numbers, or the mean of the two in the middle."""

    def __init__(self) -> None:
        self._values: list[float] = []

    def step(self, value: float | None) -> None:
        if value is not None:
            self._values.append(value)

    def finalize(self) -> float | None:
        return statistics.median(self._values) if self._values else None


def shown(result: Result) -> str:
    """The first rows, for eyes."""
    lines = [result.columns, *result.rows[:_SHOWN]]
    text = "\n".join(" | ".join(str(cell)[:_CELL_CHARS] for cell in row) for row in lines)
    more = len(result.rows) - _SHOWN
    return text + (f"\n(and {more} more rows)" if more > 0 else "")


def main(job_file: str) -> None:
    """Do the job; what is wrong with it ends the process with one line."""
    job = Job(**json.loads(Path(job_file).read_text(encoding="utf-8")))
    tables = tables_in({path: Path(path).read_text(encoding="utf-8-sig") for path in job.files})
    try:
        result = answered(tables, job)
    except QueryError as error:
        sys.exit(str(error))
    if job.path:
        file = Path(job.path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(written(result, job, tables).encode())
        print(f"{len(result.rows)} rows written to {job.path}:")
    print(shown(result))


if __name__ == "__main__":
    main(sys.argv[1])
