"""What a goal wants of each file of a folder, and of an archive that it has unpacked."""

import re
from collections.abc import Sequence
from pathlib import PurePath

from replan.nodes.named_files import files_in_named_folders, folders_to_make
from replan.state.task import Check

_MOST = 30
_LINE = re.compile(
    r"\b(?:put|add|append|insert|write|prepend)\s+(?:the|a|this)\s+(?:\w+\s+)?line\s+"
    r"(?:[`'](?P<one>[^`'\n]+)[`']|[\"“](?P<two>[^\"”\n]+)[\"”])\s+(?:at|to|as)\s+the\s+"
    r"(?:very\s+)?(?:end|bottom|top|beginning|start|first line|last line)\s+of\s+"
    r"(?:each|every|all)\b"
    r"|在?每个[^，。；\n]{0,12}文件[^，。；\n]{0,6}(?:末尾|开头|最后|结尾|顶部)[^，。；\n]{0,6}"
    r"(?:加上?|添加|写上?)[^，。；\n“\"]{0,4}[“\"「](?P<three>[^”\"」\n]+)[”\"」]",
    re.IGNORECASE,
)
_UNPACKS = re.compile(r"\b(?:unpack|extract|unzip|untar|decompress)\b|解压|解包", re.IGNORECASE)
_ARCHIVES = (".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz")


def checks_of_each(goal: str, writes: Sequence[str], existing: Sequence[str]) -> list[Check]:
    """Checks that each file has the line that the goal puts into it, and that what is unpacked is
    where it goes.

    Args:
        goal: its own words.
        writes: the files that it wants made.
        existing: the files that are there.
    """
    checks = []
    files = [path for path in files_in_named_folders(goal, existing) if path not in writes]
    kinds = {PurePath(path).suffix for path in files}
    if (found := _LINE.search(goal)) and len(kinds) == 1 and 1 < len(files) <= _MOST:
        line = found["one"] or found["two"] or found["three"]
        checks += [Check(kind="file_contains", path=path, text=line) for path in files]
    if _UNPACKS.search(goal) and any(path.endswith(_ARCHIVES) for path in existing):
        folders = folders_to_make(goal, existing)
        checks += [Check(kind="file_exists", path=f"{folder}/") for folder in folders[:1]]
    return checks
