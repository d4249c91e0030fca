"""What to do about an error of a script, where the error alone does not tell a small model."""

import re
from contextlib import suppress
from itertools import islice
from pathlib import Path

from replan.tools.bounds import storable
from replan.tools.packages import importable

_HINTS = {
    "EOFError": "nobody can answer input(): use values from the goal or from files",
}
_MISSING = re.compile(r"ModuleNotFoundError: No module named '([^']+)'")
_NOT_EMPTY = re.compile(r"OSError: \[Errno 39\][^:]*: '([^']+)'")
NOT_FOUND = re.compile(r"FileNotFoundError: \[Errno 2\][^:]*: '([^']+)'(?: -> '([^']+)')?")
_IS_FOLDER = re.compile(r"IsADirectoryError: \[Errno 21\][^:]*: '([^']+)'")
# One name, one key without brackets of its own but for one such as row['x'], and nothing before.
_KEY = r"((?:[^\[\];]|\[['\"]\w+['\"]\])+)"
_NEW_KEY = re.compile(
    rf": (?:[^:\[\]]*: )?([A-Za-z_]\w*)\[{_KEY}\]\s*(?:[-+]=\s*[^\s\[{{]|\.(append|add|extend)\()"
)
_NO_NUMBER = re.compile(
    r"ValueError: (?:could not convert string to float: ''|"
    r"invalid literal for int\(\) with base \d+: '')"
    r"|TypeError: (?:float|int)\(\) argument must be .*not 'NoneType'"
)
_MORE_THAN_NUMBER = re.compile(
    r"ValueError: invalid literal for int\(\) with base 10: "
    r"('(?:[^\d']*[^\w'.])?-?\d+(?:[^\w'.][^\d']*|\.[A-Za-z][^\d']*)?')$"
)
_CAST = re.compile(r"\b(float|int)\(([^()]+)\)")
_LOOKED_AT = 5000
_NAMED = 3


def hint_for(message: str, folder: Path | None = None, where: str = "") -> str:
    """The next step, "" where nothing is known that helps.

    Args:
        message: the error, as Python says it; the script may have said it, too.
        folder: the workspace, to tell where a file is that was not found. Blocking.
        where: the line in which it happened.
    """
    if message.startswith("KeyError: "):
        return _about_key(message.removeprefix("KeyError: ").strip("'\""), where)
    if more := _MORE_THAN_NUMBER.match(message):
        return f"take the number out of it: int(re.search(r'-?\\d+', text).group()) of {more[1]}"
    if message.startswith("TypeError: ") and _NO_NUMBER.match(message):
        return "the value is missing: look whether the key is right, and skip rows that lack it"
    if _NO_NUMBER.match(message):
        cast = _CAST.search(where)
        zero = f"{cast[1]}({cast[2]} or 0)" if cast else "0 for them"
        return f"some values are empty: skip them, or write {zero} where they count as 0"
    if missing := _MISSING.match(message):
        known = ", ".join(importable()) or "none"
        return (
            f"{missing[1]} is not installed and cannot be; besides the standard library there "
            f"are: {known}"
        )
    if full := _NOT_EMPTY.fullmatch(message):
        return f"{full[1]} is not empty; shutil.rmtree only where all that is in it is to go"
    if found := _IS_FOLDER.match(message):
        return f"{found[1]} is a folder, not a file: skip it unless os.path.isfile(path)"
    if folder and (absent := NOT_FOUND.match(message)):
        with suppress(OSError, ValueError):
            return _about_paths(absent[1], absent[2] or "", folder.resolve())
    return _HINTS.get(message.split(":")[0], "")


def _about_key(missing: str, where: str) -> str:
    """A key that is not there yet has nothing that could be added to."""
    new = _NEW_KEY.search(where)
    if new is None or f"'{missing}'" in where or f'"{missing}"' in where:
        return ""
    name, key, adds = new.groups()
    if adds is None:
        return f"begin with 0 for a new key: {name}[{key}] = {name}.get({key}, 0) + ..."
    empty = "set()" if adds == "add" else "[]"
    return f"begin with an empty one for a new key: {name}.setdefault({key}, {empty}).{adds}(...)"


def _about_paths(path: str, new: str, folder: Path) -> str:
    """About a file that is not there, or that cannot be moved to a new place. Nothing is told of
    what lies outside the workspace.
    """
    if not all(_is_inside(one, folder) for one in (path, new)):
        return ""
    if not (new and (folder / path).exists()):
        return _where_it_is(path, folder)
    if "/" in path and new.endswith(f"/{path}"):
        return "the new path holds the old folder too: join it with os.path.basename(path)"
    return _folder_first(new, folder)


def _is_inside(path: str, folder: Path) -> bool:
    return not Path(path).is_absolute() and (folder / path).resolve().is_relative_to(folder)


def _where_it_is(path: str, folder: Path) -> str:
    """Where a file of that name is, or that the folder it is to be in is missing."""
    known = [one for one in islice(folder.rglob("*"), _LOOKED_AT) if one.name == Path(path).name]
    if known:
        named = [storable(one.relative_to(folder).as_posix()) for one in sorted(known)[:_NAMED]]
        return f"there is {' and '.join(named)}"
    return _folder_first(path, folder)


def _folder_first(path: str, folder: Path) -> str:
    parent = Path(path).parent
    if str(parent) == ".":
        return ""
    if not (folder / parent).is_dir():
        return f"make the folder first: os.makedirs({parent.as_posix()!r}, exist_ok=True)"
    names = [one.name for one in islice((folder / parent).iterdir(), _LOOKED_AT)]
    there = sorted(storable(name) for name in names)
    more = ", ..." if len(there) > _NAMED else ""
    return f"{parent.as_posix()} holds {', '.join(there[:_NAMED])}{more}" if there else ""
