"""Reads the code that a model wrote as Python, where it is that."""

import ast
import warnings

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
