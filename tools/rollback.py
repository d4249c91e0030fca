"""The files of a workspace as they were before a call, for one that must leave nothing if it fails.

A script that stopped half-way has moved the one half of the files: the next attempt would meet
files that nobody described to it.
"""

import errno
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path, PurePath

from replan.tools import beneath
from replan.tools.listing import IGNORED
from replan.tools.protection import Protection
from replan.tools.protocol import ToolError
from replan.tools.workspace import Workspace

# Copied before each such call: a workspace with more is not rolled back.
MOST_FILES = 1000
MOST_BYTES = 20_000_000
_LINK = "link:"


class Rollback:
    """A copy of a small workspace. All methods block: use a thread.

    What `Workspace.hashes` does not tell of is neither kept nor put back. Simplified: of files with
    several names (hard links) each gets its own content again.
    """

    def __init__(
        self, workspace: Workspace, before: Mapping[str, str], protected: Sequence[str] = ()
    ) -> None:
        """Makes the copy, where the workspace is small enough.

        Args:
            workspace: the folder.
            before: what it holds: `Workspace.hashes`.
            protected: paths that are put back whatever becomes of the call, and not here.
        """
        self._workspace = workspace
        self._before = before
        self._links = {path for path, value in before.items() if value.startswith(_LINK)}
        self._others = {path for path, value in before.items() if ":" in value} - self._links
        files = before.keys() - self._links - self._others - set(_shown(workspace, protected))
        self.possible = len(before) <= MOST_FILES and self._bytes(files) <= MOST_BYTES
        self._folders = set(_folders(workspace.path)) if self.possible else set()
        self._kept = Protection(workspace, sorted(files) if self.possible else ())

    def roll_back(self, changed: Collection[str]) -> list[str] | None:
        """Make the files what they were. A line for each that could not be put back; None where
        nothing was done: there is no copy, or not of all that changed.

        Args:
            changed: paths of what was created, changed or removed.
        """
        if not self.possible or self._others.intersection(changed):
            return None
        for path in sorted(changed):
            with suppress(OSError, ToolError):
                self._clear(path)
        lost = [one.told() for one in self._kept.put_back() if not one.done]
        for path in self._links.intersection(changed):
            with suppress(OSError, ToolError):
                self._link(path)
        self._as_were_folders()
        return lost

    def forget(self) -> None:
        """Remove the copy, but of files that could not be put back."""
        self._kept.forget()

    def _bytes(self, files: set[str]) -> int:
        size = 0
        for path in files:
            with suppress(OSError, ToolError):
                seen = beneath.status(self._workspace.path, self._workspace.place(path))
                size += seen.st_size if seen else 0
        return size

    def _clear(self, path: str) -> None:
        """Remove what was not there, or stands where a link was."""
        place = self._workspace.place(path)
        if path not in self._before or path in self._links:
            with suppress(FileNotFoundError):
                beneath.remove(self._workspace.path, place)

    def _link(self, path: str) -> None:
        place = self._workspace.place(path)
        with beneath.folder(self._workspace.path, place.parent, make=True) as parent:
            os.symlink(self._before[path].removeprefix(_LINK), place.name, dir_fd=parent)

    def _as_were_folders(self) -> None:
        root = self._workspace.path
        now = set(_folders(root))
        for place in sorted(self._folders - now):
            with suppress(OSError):
                beneath.make_folder(root, place)
        for place in sorted(now - self._folders, reverse=True):
            try:
                beneath.remove(root, place)
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    continue


def _shown(workspace: Workspace, paths: Sequence[str]) -> Iterator[str]:
    for path in paths:
        with suppress(ToolError):
            yield workspace.relative(workspace.confine(path))


def _folders(root: Path) -> Iterator[PurePath]:
    for above, names, _ in os.walk(root):
        names[:] = [name for name in names if name not in IGNORED]
        for name in names:
            if not (Path(above) / name).is_symlink():
                yield (Path(above) / name).relative_to(root)
