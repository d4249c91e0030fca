"""Faults of a script for which there is one remedy: made without asking, where it is certain.

A small model that adds to a name before it has a value gives the same line again when told.
"""

import ast
import re
from collections.abc import Iterator

from replan.nodes.select_tool.mending import SCRIPT_CHARS, line_of_script
from replan.nodes.select_tool.parsing import parsed, set_in
from replan.state.task import Task

_UNDEFINED = re.compile(
    r"(?:NameError: name|UnboundLocalError: (?:cannot access )?local variable) '(\w+)' "
)
_NEW_KEY = re.compile(r"KeyError: .*; begin with ")
_MORE_THAN_NUMBER = re.compile(r"ValueError: invalid literal .*; take the number out of it: ")
_NO_NUMBER = re.compile(r"ValueError: .*; some values are empty: ")
_ZERO = re.compile(
    r"\b(?:counts?|counted|treat|treated|taken)\b(?:\s+\w+)?\s+as (?:0|zero)\b(?![.\d])"
    r"|(?:算作?|按|视为|当作?|计为)\s*(?:0|零)(?![.\d])",
    re.IGNORECASE,
)
_NOT_SO = re.compile(r"\b(?:not|never|without|instead|rather)\b|n't\b|不|勿|别", re.IGNORECASE)
_NEAR = 30
_MEAN = re.compile(r"(?<![a-z])(?:mean|average|median|avg)|平均|中位", re.IGNORECASE)
# Where there are several, nobody knows which is meant.
_ITS_NUMBER = r"re.fullmatch(r'\D*?((?<!\w)-?\d+)\D*', {}).group(1)"
_OF_TEXT = frozenset(
    ("upper", "lower", "strip", "title", "join", "format", "replace", "read", "capitalize")
)
_EMPTY = {"append": "[]", "extend": "[]", "add": "set()", "setdefault": "{}"}


def known_mend(task: Task) -> str:
    """The last script with its fault put right; "" where no remedy is certain, or where it was
    made before.

    Args:
        task: whose last attempt is a script that failed in one of its lines.
    """
    last = task.attempts[-1]
    code = str(last.action.args.get("code", ""))
    if len(code) > SCRIPT_CHARS:  # of which less is kept
        return ""
    better = remedy(code, last.observation.error, line_of_script(task), task)
    tried = [one.action.args.get("code") for one in task.attempts]
    return better if better not in tried else ""


def remedy(code: str, error: str, number: int, task: Task) -> str:
    """The code with that fault put right; "" where no remedy is certain.

    Args:
        code: of a script.
        error: what it failed with, and what was found out about that.
        number: of the line in which it failed, from 1.
        task: what the code is for.
    """
    tree = parsed(code)
    if tree is None or not 0 < number <= len(code.splitlines()):
        return ""
    undefined = _UNDEFINED.match(error)
    if undefined and "Did you mean" not in error:
        better = _with_beginning(code, tree, undefined[1], number)
    elif _NEW_KEY.match(error):
        better = _with_new_key(code, tree, number)
    elif _MORE_THAN_NUMBER.match(error):
        better = _around_cast(code, tree, number, _ITS_NUMBER)
    elif _NO_NUMBER.match(error) and _counts_as_zero(tree, number, task):
        better = _around_cast(code, tree, number, "{} or 0")
    else:
        return ""
    return better if parsed(better) is not None else ""


