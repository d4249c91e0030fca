"""Keeps the agent from writing what sets it up.

`replan.toml` and `.env` can name programs to start, rules for approval, and the server that keys
are sent to. In a workspace in which replan is started too, a call could leave such a file for the
next run. So after every call these are as they were before it.
"""

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from replan.state.settings import FILE_NAME, HOME_FILE_NAME, settings
from replan.tools import beneath
from replan.tools.listing import printable
from replan.tools.protection import PutBack
from replan.tools.workspace import Workspace

_NAMES = (FILE_NAME, ".env")
_MOST_BYTES = 1024 * 1024

# What stands at a path: nothing (None), a file's mode and bytes, a link's target, or else its kind.
_State = tuple[int, bytes] | str | int | None
# What stands at a path to which a link leads that was not there before.
_LED_AWAY = -1
# What stands at a path is closed to us.
_CLOSED = -2


class OwnSettings:
    """How the files stood before a call. All methods block: use a thread."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._before = {file: _state(workspace.path, file) for file in _files(workspace)}

    def put_back(self) -> list[PutBack]:
        """Undo what was done to them; the files concerned."""
        undone = []
        root = self._workspace.path
        for file, before in self._asked().items():
            # Whatever goes wrong with one, the others are put back.
            with suppress(Exception):
                if _state(root, file) == before:
                    continue
                _restore(root, file, before)
            shown = printable(file.as_posix())
            same = _same(root, file, before)
            undone.append(PutBack(shown, "" if same else _copied(file, before), same))
        return undone

    def _asked(self) -> dict[Path, _State]:
        """What has to stand where. A folder in which replan is started may have been moved: what
        lies there now is read next, so it is one of the files that were there, or none.
        """
        asked = dict(self._before)
        for file in _files(self._workspace) - asked.keys():
            now = _state(self._workspace.path, file)
            asked[file] = now if now in self._before.values() else None
        return asked


def _files(workspace: Workspace) -> set[Path]:
    """Files that this or another start of replan may read, by their paths in the workspace."""
    found = {Path(name) for name in _NAMES}
    now = settings()
    elsewhere = [*map(Path, _NAMES), now.replan_home / HOME_FILE_NAME]
    if now.replan_settings:
        elsewhere.append(now.replan_settings.expanduser())
    found.update(_inside(workspace, elsewhere))
    return found


def _inside(workspace: Workspace, files: list[Path]) -> Iterator[Path]:
    for file in files:
        # A folder that is gone (OSError) is none that replan can be started in.
        with suppress(OSError):
            place = Path(os.path.realpath(file.parent), file.name)
            if place.is_relative_to(workspace.path):
                yield place.relative_to(workspace.path)


def _same(root: Path, inside: Path, wanted: _State) -> bool:
    try:
        return _state(root, inside) == wanted
    except Exception:
        return False


def _state(root: Path, inside: Path) -> _State:
    try:
        for up in reversed(inside.parents):
            way = beneath.status(root, up) if up.name else None
            if way is not None and stat.S_ISLNK(way.st_mode):
                return _LED_AWAY
        with beneath.folder(root, inside.parent) as parent:
            seen = os.stat(inside.name, dir_fd=parent, follow_symlinks=False)
            if stat.S_ISLNK(seen.st_mode):
                return os.readlink(inside.name, dir_fd=parent)
            if not stat.S_ISREG(seen.st_mode) or seen.st_size > _MOST_BYTES:
                return stat.S_IFMT(seen.st_mode)
            with beneath.opened_at(parent, inside.name) as file:
                return stat.S_IMODE(seen.st_mode), beneath.read(file, _MOST_BYTES)
    except PermissionError:
        return _CLOSED
    except OSError:
        return None


def _copied(file: Path, before: _State) -> str:
    """Where a file that could not be put back is as it was; "" when that is nowhere."""
    if not isinstance(before, tuple):
        return ""
    with suppress(OSError):
        copy = Path(tempfile.mkdtemp(prefix="replan-kept-"), file.name)  # for its owner alone
        copy.write_bytes(before[1])
        copy.chmod(before[0])
        return str(copy)
    return ""


def _restore(root: Path, inside: Path, before: _State) -> None:
    beneath.clear_way(root, inside)
    # A file is replaced in one: on a full disk, what is there stays.
    if not isinstance(before, tuple) and beneath.status(root, inside) is not None:
        beneath.remove(root, inside)
    if isinstance(before, str):
        with beneath.folder(root, inside.parent, make=True) as parent:
            os.symlink(before, inside.name, dir_fd=parent)
    elif isinstance(before, tuple):
        beneath.replace(root, inside, before[1])
        with beneath.opened(root, inside) as file:
            os.fchmod(file.fileno(), before[0])
