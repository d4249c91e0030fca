"""Files of one form, such as a folder of invoices: who has seen one of them can read them all.

They are for a script to read. Read one by one, twelve of them take longer than a run has.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from replan.state.errors import ReplanError
from replan.tools.workspace import Workspace

_MANY = 5
_MOST_GROUPS = 4
_READ = 4000
_LABEL = re.compile(r"\W*([^\W\d][^:：\d]{0,20})[:：]")
_NUMBER = re.compile(r"\d+")
# Of the different lines of two files so many are alike, when they are of one form.
_ALIKE = 0.6
_TOLD = re.compile(r"^\(all \d+ (\.\w+) files in (.+)/ are of one form\)$", re.MULTILINE)


@dataclass(frozen=True)
class Group:
    """Files of one kind and form in one folder; the first stands for them all."""

    paths: list[str]

    @property
    def told(self) -> str:
        """What a survey says of it."""
        folder, ending = _kind(self.paths[0])
        return f"(all {len(self.paths)} .{ending} files in {folder}/ are of one form)"


async def groups_of_one_form(workspace: Workspace, paths: Sequence[str]) -> list[Group]:
    """The groups among the files, at most four.

    Args:
        workspace: where they are; of each folder the beginnings of three are read.
        paths: the files that hold text.
    """
    kinds: dict[tuple[str, str], list[str]] = defaultdict(list)
    for path in paths:
        kinds[_kind(path)].append(path)
    many = [of for (folder, _), of in kinds.items() if folder and len(of) >= _MANY]
    return [Group(of) for of in many[:_MOST_GROUPS] if await _of_one_form(workspace, of)]


def told_of_one_form(survey: str, path: str) -> bool:
    """Whether the survey tells that the file is one of such a group."""
    folder, ending = _kind(path)
    return any(found == (f".{ending}", folder) for found in _TOLD.findall(survey))


def _kind(path: str) -> tuple[str, str]:
    return path.rpartition("/")[0], path.rsplit(".", 1)[-1]


async def _of_one_form(workspace: Workspace, paths: Sequence[str]) -> bool:
    forms = []
    for path in (paths[0], paths[len(paths) // 2], paths[-1]):
        try:
            forms.append(_form(await workspace.read_text(path, _READ)))
        except ReplanError:  # the survey says of what it shows that it cannot be read
            return False
    return all(one and _share(forms[0], one) >= _ALIKE for one in forms)


def _form(text: str) -> set[str]:
    """The different lines: what stands before a colon, or the whole line, numbers aside."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return {
        label.group(1).strip() if (label := _LABEL.match(line)) else _NUMBER.sub("#", line)
        for line in lines
    }


def _share(one: set[str], other: set[str]) -> float:
    return len(one & other) / max(1, min(len(one), len(other)))
