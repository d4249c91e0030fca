"""Keeps the agent from writing what sets it up.

`replan.toml` and `.env` can name programs to start, rules for approval, and the server that keys
are sent to. In a workspace in which replan is started too, a call could leave such a file for the
next run. So after every call these are as they were before it.
"""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path, PurePath

from replan.state.settings import FILE_NAME, HOME_FILE_NAME, settings
from replan.tools import beneath
from replan.tools.workspace import Workspace

_NAMES = (FILE_NAME, ".env")
_MOST_BYTES = 1024 * 1024

# What stands at a path: nothing (None), a file's mode and bytes, a link's target, or else its kind.
_State = tuple[int, bytes] | str | int | None


class OwnSettings:
    """How the files stood before a call. All methods block: use a thread."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._before = {file: _state(file) for file in _files(workspace)}

    def put_back(self) -> list[str]:
        """Undo what was done to them; the paths concerned."""
        undone = []
        for file, before in self._before.items():
            if _state(file) != before:
                _restore(file, before)
                undone.append(self._workspace.relative(file))
        return undone


def _files(workspace: Workspace) -> set[Path]:
    """Files of the workspace that this or another start of replan may read."""
    found = {workspace.path / name for name in _NAMES}
    now = settings()
    elsewhere = [*map(Path, _NAMES), now.replan_home / HOME_FILE_NAME]
    if now.replan_settings:
        elsewhere.append(now.replan_settings.expanduser())
    found.update(_inside(workspace, elsewhere))
    return found


def _inside(workspace: Workspace, files: list[Path]) -> Iterator[Path]:
    for file in files:
        place = Path(os.path.realpath(file.parent), file.name)
        if place.is_relative_to(workspace.path):
            yield place


def _state(file: Path) -> _State:
    try:
        seen = file.lstat()
        if stat.S_ISLNK(seen.st_mode):
            return os.fspath(file.readlink())
        if not stat.S_ISREG(seen.st_mode) or seen.st_size > _MOST_BYTES:
            return stat.S_IFMT(seen.st_mode)
        return stat.S_IMODE(seen.st_mode), file.read_bytes()
    except OSError:
        return None


def _restore(file: Path, before: _State) -> None:
    if file.is_dir() and not file.is_symlink():
        shutil.rmtree(file, ignore_errors=True)
    else:
        file.unlink(missing_ok=True)
    if isinstance(before, str):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.symlink_to(before)
    elif isinstance(before, tuple):
        beneath.replace(file.parent, PurePath(file.name), before[1])
        file.chmod(before[0])
