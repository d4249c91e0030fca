"""Which files have the same content as others, where the goal is about that."""

import re
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping

from replan.tools.bounds import named_up_to

_MOST_GROUPS = 8
_NAMED = 6
_ABOUT = re.compile(
    r"\b(?:duplicate\w*|identical\w*|the same (?:content|text|bytes|files?)|copies)\b"
    r"|重复|相同|一样|副本",
    re.IGNORECASE,
)
# Who compares while deleting opens what is gone: first the groups, then the deed.
_LOOP = """\
Group them by:
groups = {}
for path in sorted(paths):
    groups.setdefault(open(path, 'rb').read(), []).append(path)"""


async def told_of_same_content(
    goal: str, hashes: Callable[[], Awaitable[Mapping[str, str]]]
) -> list[str]:
    """A line for each group of files that hold the same, at most eight, and how a script finds
    them; none where the goal speaks of nothing like it.

    Args:
        goal: its words.
        hashes: looks what is there: `Workspace.hashes`; asked only where the goal is about that.
    """
    if not _ABOUT.search(goal):
        return []
    groups: dict[str, list[str]] = defaultdict(list)
    for path, value in sorted((await hashes()).items()):
        if ":" not in value:  # neither a link nor too large to be looked at
            groups[value].append(path)
    alike = [paths for paths in groups.values() if len(paths) > 1]
    if not alike:
        return []
    told = [f"The same content have: {named_up_to(paths, _NAMED)}" for paths in alike]
    more = len(told) - _MOST_GROUPS
    rest = [f"(and {more} more such groups)"] if more > 0 else []
    return [*told[:_MOST_GROUPS], *rest, _LOOP]