def _with_beginning(code: str, tree: ast.Module, name: str, number: int) -> str:
    """Before the loop in which the name is added to, the value that it begins with: before the
    outermost one behind which it is used, and inside of which it is not.
    """
    above = _path_to(tree, number)
    value = next(filter(None, (_first_value(node, name) for node in reversed(above))), "")
    functions = [at for at, node in enumerate(above) if isinstance(node, _FUNCTIONS)]
    inside = above[functions[-1] + 1 :] if functions else above
    uses = _uses(tree, name)
    loop = next(
        (
            node
            for node in inside
            if isinstance(node, ast.For | ast.While)
            and not any(node.lineno <= line <= (node.end_lineno or 0) for line in uses)
        ),
        None,
    )
    # Bound outside of the function, it is perhaps that one which is meant.
    inner = {id(node) for node in ast.walk(above[functions[-1]])} if functions else set()
    outside = inner and any(_binds(node, name) for node in ast.walk(tree) if id(node) not in inner)
    if not value or not uses or loop is None or outside or any(map(_is_global, ast.walk(tree))):
        return ""
    lines = code.split("\n")
    line = lines[loop.lineno - 1]
    indent = line[: len(line) - len(line.lstrip())]
    lines.insert(loop.lineno - 1, f"{indent}{name} = {value}")
    return "\n".join(lines)


def _uses(tree: ast.Module, name: str) -> list[int]:
    """The lines in which the name is read other than to be added to."""
    adding = {
        id(inner) for node in ast.walk(tree) if _first_value(node, name) for inner in ast.walk(node)
    }
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Name)
        and node.id == name
        and isinstance(node.ctx, ast.Load)
        and id(node) not in adding
    ]


def _binds(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store)


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


def _is_global(node: ast.AST) -> bool:
    return isinstance(node, ast.Global | ast.Nonlocal)


def _path_to(tree: ast.Module, number: int) -> list[ast.stmt]:
    """The statements around that line, the outermost first, and the one in it."""
    found: list[ast.stmt] = []
    node: ast.AST | None = tree
    while node is not None:
        inner = [
            one
            for one in ast.walk(node)
            if isinstance(one, ast.stmt)
            and one is not node
            and one not in found
            and one.lineno <= number <= (one.end_lineno or one.lineno)
        ]
        node = inner[0] if inner else None  # `walk` goes from the outer to the inner ones
        if node is not None:
            found.append(node)
    return found


def _first_value(node: ast.AST, name: str) -> str:
    """What the name has to be before this statement can add to it; "" where it does not."""
    if isinstance(node, ast.AugAssign) and _is(node.target, name):
        return _neutral(node.value) if isinstance(node.op, ast.Add | ast.Sub) else ""
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.BinOp):
        own = len(node.targets) == 1 and _is(node.targets[0], name) and _is(_leftmost(node), name)
        return _neutral(node.value) if own else ""
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
        return "{}" if _is(node.targets[0].value, name) else ""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        called = node.value.func
        if isinstance(called, ast.Attribute) and _is(called.value, name):
            return _EMPTY.get(called.attr, "")
    return ""


def _leftmost(node: ast.Assign) -> ast.expr:
    value = node.value
    while isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add | ast.Sub):
        value = value.left
    return value


