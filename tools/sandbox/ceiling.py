"""A number of processes that the kernel itself does not let a process tree pass, for root.

Of root's processes RLIMIT_NPROC counts none. A control group does, where one can be made: within
the group that replan itself runs in. Where none can be made, only looking at the tree limits it.
"""

import contextlib
import itertools
import os
from pathlib import Path

_GROUPS = Path("/sys/fs/cgroup")
_NUMBERS = itertools.count()
_left: list[Path] = []


class Ceiling:
    """A control group of its own for one process tree.

    Attributes:
        door: the file into which a process writes "0" to be in the group; "" without a group.
    """

    def __init__(self, tasks: int) -> None:
        """Make a group that holds so many processes and threads."""
        self.door = ""
        self._folder: Path | None = None
        within = _own_group() if os.geteuid() == 0 else None
        if within is None:
            return
        folder = within / f"replan-{os.getpid()}-{next(_NUMBERS)}"
        try:
            folder.mkdir()
            self._folder = folder
            (folder / "pids.max").write_text(str(tasks))
        except OSError:
            self.remove()
            return
        self.door = str(folder / "cgroup.procs")

    def remove(self) -> None:
        """Remove the group; while processes in it are still ending, the next removal does it."""
        if self._folder is not None:
            _left.append(self._folder)
            self._folder = None
        for folder in list(_left):
            with contextlib.suppress(OSError):
                folder.rmdir()
            if not folder.exists():
                with contextlib.suppress(ValueError):
                    _left.remove(folder)


def _own_group() -> Path | None:
    """The folder of replan's own group where groups that count processes can be made."""
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        _, kinds, path = line.split(":", 2)
        folder = _GROUPS / "pids" / path.lstrip("/")
        if kinds == "pids" and folder.is_dir() and os.access(folder, os.W_OK):
            return folder
        folder = _GROUPS / path.lstrip("/")
        with contextlib.suppress(OSError):
            passed_on = (folder / "cgroup.subtree_control").read_text().split()
            if not kinds and "pids" in passed_on and os.access(folder, os.W_OK):
                return folder
    return None
