"""Tables that a goal puts one below the other: which rows and columns the whole has to have."""

import csv
import re
from collections.abc import Sequence
from contextlib import suppress

from replan.nodes.named_files import files_in_named_folders
from replan.state.errors import ReplanError
from replan.state.task import Check
from replan.tools.formats import header
from replan.tools.workspace import Workspace

_HEAD = 10_000
_MOST = 40
_TOGETHER = re.compile(
    r"\b(?:put|bring|write)\b[^.;:\n]{0,40}\btogether\b"
    r"|\b(?:merge|combine|concatenate|stack|append)\b[^.;:\n]{0,60}\b(?:into|to|in|as)\b"
    r"|合并(?:成|到|为|写入)",
    re.IGNORECASE,
)
# What makes rows of the whole fewer, more or others.
_OTHERWISE = re.compile(
    r"\b(?:where|whose|except|only|remov\w*|drop\w*|dele\w*|duplicates?|filter\w*|ignor\w*|skip\w*|"
    r"uniq\w*|distinct|once|totals?|sums?|add up|counts? of|per|averages?|mean|latest|newest|last|"
    r"without (?!(?:the )?[`'\"]?\.\w)(?!(?:the |its |their )?(?:ending|extension|suffix))|"
    r"join\w*|match\w*|by (?:the )?(?:column|key|id)|on (?:the )?(?:column|key|id))\b"
    r"|去除|删除|去重|只保留|每个?|汇总|总|平均|最",
    re.IGNORECASE,
)
# "A first column month, ..., then the columns they have."
_BEFORE = re.compile(
    r"\b(?:first|leading|new|extra|additional) column,?\s+(?:(?:named|called)\s+)?[`'\"“]?(\w+)"
    r"[^;:\n]{0,120}?\b(?:then|followed by|before|and)\b[^.;:\n]{0,20}\bcolumns\b",
    re.IGNORECASE,
)
_COLUMN = re.compile(r"\bcolumns?\b|列", re.IGNORECASE)


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
    if not 1 < len(parts) <= _MOST or len(folders) != 1:
        return []
    if not _TOGETHER.search(goal) or _OTHERWISE.search(goal):
        return []
    headers = [await _header(part, workspace) for part in parts]
    if not headers[0] or any(one != headers[0] for one in headers):
        return []
    checks = [Check(kind="as_many_rows", path=writes[0], text=f"{folders.pop()}/*.csv")]
    before = _BEFORE.search(goal)
    if before or not _COLUMN.search(goal):
        columns = [*([before[1]] if before else []), *headers[0]]
        checks.append(Check(kind="csv_columns", path=writes[0], columns=columns))
    return checks


async def _header(path: str, workspace: Workspace) -> list[str]:
    with suppress(ReplanError, csv.Error):
        return header(await workspace.read_text(path, _HEAD))
    return []
