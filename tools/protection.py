"""Keeps files that must not change: a copy before the call, put back after it."""

import filecmp
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from replan.tools.protocol import ToolError
from replan.tools.workspace import Workspace, replace_bytes


class Protection:
    """Copies of protected files, outside the workspace. All methods block: use a thread."""

    def __init__(self, workspace: Workspace, paths: Sequence[str]) -> None:
        self._workspace = workspace
        self._folder = Path(tempfile.mkdtemp(prefix="replan-kept-")) if paths else None
        self._kept: dict[str, Path] = {}
        for number, path in enumerate(dict.fromkeys(paths)):
            with suppress(ToolError, OSError):
                file = workspace.confine(path)
                if file.is_file() and self._folder:
                    copy = self._folder / str(number)
                    shutil.copy2(file, copy)
                    self._kept[file.relative_to(workspace.path).as_posix()] = copy

    def put_back(self) -> list[str]:
        """Restore what is no longer as it was; the paths restored, or not to be restored."""
        changed = []
        for path, copy in self._kept.items():
            file = self._workspace.path / path
            if _same(file, copy):
                continue
            with suppress(OSError):
                _clear_way(self._workspace.path, path)
                replace_bytes(file, copy.read_bytes())
                shutil.copystat(copy, file)
            changed.append(path if _same(file, copy) else f"{path} (which cannot be put back)")
        return changed

    def forget(self) -> None:
        """Remove the copies."""
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)


def is_protected(workspace: Workspace, path: str, protected: Sequence[str]) -> bool:
    """Whether a path means a protected file, however either is written. Blocking."""
    target = workspace.confine(path)
    return any(target == known for known in _confined(workspace, protected))


def _confined(workspace: Workspace, paths: Sequence[str]) -> Iterator[Path]:
    for path in paths:
        with suppress(ToolError):
            yield workspace.confine(path)


def _same(file: Path, copy: Path) -> bool:
    try:
        if os.path.realpath(file) != str(file) or not file.is_file():
            return False
        filecmp.clear_cache()
        return filecmp.cmp(file, copy, shallow=False)
    except OSError:
        return False


def _clear_way(root: Path, path: str) -> None:
    """Remove what stands where the file or one of its folders was, so that nothing is followed."""
    place = root
    parts = Path(path).parts
    for number, part in enumerate(parts):
        place = place / part
        last = number == len(parts) - 1
        if place.is_symlink() or (not last and place.exists() and not place.is_dir()):
            place.unlink()
        elif last and place.is_dir():
            shutil.rmtree(place)
