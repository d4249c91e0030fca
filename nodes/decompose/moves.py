"""What the goal's own words want deleted or renamed."""

import re
from collections.abc import Sequence
from fnmatch import fnmatch

from replan.nodes.named_files import files_in_named_folders

_PATH = r"[`'\"“]?([A-Za-z0-9_][\w./-]*)[`'\"”]?"
_NOT = r"(?<!not )(?<!n't )"
_DELETED = re.compile(
    rf"{_NOT}\b(?:delete|remove)\s+(?:the\s+)?(?:whole\s+|now empty\s+)?"
    rf"(?:(?:folder|directory|file)\s+)?{_PATH}(?=\s*(?:$|[,;:.!]\s|[,;:.!]$|and\b|then\b|afterwards\b|too\b))"
    rf"|(?<!不要)(?<!别)删除\s*{_PATH}",
    re.IGNORECASE,
)
_RENAMED = re.compile(
    rf"\brename\s+(?:the\s+)?(?:file\s+)?{_PATH}\s+(?:to|into|as)\s+{_PATH}"
    rf"|把\s*{_PATH}\s*(?:重命名|改名)[为成]\s*{_PATH}",
    re.IGNORECASE,
)
_KIND = r"[`'\"“]?\*?(\.[A-Za-z0-9]{1,8})[`'\"”]?"
_DELETED_KIND = re.compile(
    rf"{_NOT}\b(?:delete|remove)\s+(?:all|every)\s+(?:of\s+)?(?:the\s+)?{_KIND}[ -]files?\b"
    r"(?:\s+(?:in|from|under|below)\s+(?:the\s+)?(?:folder\s+|directory\s+)?([A-Za-z0-9_][\w/-]*)/?)?"
    rf"|(?<!不要)(?<!别)删除所有(?:的)?\s*{_KIND}\s*文件",
    re.IGNORECASE,
)
_EXCEPT = re.compile(
    r"\b(?:except|but not|other than|older|newer|whose|that|which|larger|smaller)\b|除了|以外",
    re.IGNORECASE,
)


def to_be_gone(goal: str, existing: Sequence[str]) -> list[str]:
    """The files and folders that are there and that the goal wants deleted, or renamed, by name;
    and patterns of files of one kind that it wants deleted.
    """
    folders = {path.rpartition("/")[0] for path in existing} - {""}
    named = [_first(match.groups()) for match in _DELETED.finditer(goal)]
    gone = [name for name in named if name in existing or name in folders]
    return list(dict.fromkeys([*gone, *renamed(goal, existing), *_kinds(goal, existing)]))


def renamed(goal: str, existing: Sequence[str]) -> dict[str, str]:
    """The files that the goal renames, with their new paths."""
    pairs = {}
    for match in _RENAMED.finditer(goal):
        before, after = (name.removeprefix("./").rstrip(".") for name in match.groups() if name)
        folder = before.rpartition("/")[0]
        if before in existing:
            pairs[before] = f"{folder}/{after}" if folder and "/" not in after else after
    return pairs


def where_some_stay(goal: str, existing: Sequence[str]) -> str | None:
    """The folder of which the goal says that the other files stay; "" for the workspace, None where
    it says nothing of others.
    """
    if not _OTHERS_STAY.search(goal):
        return None
    folders = {path.rpartition("/")[0] for path in files_in_named_folders(goal, existing)}
    return folders.pop() if len(folders) == 1 else ""


_OTHERS_STAY = re.compile(
    r"\b(?:the\s+)?(?:others?|rest)\b[^.;\n]{0,20}\b(?:stays?|remains?|untouched|unchanged|"
    r"(?:as|where) they are)\b|\b(?:leave|keep)\s+(?:all\s+)?(?:the\s+)?(?:others?|rest)\b"
    r"|其[余他](?:的|文件)*[^。；\n]{0,6}(?:不变|不动|保留|留在)",
    re.IGNORECASE,
)


def _kinds(goal: str, existing: Sequence[str]) -> list[str]:
    """Patterns such as "*.bak" or "old/*.bak", at any depth, where there are such files."""
    found = []
    for match in _DELETED_KIND.finditer(goal):
        clause = re.split(r"[,;.](?:\s|$)|\band\b|[，；。]", goal[match.start() :], maxsplit=1)[0]
        folder = (match.group(2) or "").rstrip("/")
        pattern = f"{folder + '/' if folder else ''}*{match.group(1) or match.group(3)}"
        if not _EXCEPT.search(clause) and any(fnmatch(path, pattern) for path in existing):
            found.append(pattern)
    return found


def _first(groups: Sequence[str | None]) -> str:
    return next(filter(None, groups)).rstrip("/.").removeprefix("./")
