"""Copies of a folder to work in apart: from file to file, nothing is read from the database.

The copy knows of its files what is known of the folder's, so the next revision of it reads only
what was changed. Files are cloned where the file system can, and never linked: a program that
writes into a file, rather than to put another in its place, would write into both.
"""

import asyncio
import errno
import fcntl
import os
import stat
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from replan.state.errors import WorkspaceError
from replan.storage.folder_scan import (
    Known,
    Limits,
    Parents,
    Stamp,
    grain_ns,
    open_root,
    stamp_of,
)
from replan.storage.manifest import Entry, Manifest
from replan.storage.restore import restore
from replan.storage.revisions import Revisions

_CLONE = 0x40049409  # FICLONE of Linux
_WORTH_CLONING = 128 * 1024
_BLOCK = 1 << 20
_MANY = 1000
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_MAKE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_ENTER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True)
class Copied:
    """The revision that was copied; the copy's own first one, which holds the same; and what is
    known of its files.
    """

    base: str
    revision: str
    known: Known


def copies_of_thread(workspaces: Path, thread_id: str) -> Path:
    """The folder that holds the copies of a thread's workspaces."""
    return workspaces / f"{thread_id}.copies"


async def copy_folder(
    revisions: Revisions, source: Path, target: Path, thread_id: str, limits: Limits
) -> Copied | None:
    """Copy a folder as it is now, after a revision of it.

    Args:
        revisions: where revisions are kept.
        source: the folder; nobody may change it meanwhile.
        target: is not there yet.
        thread_id: whose revisions they are.
        limits: what they may hold.

    Returns:
        None where a revision cannot hold all of the folder, so that what a copy changes of it could
        not be told.

    Raises:
        WorkspaceError: the folder is not there, or cannot be copied.
        DatabaseError: the revision cannot be stored.
    """
    taken = await revisions.take(source, thread_id, limits)
    here, there = revisions.known(source), revisions.known(target)
    if here.last_left_out:
        return None
    manifest, known = here.last_manifest, here.known
    there.limits, there.base, there.base_manifest = limits, here.base, here.base_manifest
    there.last_manifest, there.last_left_out = manifest, {}
    there.known = await asyncio.to_thread(_copied, source, target, manifest, known)
    there.last_thread = thread_id
    there.last = await revisions.repeat(taken.revision, target, thread_id)
    return Copied(taken.revision, there.last, there.known)


async def bring_copy_back(
    revisions: Revisions, revision: str, target: Path, thread_id: str
) -> None:
    """Make a copy from a revision of it, unless it is there.

    Raises:
        RevisionError: the revision is gone, or cannot be written.
        WorkspaceError: the folder cannot be made.
    """
    there = await asyncio.to_thread(target.is_dir)
    if there and await revisions.last(target, thread_id):
        return
    await restore(revisions, revision, target, overwrite=True)
    await revisions.repeat(revision, target, thread_id)


def _copied(source: Path, target: Path, manifest: Manifest, known: Known) -> Known:
    """Copy what the manifest holds; what is known of the copies. Blocking."""
    try:
        target.mkdir(parents=True)
        copying = _Copying(known)
        with (
            open_root(source) as old,
            open_root(target) as new,
            closing(Parents(old)) as sources,
            closing(Parents(new)) as targets,
        ):
            for path, entry in _folders_first(manifest):
                copying.copy(path, entry, sources, targets)
            copying.close_folders(manifest, targets)
    except OSError as error:
        raise WorkspaceError(
            f"{source} cannot be copied to {target}: {error.strerror or error}.",
            "Mend that, then go on with: replan resume THREAD, or run with --set max_parallel=1.",
        ) from error
    return copying.settled()


def _folders_first(manifest: Manifest) -> list[tuple[str, Entry]]:
    return sorted(manifest.items(), key=lambda item: (item[1].kind != "folder", item[0]))


class _Copying:
    """Copies path by path, and notes the stamps of what it makes."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._made: list[tuple[str, os.stat_result, bool]] = []
        self._done: Known = {}
        self._can_clone = sys.platform == "linux"

    def copy(self, path: str, entry: Entry, sources: Parents, targets: Parents) -> None:
        """A path that is gone meanwhile is left out."""
        folder, name = targets.of(path)
        if entry.kind == "folder":
            os.mkdir(name, 0o700, dir_fd=folder)
        elif entry.kind == "link":
            os.symlink(entry.value, name, dir_fd=folder)
        else:
            try:
                above, _ = sources.of(path)
                opened = os.open(name, _READ, dir_fd=above)
            except OSError as error:
                if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
                    return
                raise
            try:
                self._file(path, entry, opened, folder, name)
            finally:
                os.close(opened)
        self._done[path] = None, entry

    def close_folders(self, manifest: Manifest, targets: Parents) -> None:
        """Give the folders their modes, once all is in them."""
        for path, entry in reversed(_folders_first(manifest)):
            if entry.kind == "folder" and entry.mode != 0o700:
                folder, name = targets.of(path)
                opened = os.open(name, _ENTER, dir_fd=folder)
                try:
                    os.fchmod(opened, entry.mode)
                finally:
                    os.close(opened)

    def settled(self) -> Known:
        """What is known of the copies: the stamp only of those that can no more change unseen.

        Many are waited for: to read them all again would take longer.
        """
        if len(self._made) >= _MANY:
            time.sleep(grain_ns(self._made[-1][1]) / 1e9)
        now = time.time_ns()
        for path, found, same in self._made:
            if same and now - found.st_ctime_ns > grain_ns(found):
                self._done[path] = stamp_of(found), self._done[path][1]
        return self._done

    def _file(self, path: str, entry: Entry, opened: int, folder: int, name: str) -> None:
        before = os.fstat(opened)
        if not stat.S_ISREG(before.st_mode):
            return
        made = os.open(name, _MAKE, 0o600, dir_fd=folder)
        try:
            self._content(opened, made, before.st_size)
            if (mode := stat.S_IMODE(before.st_mode)) != 0o600:
                os.fchmod(made, mode)
            os.utime(made, ns=(before.st_atime_ns, before.st_mtime_ns))
            stamp: Stamp | None = self._known.get(path, (None, entry))[0]
            same = stamp_of(before) == stamp == stamp_of(os.fstat(opened))
            self._made.append((path, os.fstat(made), same))
        finally:
            os.close(made)

    def _content(self, opened: int, made: int, size: int) -> None:
        if self._can_clone and size >= _WORTH_CLONING:
            try:
                fcntl.ioctl(made, _CLONE, opened)
                return
            except OSError:  # Another file system, or one that cannot.
                self._can_clone = False
        done = 0
        while (block := os.read(opened, _BLOCK)) and (done := done + len(block)):
            rest = memoryview(block)
            while rest:
                rest = rest[os.write(made, rest) :]
            if done == size:  # What is added to it from now on is not of this moment.
                return
