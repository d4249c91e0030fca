"""Gives lines their breaks back that a script takes from them and then writes one behind the other.

`writelines` adds none. A small model that has stripped the lines of a file forgets that.
"""

import ast
from collections.abc import Iterator

from replan.nodes.select_tool.parsing import parsed, set_in_each

_BROKEN = "(f'{{line}}\\n' for line in {})"
_STRIPS = ("strip", "rstrip")
_GROWS = ("append", "extend", "insert")


def with_line_breaks(code: str) -> str:
    """The script with a line break behind each line that it writes by `writelines` after it has
    stripped it; as it is where that is not certain.

    Args:
        code: Python; where it has a fault of syntax nothing is done.
    """
    tree = parsed(code)
    if tree is None:
        return code
    return set_in_each(
        code, [(given, _BROKEN) for given in _given(tree) if _is_stripped(given, tree)]
    )


def _given(tree: ast.Module) -> Iterator[ast.expr]:
    """What is given to `writelines`."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr == "writelines" and len(node.args) == 1:
            yield node.args[0]


def _is_stripped(given: ast.expr, tree: ast.Module) -> bool:
    """Whether each of the lines was stripped, and nothing was put behind it again."""
    if isinstance(given, ast.Call) and isinstance(given.func, ast.Name) and len(given.args) == 1:
        return given.func.id in ("sorted", "list") and _is_stripped(given.args[0], tree)
    if isinstance(given, ast.ListComp):
        made = given.elt
        strips = isinstance(made, ast.Call) and isinstance(made.func, ast.Attribute)
        return strips and made.func.attr in _STRIPS and not made.args  # type: ignore[attr-defined]
    if not isinstance(given, ast.Name):
        return False
    names = [one for one in ast.walk(tree) if isinstance(one, ast.Name) and one.id == given.id]
    bound = [one for one in names if isinstance(one.ctx, ast.Store)]
    values = [
        one.value
        for one in ast.walk(tree)
        if isinstance(one, ast.Assign) and one.targets[0] in bound and len(one.targets) == 1
    ]
    grows = any(
        isinstance(one, ast.Attribute) and one.attr in _GROWS and one.value in names
        for one in ast.walk(tree)
    )
    return len(bound) == len(values) == 1 and not grows and _is_stripped(values[0], tree)
