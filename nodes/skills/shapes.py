"""What the files were like when a task began: whether a script that worked then fits now."""

import hashlib
import json
from collections.abc import Mapping, Sequence

from replan.nodes.named_files import named_files
from replan.nodes.records import fields_of
from replan.nodes.survey import TABLES
from replan.state.errors import ReplanError
from replan.tools.workspace import Workspace

# What a start says of the workspace as a whole, beside the named files by their paths.
ALL = "*"
ENDINGS = "*.*"
_MOST_FILES = 8
_READ = 200_000
_KEYS = 12
_LEAST_ROWS = 20


async def start_of(workspace: Workspace, text: str) -> dict[str, str]:
    """The shape of each file that the text names and that is there, by path; and of all.

    Args:
        workspace: where the files are.
        text: a goal and the title of a task.
    """
    existing = await workspace.files()
    endings = " ".join(sorted(set(map(_ending, existing))))
    named = await shapes_of(workspace, text, existing)
    return {ALL: await workspace.digest(), ENDINGS: endings, **named}


async def shapes_of(workspace: Workspace, text: str, existing: Sequence[str]) -> dict[str, str]:
    """The shape of each file that the text names and that is there, by path.

    Args:
        workspace: where the files are.
        text: a goal.
        existing: the workspace's paths.
    """
    shapes: dict[str, str] = {}
    named = [path for path in named_files(text, existing) if path in existing]
    for path in named[:_MOST_FILES]:
        try:
            shapes[path] = shape_of(path, await workspace.read_text(path, _READ))
        except ReplanError:
            shapes[path] = "not to be read"
    return shapes


def inputs(start: Mapping[str, str]) -> dict[str, str]:
    """The shapes of the named files alone, by path."""
    return {path: shape for path, shape in start.items() if path not in (ALL, ENDINGS)}


def shape_of(path: str, text: str) -> str:
    """What a script has to know of a file: of records their fields, of any other its content."""
    if path.endswith(".json"):
        return _json_shape(text)
    rows = [row for row in text.splitlines() if row.strip()]
    fields = fields_of(path, rows)
    if path.endswith(TABLES) or (len(rows) >= _LEAST_ROWS and fields not in ("words: any", "")):
        return fields
    return f"content: {hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:16]}"


def form(shape: str) -> str:
    """What has to be the same, whatever the fields are called."""
    kind, _, fields = shape.partition(": ")
    if kind != "words":
        return kind if kind != "content" else shape
    return "|".join("one of" if one.startswith("one of") else one for one in fields.split("|"))


def fields(shape: str) -> list[str]:
    """The names of columns or keys, and the values that a field can have."""
    kind, _, rest = shape.partition(": ")
    if kind == "words":
        listed = [one.removeprefix("one of ") for one in rest.split("|") if "one of " in one]
        return [value for values in listed for value in values.split(",")]
    return [name.strip() for name in rest.split(",") if name.strip()] if kind != "content" else []


def _json_shape(text: str) -> str:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return "no JSON"
    if isinstance(value, list):
        first = value[0] if value else None
        return f"JSON list: {','.join(first) if isinstance(first, dict) else ''}"
    if isinstance(value, dict):
        return f"JSON object: {','.join(value)}" if len(value) <= _KEYS else "JSON map"
    return f"JSON {type(value).__name__}"


def _ending(path: str) -> str:
    name = path.rsplit("/", 1)[-1]
    return name.rsplit(".", 1)[-1].lower() if "." in name else "-"
