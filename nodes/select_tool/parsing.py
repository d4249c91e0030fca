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
