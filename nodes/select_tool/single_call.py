"""A script that is nothing but one call of a tool, taken as that call."""

import ast
import math
from collections.abc import Sequence

from replan.nodes.select_tool.parsing import parsed
from replan.state.task import Action
from replan.tools.code_action import functions
from replan.tools.protocol import Tool


def single_call(code: str, tools: Sequence[Tool]) -> Action | None:
    """The call, where the script is `tool(...)`, `print(tool(...))` or `name = tool(...)` with
    arguments written out; None where it is anything else.

    Args:
        code: the script.
        tools: those that are functions in it.
    """
    call = _only_call(code)
    if call is None or not isinstance(call.func, ast.Name):
        return None
    named = {one.function: one for one in functions(tools)}
    found = named.get(call.func.id)
    if found is None or len(call.args) > len(found.arguments):
        return None
    values = [
        *zip(found.arguments, call.args, strict=False),
        *((word.arg, word.value) for word in call.keywords),
    ]
    names = [name for name, _ in values]
    if None in names or len(set(names)) != len(names):
        return None
    try:
        args = {str(name): ast.literal_eval(value) for name, value in values}
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    return Action(tool=found.tool, args=args) if _is_json(args) else None


def _only_call(code: str) -> ast.Call | None:
    tree = parsed(code)
    body = tree.body if tree else []
    if len(body) != 1 or not isinstance(body[0], ast.Expr | ast.Assign):
        return None
    value = body[0].value
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
        printed = value.func.id == "print" and len(value.args) == 1 and not value.keywords
        value = value.args[0] if printed else value
    return value if isinstance(value, ast.Call) else None


def _is_json(value: object) -> bool:
    """Whether a literal has a form in JSON: no set, no bytes, no name that is no text."""
    if isinstance(value, dict):
        return all(isinstance(name, str) and _is_json(one) for name, one in value.items())
    if isinstance(value, list):
        return all(map(_is_json, value))
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, str | int | bool)
