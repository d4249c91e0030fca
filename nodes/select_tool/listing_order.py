"""Goes through folders by name: what lists one gives its files in an order that is nobody's.

A small model forgets that, and its script joins or numbers the files in whatever order they lie on
the disk.
"""

import ast
from collections.abc import Iterator

from replan.nodes.select_tool.parsing import parsed, set_in_each

_LISTS = ("listdir", "iterdir", "glob", "iglob", "rglob")
_GIVES_LIST = ("os.listdir", "glob.glob", "listdir")
_GIVE_PATHS = ("iterdir", "glob", "rglob")
_SORTED = "sorted({})"
_SORTED_PATHS = "sorted({}, key=str)"  # not all kinds of paths can be compared


def with_sorted_listings(code: str) -> str:
    """The script with each listing of a folder sorted that it takes as it comes.

    Args:
        code: Python; where it has a fault of syntax nothing is done.
    """
    tree = parsed(code) if "\r" not in code else None
    if tree is None:
        return code
    found = list(_listings(tree))
    inner = {one for call in found for one in ast.walk(call) if one is not call}
    return set_in_each(code, [(call, _form(call)) for call in found if call not in inner])


def _form(call: ast.Call) -> str:
    paths = _called(call) in _GIVE_PATHS and "glob.glob" not in ast.unparse(call.func)
    return _SORTED_PATHS if paths else _SORTED


def _listings(tree: ast.Module) -> Iterator[ast.Call]:
    """The listings that a loop goes through, and the lists that are given a name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.For | ast.comprehension) and not getattr(node, "is_async", 0):
            call = node.iter
            if isinstance(call, ast.Call) and _called(call) == "enumerate" and call.args:
                call = call.args[0]
            if isinstance(call, ast.Call) and _called(call) in _LISTS:
                yield call
        elif isinstance(node, ast.Assign):
            call = node.value
            if isinstance(call, ast.Call) and ast.unparse(call.func) in _GIVES_LIST:
                yield call


def _called(call: ast.Call) -> str:
    """The last name of what is called."""
    return getattr(call.func, "attr", getattr(call.func, "id", ""))
