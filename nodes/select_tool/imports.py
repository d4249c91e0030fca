"""Adds the imports that a script lacks: a small model uses `re` and forgets to import it, and asked
to mend that, it puts `import re` in the place of `import os`.
"""

import ast
import builtins
from collections.abc import Iterable

from replan.nodes.select_tool.parsing import parsed
from replan.tools.packages import importable

# Modules of the standard library that nobody uses as the name of something else.
_STANDARD = (
    "argparse ast base64 bisect calendar collections configparser copy csv dataclasses decimal "
    "difflib fnmatch fractions functools glob gzip hashlib heapq html io itertools json "
    "math operator os pathlib pickle random re shutil sqlite3 statistics string struct subprocess "
    "sys tarfile tempfile textwrap time typing unicodedata uuid zipfile zlib"
)
_MODULES = frozenset(_STANDARD.split())
_ALIASES = {"pd": "pandas", "np": "numpy"}
_NAMES = {
    "Path": "pathlib",
    "Counter": "collections",
    "defaultdict": "collections",
    "OrderedDict": "collections",
    "deque": "collections",
    "Decimal": "decimal",
    "timedelta": "datetime",
    "ZipFile": "zipfile",
}
# What `datetime` means is told by what is taken from it.
_OF_MODULE = frozenset(("datetime", "date", "time", "timedelta", "timezone"))


def with_imports(code: str) -> str:
    """The script with what it lacks at its top; as it is where nothing is missing for certain.

    Args:
        code: Python; where it has a fault of syntax nothing is added.
    """
    tree = parsed(code)
    if tree is None:
        return code
    bound = _bound(tree)
    if "*" in bound:
        return code
    lines: dict[str, None] = {}
    for node in ast.walk(tree):
        taken = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        name = node.value if taken else node  # type: ignore[attr-defined]
        if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Load) and name.id not in bound:
            lines[_import_of(name.id, node.attr if taken else "")] = None  # type: ignore[attr-defined]
    lines.pop("", None)
    if {"import datetime", "from datetime import datetime"} <= lines.keys():
        return code  # it means both, and only one can have the name
    return with_lines_on_top(code, lines)


def with_lines_on_top(code: str, lines: Iterable[str]) -> str:
    """The code with the lines behind what has to stand first: comments of the interpreter's, the
    docstring, and what is from the future.

    Args:
        code: Python without a fault of syntax.
        lines: without line breaks at their ends.
    """
    added = "".join(f"{line}\n" for line in lines)
    tree = ast.parse(code)
    first = 0
    rows = code.splitlines(keepends=True)
    while first < len(rows) and rows[first].startswith("#"):
        first += 1
    for at, node in enumerate(tree.body):
        docstring = at == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
        if not (docstring or future):
            break
        first = node.end_lineno or first
    head = "".join(rows[:first])
    return f"{head}{added}{''.join(rows[first:])}" if head.endswith("\n") or not head else code


def _import_of(name: str, attribute: str) -> str:
    if attribute and name == "datetime":
        return "import datetime" if attribute in _OF_MODULE else "from datetime import datetime"
    if attribute and name in _MODULES:
        return f"import {name}"
    if attribute and _ALIASES.get(name) in importable():
        return f"import {_ALIASES[name]} as {name}"
    return f"from {_NAMES[name]} import {name}" if name in _NAMES else ""


def _bound(tree: ast.AST) -> set[str]:
    """Every name that the script gives a meaning anywhere, and "*" where it may be any."""
    bound = set(dir(builtins))
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            bound.add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            bound |= {(one.asname or one.name).split(".")[0] for one in node.names}
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            bound.add(node.name)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            bound.add(node.name)
    return bound
