"""The file tools as functions of a one-off script in the sandbox. Standard library only.

A small model that was shown `read_file` as a tool calls it in its scripts too, and again after it
was told that there is no such name. What it means is plain, so there it is: the same names, on the
files that the script may open anyway.

A copy of it lies in the sandbox's own Python environment, where a .pth file installs it when
REPLAN_FILE_FUNCTIONS is set. The workspace's own scripts and its tests do not find them: there they
would hide a fault.
"""

import builtins
import os

VARIABLE = "REPLAN_FILE_FUNCTIONS"


def install() -> None:
    """Make them built-in names, which any name of the script's own stands before."""
    os.environ.pop(VARIABLE, None)
    for function in (read_file, write_file, list_files, delete_file, move_files):
        setattr(builtins, function.__name__, function)


def read_file(path: str) -> str:
    """The text of a file."""
    with open(path, encoding="utf-8") as file:
        return file.read()


def write_file(path: str, text: str) -> None:
    """Write a text file whole, with the folders it lies in."""
    if folder := os.path.dirname(path):
        os.makedirs(folder, exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def list_files(path: str = ".") -> "list[str]":
    """The paths of all files below a folder, sorted, hidden ones left out."""
    found = []
    for folder, folders, names in os.walk(path):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [os.path.relpath(os.path.join(folder, name)) for name in names if name[0] != "."]
    return sorted(found)


def delete_file(path: str, whole: bool = False) -> None:
    """Delete a file or an empty folder; a folder with all that is in it if it is to go whole."""
    if os.path.islink(path) or not os.path.isdir(path):
        os.remove(path)
    elif whole:
        import shutil  # of the many scripts that start, hardly one needs it

        shutil.rmtree(path)
    else:
        os.rmdir(path)


def move_files(moves: "list[dict[str, object]] | list[str] | str", to: str = "") -> None:
    """Move files into a folder, which is made, or rename one: by the tool's own list of moves, or
    by files, patterns too, and where to. Nothing is moved over a file that is there.
    """
    import glob
    import shutil

    asked = [{"files": moves, "to": to}] if to else moves
    planned: list[tuple[str, str]] = []
    for move in asked:
        if not isinstance(move, dict):
            raise TypeError("move_files takes moves, each with files and to")
        target, named = str(move["to"]), move["files"]
        names = [named] if isinstance(named, str) else list(named)  # type: ignore[call-overload]
        found: list[str] = []
        for name in names:
            found += [name] if os.path.lexists(name) else sorted(glob.glob(name)) or [name]
        # As the tool has it: a name without an ending is a folder's.
        into = target.endswith("/") or os.path.isdir(target) or len(found) > 1
        into = into or not os.path.splitext(target)[1]
        planned += [
            (path, os.path.join(target, os.path.basename(path)) if into else target)
            for path in found
        ]
    for path, place in planned:
        if not os.path.lexists(path):
            raise FileNotFoundError(f"{path} is not there")
        if os.path.lexists(place):
            raise FileExistsError(f"{place} is there already")
    for path, place in planned:
        if folder := os.path.dirname(place):
            os.makedirs(folder, exist_ok=True)
        shutil.move(path, place)
