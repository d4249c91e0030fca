"""Keeps files that must not change: a copy before the call, put back after it."""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from replan.tools import beneath
from replan.tools.protocol import ToolError
from replan.tools.workspace import Workspace

_CHUNK = 1 << 20


@dataclass(frozen=True)
class PutBack:
    """A file that was changed and must not be. Where it could not be put back, `copy` is where it
    is as it was: outside the workspace, and left there.
    """

    path: str
    copy: str = ""
    done: bool = True

    def told(self) -> str:
        """A line for the observation."""
        if self.done:
            return f"{self.path} must not change: put back"
        where = f"; as it was, it is in {self.copy}" if self.copy else ""
        return f"{self.path} must not change, and could not be put back{where}"


class Protection:
    """Copies of protected files, outside the workspace. All methods block: use a thread."""

    def __init__(self, workspace: Workspace, paths: Sequence[str]) -> None:
        self._root = workspace.path
        self._folder = Path(tempfile.mkdtemp(prefix="replan-kept-")) if paths else None
        self._kept: dict[Path, Path] = {}
        self._wanted: set[Path] = set()
        self.holds_all = True  # whether of each that is there a copy could be made
        for number, path in enumerate(dict.fromkeys(paths)):
            try:
                inside = workspace.inside(path)
                if self._folder:
                    copy = self._folder / str(number)
                    self._copy(inside, copy)
                    self._kept[inside] = copy
            except (ToolError, OSError):
                self.holds_all = False

    def put_back(self) -> list[PutBack]:
        """Restore what is no longer as it was; what was restored, or is not to be restored."""
        changed = []
        for inside, copy in self._kept.items():
            if self._same(inside, copy):
                continue
            # Whatever goes wrong with one, the others are put back.
            with suppress(Exception):
                beneath.clear_way(self._root, inside)
                beneath.replace(self._root, inside, copy.read_bytes())
                self._as_before(inside, copy)
            same = self._same(inside, copy)
            if not same:
                self._wanted.add(copy)
            changed.append(PutBack(inside.as_posix(), "" if same else str(copy), same))
        return changed

    def forget(self) -> None:
        """Remove the copies, but those of files that could not be put back."""
        for copy in set(self._kept.values()) - self._wanted:
            copy.unlink(missing_ok=True)
        if self._folder and not self._wanted:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _copy(self, inside: Path, copy: Path) -> None:
        with beneath.opened(self._root, inside) as file, copy.open("wb") as kept:
            shutil.copyfileobj(file, kept, _CHUNK)
            seen = os.fstat(file.fileno())
        copy.chmod(stat.S_IMODE(seen.st_mode))
        os.utime(copy, ns=(seen.st_atime_ns, seen.st_mtime_ns))

    def _as_before(self, inside: Path, copy: Path) -> None:
        """Permissions and time of change, which a new file does not have."""
        seen = copy.stat()
        with beneath.opened(self._root, inside) as file:
            os.fchmod(file.fileno(), stat.S_IMODE(seen.st_mode))
            os.utime(file.fileno(), ns=(seen.st_atime_ns, seen.st_mtime_ns))

    def _same(self, inside: Path, copy: Path) -> bool:
        try:
            with beneath.opened(self._root, inside) as file, copy.open("rb") as kept:
                if os.fstat(file.fileno()).st_size != os.fstat(kept.fileno()).st_size:
                    return False
                while data := kept.read(_CHUNK):
                    if beneath.read(file, len(data)) != data:
                        return False
                return not file.read(1)
        except OSError:
            return False


def is_protected(workspace: Workspace, path: str, protected: Sequence[str]) -> bool:
    """Whether a path means a protected file, however either is written. Blocking."""
    target = workspace.confine(path)
    return any(target == known for known in _confined(workspace, protected))


def _confined(workspace: Workspace, paths: Sequence[str]) -> Iterator[Path]:
    for path in paths:
        with suppress(ToolError):
            yield workspace.confine(path)


class Kept(Protocol):
    """What can be put back."""

    def put_back(self) -> list[PutBack]:
        """Restore what is no longer as it was."""
        ...


def put_back_each(*kept: Kept) -> list[PutBack]:
    """Undo what must not be. What goes wrong with the ones does not spare the others."""
    restored: list[PutBack] = []
    failed: list[Exception] = []
    for each in kept:
        try:
            restored += each.put_back()
        except Exception as error:
            failed.append(error)
    if failed:
        raise failed[0]
    return restored
