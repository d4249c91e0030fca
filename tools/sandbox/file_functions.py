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
    for function in (read_file, write_file, list_files):
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
