"""Puts what is equally frequent in the order that the goal wants: `most_common` leaves it as it is.

A small model that is told how ties go calls `most_common` and believes that it is done.
"""

import ast
import re

from replan.nodes.select_tool.parsing import parsed, set_in

_TIES = re.compile(
    r"\balphabetical\w*[^.;\n]{0,40}\b(?:same|equal\w*|ties?|tied)\b"
    r"|\b(?:same|equal\w*|ties?|tied)\b[^.;\n]{0,40}\balphabetical"
    r"|(?:相同|并列|一样)[^。；\n]{0,12}字母|字母[^。；\n]{0,12}(?:相同|并列|一样)",
    re.IGNORECASE,
)


def with_ordered_ties(code: str, goal: str) -> str:
    """The code with what `most_common` gives sorted by name where the counts are equal, if that is
    what the goal wants.

    Args:
        code: Python; where it has a fault of syntax nothing is done.
        goal: its words.
    """
    tree = parsed(code) if _TIES.search(goal) and "most_common" in code else None
    if tree is None:
        return code
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "most_common"
        and node.lineno == node.end_lineno
        and not node.keywords
    ]
    for call in sorted(calls, key=lambda one: (one.lineno, one.col_offset), reverse=True):
        code = set_in(code, call, _sorted_form(call))
    return code


def _sorted_form(call: ast.Call) -> str:
    """The same, sorted, as a form that takes the place of the call."""
    counted = ast.unparse(call.func.value)  # type: ignore[attr-defined]
    most = f"[:{ast.unparse(call.args[0])}]" if call.args else ""
    text = f"sorted({counted}.items(), key=lambda pair: (-pair[1], pair[0])){most}"
    return text.replace("{", "{{").replace("}", "}}")
