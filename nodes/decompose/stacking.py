"""Tables that a goal puts one below the other: which rows and columns the whole has to have.

Only where the goal says this and nothing else: a check of rows that are to be left out, summed up
or changed could never pass.
"""

import csv
import re
from collections.abc import Sequence
from contextlib import suppress

from replan.nodes.decompose.forms import FEWER
from replan.nodes.named_files import files_in_named_folders
from replan.state.errors import ReplanError
from replan.state.task import Check
from replan.tools.formats import header
from replan.tools.workspace import Workspace

_HEAD = 10_000
_MOST = 40
_ALL = r"(?:(?:all|the|these|those|of|every|them|csv|tables?|files?|csvs|monthly|together)\s+)+"
_PLACE = r"(?:(?:in|from|of)\s+(?:the\s+(?:folder|directory)\s+)?[\w./-]+/\s+)?"
_TOGETHER = (
    rf"\b(?:put|bring|merge|combine|concatenate|stack)\s+{_ALL}{_PLACE}(?:together\s+)?"
    r"(?:into|to|in)\s+(?:one\s+(?:table|file),?\s+)?[`'\"“]?{name}[`'\"”]?"
    r"|(?:把|将)\s*[\w./-]+/\s*(?:文件夹|目录)?(?:里|中|下)?(?:面)?的?(?:所有|全部)?的?\s*"
    r"(?:csv|表格?|文件|\s)+合并(?:成|到|为|写入)\s*[`'\"“]?{name}[`'\"”]?"
)
# "A first column month, ..., then the columns they have."
_BEFORE = (
    r"(?:with\s+)?a\s+(?:first|leading)\s+column,?\s+(?:(?:named|called)\s+)?[`'\"“]?(?P<new>\w+)"
    r"[`'\"”]?(?:,?\s*\([^()]*\)|,\s*(?:holding|with|that holds|which holds)[^,;:\n]{1,60})?"
    r",?\s*(?:and\s+)?then\s+(?:the|all|their)\s+(?:own\s+)?columns(?:\s+(?:that\s+)?they\s+have"
    r"|\s+of\s+the\s+files)?"
)
_ORDER = (
    r"(?:in\s+(?:the\s+)?order\s+of\s+(?:the\s+|their\s+)?(?:file\s+)?\w+"
    r"|sorted\s+by\s+(?:file\s+)?names?|按文件名(?:的)?(?:顺序|排序)?)"
)
_REST = re.compile(
    rf"(?: ?[:,，] ?{_BEFORE}| {_BEFORE.replace('<new>', '<with>')})?"
    rf"(?:[,，]? ?{_ORDER})?[.;。；!]?",
    re.IGNORECASE,
)
# What makes rows of the whole fewer, more or others, besides what removes some.
_OTHERWISE = re.compile(
    r"\b(?:exclud\w*|omit\w*|leav\w+ out|ignor\w*|skip\w*|uniq\w*|distinct|once|totals?|sums?|"
    r"add up|counts? of|per row|averages?|mean|latest|newest|grouped?|join\w*|match\w*|renam\w*|"
    r"first \d+|last \d+|over \d+|under \d+|more than|less than|round\w*|convert\w*|format\w*|"
    r"fill\w*|replac\w*|chang\w*|keep|capitals?|upper|lower|trim\w*|clean\w*)\b"
    r"|汇总|总|平均|最|大于|小于|每|保留|转换|替换|修改",
    re.IGNORECASE,
)
_DATUM = re.compile(r"\s*[-+]?\d")


async def checks_of_stack(
    goal: str, writes: Sequence[str], existing: Sequence[str], workspace: Workspace
) -> list[Check]:
    """Checks of the one new table that all tables of a folder are put together in; none where the
    goal does more with their rows, or they differ in their columns.

    Args:
        goal: its own words.
        writes: the files that it wants made.
        existing: the files that are there.
        workspace: where they are.
    """
    if len(writes) != 1 or not writes[0].endswith(".csv"):
        return []
    parts = [one for one in files_in_named_folders(goal, existing) if one.endswith(".csv")]
    folders = {one.rpartition("/")[0] for one in parts}
    new = _said(goal, writes[0])
    if not 1 < len(parts) <= _MOST or len(folders) != 1 or new is None:
        return []
    headers = [await _header(part, workspace) for part in parts]
    if not headers[0] or any(one != headers[0] for one in headers) or _is_odd(headers[0]):
        return []
    columns = [*([new] if new else []), *headers[0]]
    return [
        Check(kind="as_many_rows", path=writes[0], text=f"{folders.pop()}/*.csv"),
        Check(kind="csv_columns", path=writes[0], columns=columns),
    ]


def _said(goal: str, path: str) -> str | None:
    """The new first column that the goal wants, "" for none; None where it wants anything but all
    rows of all tables as they are.
    """
    words = " ".join(goal.split())
    together = re.search(_TOGETHER.format(name=re.escape(path)), words, re.IGNORECASE)
    rest = _REST.fullmatch(words, together.end()) if together else None
    if rest is None or together is None:
        return None
    before = words[: together.start()]
    if FEWER.search(before) or _OTHERWISE.search(before):
        return None
    return rest["new"] or rest["with"] or ""


def _is_odd(names: Sequence[str]) -> bool:
    """Whether a first row is none of names, or not parted by commas."""
    return any(_DATUM.match(name) or name.startswith("#") for name in names) or any(
        mark in name for name in names for mark in ";\t|"
    )


async def _header(path: str, workspace: Workspace) -> list[str]:
    with suppress(ReplanError, csv.Error):
        return header(await workspace.read_text(path, _HEAD))
    return []
