"""How to get at what a JSON file holds, in code that a script can take over.

Of a nested file the first lines show brackets. A small model that has not seen the keys makes up
flat ones, and asked to mend that leaves the records out.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from replan.tools.bounds import storable

_FIRST_CHARS = 500
_PATHS = 16
_ODD = 5
_DEEP = 3
_LEAST = 2
_OTHERS = 6
_LOOKED_AT = 1000
_MOST_PATHS = 200
_TYPES = {
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "a text",
    list: "a list",
    dict: "an object",
    type(None): "null",
}


def json_outline(text: str) -> str:
    """Where the records are, the first of them, what each holds, and what some of them lack.

    Returns:
        "" where the text is no JSON, or holds no list of objects.
    """
    data, place, records = _read(text)
    if not records:
        return ""
    number, records = len(records), records[:_LOOKED_AT]
    kind, way = _way(data, place, records)
    lines = [
        f"data = json.load(file); {place} is {kind} of {number:,}; the first is:",
        _compact(records[0]),
        way,
        *_odd(records),
    ]
    if isinstance(data, dict) and place != "data":
        others = [f"data[{key!r}]" for key in data if place != f"data[{key!r}]"]
        lines += [f"there is also {', '.join(others[:_OTHERS])}"] if others else []
    return storable("\n".join(lines))


def way_to_pairs(text: str) -> str:
    """How to get at what stands in the objects of each record, where these hold other names each
    time, such as goods and their numbers: a small model that sees them takes them for the record's
    own. "" where there are none.
    """
    data, place, records = _read(text)
    if not records:
        return ""
    pairs = _pairs(records[:_LOOKED_AT])
    if not pairs:
        return ""
    kind, way = _way(data, place, records[:_LOOKED_AT])
    adds = next((_adding(key) for key in sorted(pairs) if _recurs(records, key)), "")
    return storable(f"data = json.load(file); {place} is {kind}; {way}{adds}")


def _recurs(records: Sequence[Mapping[str, Any]], key: str) -> bool:
    """Whether a name stands in several records with a number."""
    held = [record[key] for record in records if isinstance(record.get(key), dict)]
    names = Counter(name for one in held for name in one)
    numbers = all(type(value) in (int, float) for one in held for value in one.values())
    return numbers and max(names.values(), default=0) > 1


def _adding(key: str) -> str:
    return (
        "; a name may stand in several d: totals over all of them by "
        f"for name, value in d[{key!r}].items(): totals[name] = totals.get(name, 0) + value"
    )


def _way(data: Any, place: str, records: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """Whether the records stand in a list or an object, and how to get at what each holds."""
    kind = "an object" if place == "data" and isinstance(data, dict) else "a list"
    each = "data.values()" if kind == "an object" else place
    return kind, f"for d in {each}: it holds {_paths_told(records)}"


def _pairs(records: Sequence[Mapping[str, Any]]) -> set[str]:
    """The keys behind which each record has an object with names of its own, and values of one
    kind.
    """
    found = set()
    for key in dict.fromkeys(key for record in records for key in record):
        held = [record[key] for record in records if key in record]
        if len(held) < _LEAST or not all(isinstance(one, dict) and one for one in held):
            continue
        kinds = {type(value) for one in held for value in one.values()}
        alike = len(kinds) == 1 and not kinds & {dict, list}
        if alike and len({frozenset(one) for one in held}) > 1:
            found.add(str(key))
    return found


def _read(text: str) -> tuple[Any, str, list[Any]]:
    """What the text holds, the expression for its records, and these: several objects, or none."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None, "", []
    place, records = _records(data)
    if len(records) < _LEAST or not all(isinstance(one, dict) and one for one in records):
        return data, place, []
    return data, place, records


def _records(data: Any) -> tuple[str, list[Any]]:
    """The list that the file is about, and the expression for it."""
    if isinstance(data, list):
        return "data", data
    if not isinstance(data, dict):
        return "", []
    lists = [key for key, value in data.items() if isinstance(value, list) and value]
    if len(lists) == 1:
        return f"data[{lists[0]!r}]", data[lists[0]]
    alike = len(data) > 2 and all(isinstance(value, dict) for value in data.values())
    return ("data", list(data.values())) if alike else ("", [])


def _compact(record: Any) -> str:
    told = json.dumps(record, ensure_ascii=False)
    return told if len(told) <= _FIRST_CHARS else f"{told[:_FIRST_CHARS]}..."


def _paths_told(records: Sequence[Mapping[str, Any]]) -> str:
    pairs = _pairs(records)
    paths = [path for path in _paths(records, pairs) if path]
    shown = [
        f"in d[{path[0]!r}].items() names with their values"
        if path[0] in pairs
        else f"d{''.join(f'[{key!r}]' for key in path)}"
        for path in paths[:_PATHS]
    ]
    return f"{', '.join(shown)}{', ...' if len(paths) > _PATHS else ''}"


def _paths(records: Sequence[Mapping[str, Any]], pairs: set[str]) -> list[tuple[str, ...]]:
    """The paths of all that is no object, or one of pairs, in the order of the first records."""
    found: dict[tuple[str, ...], None] = {}
    for record in records:
        for path in _leaves(record, ()):
            found[path[:1] if path and path[0] in pairs else path] = None
        if len(found) > _MOST_PATHS:
            break
    # Null in one record and an object in another: the parts of the object say more.
    above = {path[:length] for path in found for length in range(len(path))}
    return [path for path in found if path not in above]


def _leaves(value: Any, path: tuple[str, ...]) -> list[tuple[str, ...]]:
    if not isinstance(value, dict) or not value or len(path) == _DEEP:
        return [path]
    return [leaf for key, inner in value.items() for leaf in _leaves(inner, (*path, str(key)))]


def _odd(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """What is missing, null or of another type in some of the records."""
    paths: dict[tuple[str, ...], None] = {}
    for path in _paths(records, _pairs(records)):
        for length in range(1, len(path) + 1):
            paths[path[:length]] = None
    told = []
    for path in paths:
        kinds = Counter(kind for record in records if (kind := _type_at(record, path)))
        if len(kinds) > 1:
            usual = kinds.most_common(1)[0][0]
            others = ", ".join(f"{kind} in {kinds[kind]}" for kind in kinds if kind != usual)
            told.append(f"d{''.join(f'[{key!r}]' for key in path)}: {others} of {len(records)}")
    return told[:_ODD]


def _type_at(record: Mapping[str, Any], path: tuple[str, ...]) -> str:
    """What stands at the path; "" where what it would be in is not there."""
    here: Any = record
    for key in path[:-1]:
        here = here.get(key) if isinstance(here, dict) else None
    if not isinstance(here, dict):
        return ""
    return _TYPES[type(here[path[-1]])] if path[-1] in here else "missing"
