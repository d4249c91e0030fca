"""Puts what is equally frequent in the order that the goal wants: `most_common` leaves it as it is.

A small model that is told how ties go calls `most_common` and believes that it is done.
"""

import ast
import re

from replan.nodes.select_tool.parsing import parsed, set_in_each

_TIES = re.compile(
    r"\balphabetical\w*[^.;\n]{0,40}\b(?:same|equal\w*|ties?|tied)\b"
    r"|\b(?:same|equal\w*|ties?|tied)\b[^.;\n]{0,40}\balphabetical"
    r"|(?:相同|并列|一样)[^。；\n]{0,12}字母|字母[^。；\n]{0,12}(?:相同|并列|一样)",
    re.IGNORECASE,
)
_NAME = re.compile(r"[A-Za-z_][\w.]*")
_MOST = re.compile(r"\w+")


def with_ordered_ties(code: str, goal: str) -> str:
    """The code with what `most_common` of a named counter gives sorted by name where the counts are
    equal, if that is what the goal wants.

    Args:
        code: Python; where it has a fault of syntax nothing is done.
        goal: its words.
    """
    tree = parsed(code) if _TIES.search(goal) and "most_common" in code else None
    if tree is None:
        return code
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return set_in_each(code, [(call, form) for call in calls if (form := _sorted_form(call, code))])


def _sorted_form(call: ast.Call, code: str) -> str:
    """The same, sorted, in the place of the call; "" for any other call."""
    found = isinstance(call.func, ast.Attribute) and call.func.attr == "most_common"
    if not found or call.keywords or len(call.args) > 1:
        return ""
    counted = ast.get_source_segment(code, call.func.value) or ""  # type: ignore[attr-defined]
    most = [ast.get_source_segment(code, one) or "" for one in call.args]
    if not _NAME.fullmatch(counted) or not all(_MOST.fullmatch(one) for one in most):
        return ""
    cut = f"[:{most[0]}]" if most else ""
    return f"sorted({counted}.items(), key=lambda pair: (-pair[1], pair[0])){cut}"