def _is(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _neutral(value: ast.expr) -> str:
    """What can be added to the value and changes nothing."""
    if any(isinstance(node, ast.JoinedStr) or _is_text(node) for node in _added(value)):
        return "''"
    if any(isinstance(node, ast.List | ast.ListComp) for node in _added(value)):
        return "[]"
    return "0"


def _added(value: ast.expr) -> Iterator[ast.expr]:
    """The terms of a sum."""
    if isinstance(value, ast.BinOp):
        yield from _added(value.left)
        yield from _added(value.right)
    else:
        yield value


def _is_text(node: ast.expr) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr in _OF_TEXT
    named = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "str"
    return named or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _with_new_key(code: str, tree: ast.Module, number: int) -> str:
    """The line that adds to what a key holds, so that a new key begins with nothing."""
    node = next(iter(_path_to(tree, number)[-1:]), None)
    new = ""
    if isinstance(node, ast.AugAssign):
        new = _sum_with_key(node)
    elif isinstance(node, ast.Expr):
        new = _call_with_key(node)
    if node is None or not new or node.lineno != node.end_lineno:
        return ""
    before = code.split("\n")[number - 1].encode()[: node.col_offset]
    return _with_line(code, number, new) if not before.strip() else ""  # else behind a header


def _sum_with_key(node: ast.AugAssign) -> str:
    """`name[key] += value` for a key that may be new; "" where that is not what it is."""
    place = _place(node.target)
    if place is None or _looks_up(node.value) or not isinstance(node.op, ast.Add | ast.Sub):
        return ""
    name, key = place
    sign = "+" if isinstance(node.op, ast.Add) else "-"
    value = ast.unparse(node.value)
    return f"{name}[{key}] = {name}.get({key}, {_neutral(node.value)}) {sign} ({value})"


def _call_with_key(node: ast.Expr) -> str:
    """`name[key].append(value)` for a key that may be new; "" where that is not what it is."""
    call = node.value
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return ""
    place, adds = _place(call.func.value), call.func.attr
    if place is None or adds not in ("append", "extend", "add") or any(map(_looks_up, call.args)):
        return ""
    name, key = place
    rest = ast.unparse(call)[len(ast.unparse(call.func)) :]
    return f"{name}.setdefault({key}, {_EMPTY[adds]}).{adds}{rest}"


def _place(node: ast.expr) -> tuple[str, str] | None:
    """Name and key of `name[key]`, where it is that key which is missing."""
    if not isinstance(node, ast.Subscript) or not isinstance(node.value, ast.Name):
        return None
    if isinstance(node.slice, ast.Constant | ast.Slice) or _looks_up(node.slice):
        return None
    return node.value.id, ast.unparse(node.slice)


def _looks_up(node: ast.AST) -> bool:
    """Whether it takes something by a key that is not written out: that one may be missing too. Of
    one that is, the error would name it.
    """
    return any(
        isinstance(one, ast.Subscript) and not isinstance(one.slice, ast.Constant)
        for one in ast.walk(node)
    )


def _with_line(code: str, number: int, new: str) -> str:
    lines = code.split("\n")
    line = lines[number - 1]
    if not line.strip() or ";" in line:
        return ""
    lines[number - 1] = f"{line[: len(line) - len(line.lstrip())]}{new}"
    return "\n".join(lines)


def _counts_as_zero(tree: ast.Module, number: int, task: Task) -> bool:
    """Whether an empty value is as good as 0: the task says so, or it goes into a sum, of which no
    mean is made.
    """
    said = _ZERO.search(task.title)
    if said and _NOT_SO.search(task.title[max(0, said.start() - _NEAR) : said.start()]):
        return False
    if said:
        return True
    node = next(iter(_path_to(tree, number)[-1:]), None)
    sums = isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add)
    got = isinstance(node, ast.Assign) and _adds_to_its_own(node)
    of_numbers = isinstance(node, ast.AugAssign | ast.Assign) and _neutral(node.value) == "0"
    return (sums or got) and of_numbers and not _MEAN.search(task.title)


def _adds_to_its_own(node: ast.Assign) -> bool:
    """Whether it is `a = a + b`, or the like for what a key holds."""
    value, target = node.value, node.targets[0]
    if not isinstance(value, ast.BinOp) or not isinstance(value.op, ast.Add):
        return False
    own = target.value if isinstance(target, ast.Subscript) else target
    left = _leftmost(node)
    if isinstance(left, ast.Call) and isinstance(left.func, ast.Attribute):
        left = left.func.value if left.func.attr == "get" else left
    return ast.unparse(left) in (ast.unparse(target), ast.unparse(own))


def _around_cast(code: str, tree: ast.Module, number: int, form: str) -> str:
    """The code with the form around the one text that is taken for a number in that line."""
    casts = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("int", "float")
        and node.lineno == node.end_lineno == number
        and len(node.args) == 1
        and not node.keywords
    ]
    return set_in(code, casts[0].args[0], form) if len(casts) == 1 else ""
