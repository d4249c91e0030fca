"""Reads the code that a model wrote as Python, where it is that."""

import ast
import warnings
from collections.abc import Iterable

from replan.tools.formats import FILTERS


def parsed(code: str) -> ast.Module | None:
    """The tree of the code; None where it has a fault of syntax, or is too deep to be read.

    Args:
        code: what may be Python.
    """
    try:
        with FILTERS, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def set_in_each(code: str, forms: Iterable[tuple[ast.expr, str]]) -> str:
    """The code with a form around each of the expressions that stands in one line; as it is where
    nothing that can be read would come of it.

    Args:
        code: what the expressions are of; none of them is a part of another.
        forms: the expressions, each with its form: see `set_in`.
    """
    better = code
    # From the end on, so that the places of those before it stay.
    for node, form in sorted(forms, key=lambda one: (one[0].lineno, one[0].col_offset))[::-1]:
        if node.lineno == node.end_lineno:
            better = set_in(better, node, form)
    return better if better == code or parsed(better) is not None else code


def set_in(code: str, node: ast.expr, form: str) -> str:
    """The code with the form around an expression that stands in one line.

    Args:
        code: what `node` is of.
        node: the expression.
        form: with `{}` where the expression goes.
    """
    lines = code.split("\n")
    line = lines[node.lineno - 1].encode()  # positions count bytes
    start, end = node.col_offset, node.end_col_offset or 0
    text = form.format(line[start:end].decode()).encode()
    lines[node.lineno - 1] = (line[:start] + text + line[end:]).decode()
    return "\n".join(lines)
