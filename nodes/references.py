"""Names by which a task speaks of the results of earlier ones: `$t1` is what t1 brought.

A result comes from files, pages and tools: where a task is dispatched it is put in as data. In the
prompt it stands between marks; in a planned call it takes the place of the name.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from replan.nodes.named_files import named_files
from replan.tools.named_addresses import addresses_in
from replan.tools.protocol import ADDRESS

NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_REFERENCE = re.compile(r"\$([A-Za-z_]\w*)", re.ASCII)
_PATHS = ("path", "folder")
_TEXT_CHARS = 300
T = TypeVar("T")


def names_in(value: Any) -> list[str]:
    """The names that a text, or a JSON value, refers to, each once."""
    if isinstance(value, str):
        return list(dict.fromkeys(_REFERENCE.findall(value)))
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return list(dict.fromkeys(name for part in inner for name in names_in(part)))


def renamed_references(value: T, names: Mapping[str, str]) -> T:
    """The text or JSON value with other names in its references; those that are not known stay."""
    replaced: T = _replaced(value, {name: f"${now}" for name, now in names.items()})
    return replaced


def filled_arguments(
    args: Mapping[str, Any],
    results: Mapping[str, str],
    existing: Sequence[str],
    content: str | None = None,
) -> dict[str, Any]:
    """The arguments of a call with what the references stand for.

    What a path is wanted of is a text that names a file, so the file is taken, and the address
    where one is wanted; of other texts the beginning.

    Args:
        args: of a tool call.
        results: what earlier tasks brought, by their ids.
        existing: the workspace's paths.
        content: an argument that is left as it is: in code, text from outside would be run.
    """
    filled = {}
    for name, value in args.items():
        put = {task: _fitting(name, text, existing) for task, text in results.items()}
        filled[name] = value if name == content else _replaced(value, put)
    return filled


def _fitting(argument: str, result: str, existing: Sequence[str]) -> str:
    if argument in _PATHS:
        named = [path for path in named_files(result, existing) if path in existing]
        return named[0] if named else result[:_TEXT_CHARS]
    if argument == ADDRESS:
        return next(iter(addresses_in(result)), result[:_TEXT_CHARS])
    return " ".join(result.split())[:_TEXT_CHARS]


def _replaced(value: Any, put: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _REFERENCE.sub(lambda found: put.get(found.group(1), found.group()), value)
    if isinstance(value, dict):
        return {key: _replaced(part, put) for key, part in value.items()}
    return [_replaced(part, put) for part in value] if isinstance(value, list) else value
