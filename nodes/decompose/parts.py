"""The parts of a goal, each about one file to write, where its own words part it.

A model that is asked for the tasks gives them shorter titles, and what they leave out (one decimal,
in reverse order) is then not done.
"""

import re
from collections.abc import Sequence

# Not the point in "a.txt".
SENTENCE_END = re.compile(r"[.;!?](?=\s|$)|[。；！？\n]")
_ENDS = ".;:!?,"
_CHINESE_ENDS = "。；：！？，"
_OPENS = {"(": ")", "[": "]", "{": "}", '"': '"', "`": "`", "“": "”", "「": "」", "（": "）"}
_MOST_CHARS = 4000
# "Three independent jobs:" says nothing that a part would lack.
_OPENING = re.compile(r"^[^,.;:!?，。；：\d]{1,80}[:：]$")
# "... and writes the rest to b.txt" goes on with the same subject.
_GOES_ON = re.compile(
    r"^(?:and|then)\s+[a-z]+s\b|^(?:change|touch|modify|edit) nothing\b|^run (?:both|them|it)\b",
    re.IGNORECASE,
)
_OF_ALL = re.compile(
    r"(?<!run )\b(?:both|each of them|all of them|these files)\b|都|均|它|两者", re.IGNORECASE
)
_JOINS = re.compile(
    r"^(?:and|then|also|finally|next|last|plus)\b[\s,]*(?:then\b\s*)?|^(?:并|再|然后|最后)"
)


def parts_of(goal: str, paths: Sequence[str]) -> dict[str, str]:
    """For each file the words of the goal about it; nothing unless there are several, each named
    once, in a part of its own, and no words are left that may be about any of them.

    Args:
        goal: its own words.
        paths: the files that it wants written.
    """
    if (
        len(paths) < 2
        or len(goal) > _MOST_CHARS
        or any(len(places_of(path, goal)) != 1 for path in paths)
    ):
        return {}
    parts: dict[str, list[str]] = {}
    owner = ""
    for part in _parts(goal, paths):
        named = [path for path in paths if places_of(path, part)]
        if len(named) > 1 or _OF_ALL.search(part):
            return {}
        if not named and not (_OPENING if not owner else _GOES_ON).match(part.strip()):
            return {}  # words that may be about any of them
        owner = named[0] if named else owner
        if owner:
            parts.setdefault(owner, []).append(part)
    return {
        path: _JOINS.sub("", "".join(parts[path]).strip().rstrip(".;,，；。")) for path in paths
    }


def _parts(goal: str, paths: Sequence[str]) -> list[str]:
    """Clauses put together: a new part begins with a sentence, with "and", and with each file."""
    found: list[str] = []
    for clause in _clauses(goal):
        names = any(places_of(path, clause) for path in paths)
        full = found and names and any(places_of(path, found[-1]) for path in paths)
        ended = found and found[-1].rstrip()[-1] not in ",，"
        if not found or ended or full or _JOINS.match(clause.strip()):
            found.append(clause)
        else:
            found[-1] += clause
    return found


def places_of(path: str, text: str) -> list[int]:
    """Where the path stands, and not as a part of a longer one."""
    return [
        match.start()
        for match in re.finditer(rf"(?<![A-Za-z0-9_./-]){re.escape(path)}(?![A-Za-z0-9_/-])", text)
    ]


def _clauses(goal: str) -> list[str]:
    """The goal cut behind its marks, but for those in brackets and quotes."""
    found = [""]
    closing: list[str] = []
    for at, sign in enumerate(goal):
        found[-1] += sign
        if closing and sign == closing[-1]:
            closing.pop()
        elif sign in _OPENS:
            closing.append(_OPENS[sign])
        elif not closing and (
            sign in _CHINESE_ENDS
            or sign == "\n"
            or (sign in _ENDS and goal[at + 1 : at + 2].isspace())
        ):
            found.append("")
    return [clause for clause in found if clause.strip()]
