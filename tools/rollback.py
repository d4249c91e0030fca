"""The files of a workspace as they were before a call, for one that must leave nothing if it fails.

A script that stopped half-way has moved the one half of the files: the next attempt would meet
files that nobody described to it.
"""

import os
import stat
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path, PurePath

from replan.tools import beneath
from replan.tools.listing import IGNORED
from replan.tools.own_code import own_code_in
from replan.tools.protection import Protection, PutBack
from replan.tools.protocol import ToolError
from replan.tools.workspace import Workspace

# Copied before each such call: a workspace with more is not rolled back.
MOST_FILES = 1000
MOST_BYTES = 20_000_000
# Looked at before each such call, what is ignored included.
_MOST_ENTRIES = 20_000
_LINK = "link:"
_UNSPELLED = "\ufffd"


class Rollback:
    """A copy of a small workspace. All methods block: use a thread.

    Nothing is taken back where that could lose what no copy holds: where the call moved something
    out of an ignored folder such as .git, or such a folder; where names cannot be told apart; where
    replan runs from what was changed. Simplified: what people change in the folder during the call
    counts as the call's; permissions alone are not put back; of files with several names (hard
    links) each gets its own content again.
    """

    def __init__(self, workspace: Workspace, before: Mapping[str, str]) -> None:
        """Makes the copy, where the workspace is small enough.

        Args:
            workspace: the folder.
            before: what it holds: `Workspace.hashes`.
        """
        self._workspace = workspace
        self._before = before
        self._links = {path for path, value in before.items() if value.startswith(_LINK)}
        self._others = {path for path, value in before.items() if ":" in value} - self._links
        files = before.keys() - self._links - self._others
        self._folders: dict[PurePath, int] = {}
        self._unseen: dict[tuple[int, int], set[PurePath]] = {}
        few = len(before) <= MOST_FILES and not any(_UNSPELLED in path for path in before)
        possible = few and self._look(files)
        self._kept = Protection(workspace, sorted(files) if possible else ())
        self._possible = possible and self._kept.holds_all

    def roll_back(self, changed: Collection[str]) -> list[PutBack] | None:
        """Make the files what they were. What could not be put back; None where nothing was done.

        Args:
            changed: paths of what was created, changed or removed.
        """
        if not self._possible or not self._can_take_back(changed):
            return None
        for path in sorted(changed):
            if path not in self._before or path in self._links:
                with suppress(OSError, ToolError):
                    beneath.remove(self._workspace.path, self._workspace.place(path))
        lost = [one for one in self._kept.put_back() if not one.done]
        self._as_were_folders()
        for path in sorted(self._links.intersection(changed)):
            try:
                self._link(path)
            except (OSError, ToolError):
                lost.append(PutBack(path, done=False))
        return lost

    def forget(self) -> None:
        """Remove the copy, but of files that could not be put back."""
        self._kept.forget()

    def _look(self, files: Collection[str]) -> bool:
        """Note the folders, and where what is ignored is; False where the files to be copied are
        too large, or it cannot all be looked at.
        """
        size = 0
        try:
            for place, seen in _entries(self._workspace.path):
                if _is_ignored(place):
                    self._unseen.setdefault((seen.st_dev, seen.st_ino), set()).add(place)
                elif stat.S_ISDIR(seen.st_mode):
                    self._folders[place] = stat.S_IMODE(seen.st_mode)
                elif place.as_posix() in files:
                    size += seen.st_size
        except OSError:
            return False
        return size <= MOST_BYTES

    def _can_take_back(self, changed: Collection[str]) -> bool:
        if self._others.intersection(changed) or any(_UNSPELLED in path for path in changed):
            return False
        root = self._workspace.path
        own = own_code_in(root)
        try:
            moved = any(
                place not in self._unseen.get((seen.st_dev, seen.st_ino), {place})
                for place, seen in _entries(root)
            )
        except OSError:
            return False
        return not moved and not any(own.holds(root / path) for path in changed)

    def _link(self, path: str) -> None:
        place = self._workspace.place(path)
        with beneath.folder(self._workspace.path, place.parent, make=True) as parent:
            os.symlink(self._before[path].removeprefix(_LINK), place.name, dir_fd=parent)

    def _as_were_folders(self) -> None:
        root = self._workspace.path
        now = {
            place: stat.S_IMODE(seen.st_mode)
            for place, seen in _entries(root)
            if stat.S_ISDIR(seen.st_mode) and not _is_ignored(place)
        }
        for place, mode in sorted(self._folders.items()):
            if now.get(place) != mode:
                with suppress(OSError):
                    beneath.make_folder(root, place)
                    with beneath.folder(root, place, listed=True) as held:
                        os.fchmod(held, mode)
        for place in sorted(now.keys() - self._folders.keys(), reverse=True):
            with suppress(OSError):  # it holds what is none of the call's
                beneath.remove(root, place)


def _entries(root: Path) -> Iterator[tuple[PurePath, os.stat_result]]:
    """All that is there, what is ignored included. Raises OSError where something cannot be looked
    at, or where it is too much.
    """
    waiting = [root]
    count = 0
    while waiting:
        above = waiting.pop()
        with os.scandir(above) as entries:
            for entry in entries:
                count += 1
                if count > _MOST_ENTRIES:
                    raise OSError("there is too much to look at")
                seen = entry.stat(follow_symlinks=False)
                yield Path(entry.path).relative_to(root), seen
                if stat.S_ISDIR(seen.st_mode):
                    waiting.append(Path(entry.path))


def _is_ignored(place: PurePath) -> bool:
    return any(part in IGNORED for part in place.parts)
