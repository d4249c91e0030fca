"""Brings files that no revision holds, since they are too large, from one folder to another."""

import errno
import os
import secrets
import shutil
import stat
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path

from replan.storage.folder_scan import Parents, open_root
from replan.storage.merge import KEPT, as_part

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_MAKE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def carry_over(source: Path, target: Path, name: str, paths: Sequence[str]) -> dict[str, str]:
    """Move files to where they are in another folder. Blocking.

    Nothing is written over: where there is something already, the file goes to `KEPT`.

    Args:
        source: the folder they are in; where it is gone, so are they.
        target: the other folder.
        name: of whose files they are.
        paths: of the files.

    Returns:
        Those that are not in their place, with where they are now, "" for nowhere.
    """
    elsewhere: dict[str, str] = {}
    for path in paths:
        try:
            state = _moved(source, target, path, path)
            if state == "taken":
                kept = f"{KEPT}/{as_part(name)}/{path}"
                moved = _moved(source, target, path, kept) == "moved"
                elsewhere[path] = kept if moved else ""
            elif state == "no file":
                elsewhere[path] = ""
        except (OSError, ValueError):
            elsewhere[path] = ""
    return elsewhere


def _moved(source: Path, target: Path, path: str, place: str) -> str:
    """Move one file: "moved"; "taken", where something else is there; "no file"; or "gone", where
    it has been moved before.
    """
    with (
        open_root(source) as old,
        open_root(target) as new,
        closing(Parents(old)) as sources,
        closing(Parents(new)) as targets,
    ):
        _make_folders(new, place)
        folder, name = targets.of(place)
        there = _seen(folder, name)
        above, old_name = sources.of(path)
        found = _seen(above, old_name)
        if found is None:
            return "gone" if there is not None else "no file"
        if not stat.S_ISREG(found.st_mode):
            return "no file"
        if there is not None:
            return "taken"
        try:
            os.rename(old_name, name, src_dir_fd=above, dst_dir_fd=folder)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            _copy(above, old_name, folder, name)
            os.unlink(old_name, dir_fd=above)
    return "moved"


def _seen(folder: int, name: str) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _make_folders(root: int, path: str) -> None:
    parts = path.split("/")[:-1]
    with closing(Parents(root)) as parents:
        for end in range(1, len(parts) + 1):
            folder, name = parents.of("/".join(parts[:end]))
            with suppress(FileExistsError):
                os.mkdir(name, 0o755, dir_fd=folder)


def _copy(above: int, old: str, folder: int, name: str) -> None:
    """To another file system: under another name first, so that nobody sees half of it."""
    spare = f".{secrets.token_hex(8)}.tmp"
    with os.fdopen(os.open(old, _READ, dir_fd=above), "rb") as opened:
        mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
        try:
            with os.fdopen(os.open(spare, _MAKE, mode, dir_fd=folder), "wb") as made:
                shutil.copyfileobj(opened, made)
            os.rename(spare, name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            with suppress(OSError):
                os.unlink(spare, dir_fd=folder)
            raise
