"""Brings a revision back into a folder: writes only what differs, removes what is not in it.

Each file is written under another name and then put in place, so nobody sees half of one. No
link is followed, and what is ignored or was left out of the revisions is never touched.
"""

import asyncio
import os
import secrets
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from replan.state.errors import RevisionError, WorkspaceChangedError, WorkspaceError
from replan.storage import blobs
from replan.storage.folder_scan import (
    Parents,
    Walk,
    file_entry,
    ignored_by,
    open_root,
)
from replan.storage.manifest import Entry, Manifest
from replan.storage.revisions import Revision, Revisions

_BATCH_BYTES = 16_000_000
_BATCH_FILES = 1000
_ANY_SIZE = 1 << 63
_UNREAD = "of another size than any known"


@dataclass
class Restored:
    """What a restore did: paths written and removed, and folders kept for what they hold."""

    written: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)


async def restore(
    revisions: Revisions,
    revision: str,
    folder: Path,
    expected: str = "",
    overwrite: bool = False,
) -> Restored:
    """Make the folder what it was in the revision. May be called again after a failure.

    Args:
        revisions: where they are kept.
        revision: the one to bring back.
        folder: made when missing.
        expected: the revision that the folder should hold now; "" when it should be empty.
        overwrite: whether files that differ from `expected` may be overwritten and removed.

    Raises:
        WorkspaceChangedError: there are such files, and they may not; nothing was touched.
        RevisionError: the revision, or content of it, is not there, or it cannot be written.
        WorkspaceError: the folder cannot be made or opened.
    """
    target = await revisions.load(revision)
    before = await revisions.load(expected) if expected else None
    plan = await asyncio.to_thread(_plan, target, before, folder)
    if plan.conflicts and not overwrite:
        raise WorkspaceChangedError(plan.conflicts)
    done = Restored()
    await asyncio.to_thread(_clear, folder, plan, done)
    await _write_all(revisions, folder, plan.write, done)
    return done


async def turn_into(revisions: Revisions, target: Revision, folder: Path, now: Manifest) -> None:
    """Make a folder that nobody else writes in what it was in a revision.

    Args:
        revisions: where they are kept.
        target: the revision.
        folder: an existing folder.
        now: what it holds; it is not looked at.

    Raises:
        RevisionError: content is not there, or cannot be written.
    """
    plan = _difference(target.manifest, now)
    await asyncio.to_thread(_clear, folder, plan, Restored())
    await _write_all(revisions, folder, plan.write, Restored())


async def _write_all(revisions: Revisions, folder: Path, write: Manifest, done: Restored) -> None:
    """Batch by batch; while one is written, the next is read from the database."""
    writing: asyncio.Future[None] | None = None
    try:
        for batch in _batches(write):
            names = {entry.value for entry in batch.values() if entry.kind == "file"}
            content = await revisions.content(sorted(names)) if names else {}
            if writing:
                await writing
            writing = asyncio.ensure_future(asyncio.to_thread(_write, folder, batch, content, done))
    finally:
        if writing:
            await writing


@dataclass(frozen=True)
class _Plan:
    """Entries to write, folders first; paths to remove, deepest first; files to ask about."""

    write: Manifest
    remove: Mapping[str, Entry]
    conflicts: list[str]


def _plan(target: Revision, before: Revision | None, folder: Path) -> _Plan:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WorkspaceError(
            f"the workspace {folder} cannot be made: {error.strerror}.", "Name another folder."
        ) from error
    expected = before.manifest if before else {}
    alone = {*target.left_out}
    if before:
        alone |= before.left_out.keys() - target.manifest.keys()
    there = _present(folder, target.ignored, (target.manifest, expected), alone)
    now = {
        path: entry
        for path, entry in there.items()
        if path not in alone and not any(path.startswith(f"{other}/") for other in alone)
    }
    plan = _difference(target.manifest, now)
    conflicts = [
        path
        for path, entry in now.items()
        if (path in plan.write or path in plan.remove)
        and entry.kind != "folder"
        and not _same(entry, expected.get(path))
        and not _same(entry, target.manifest.get(path))
    ]
    conflicts += _in_the_way([path for path in there if path not in now], plan.write)
    plan.conflicts.extend(sorted(conflicts))
    return plan


def _difference(target: Manifest, now: Manifest) -> _Plan:
    """What is to be done where `now` is there, without a look at whose files they are."""
    write = {path: entry for path, entry in target.items() if now.get(path) != entry}
    remove = {path: entry for path, entry in now.items() if path not in target}
    ordered = sorted(write.items(), key=lambda item: (item[1].kind != "folder", item[0]))
    return _Plan(dict(ordered), remove, [])


def _same(entry: Entry, other: Entry | None) -> bool:
    return other is not None and entry.content == other.content


def _in_the_way(alone: Sequence[str], write: Manifest) -> list[str]:
    """Of the paths to be left alone, those below what is to become a file or link."""
    solid = {path for path, entry in write.items() if entry.kind != "folder"}
    return [
        path for path in alone if any(str(above) in solid for above in PurePosixPath(path).parents)
    ]


def _present(
    folder: Path, ignored: Sequence[str], known: Sequence[Manifest], alone: set[str]
) -> Manifest:
    """What the folder holds.

    A file is read only where one of `known` holds it in the same size: any other surely differs.
    What is in `alone` is not read either.
    """
    look = Walk(folder, {}, ignored_by(ignored), _ANY_SIZE).look()
    found: Manifest = dict(look.changed)
    with open_root(folder) as root:
        for path, (size, *_) in look.fresh.items():
            same = (manifest.get(path) for manifest in known)
            found[path] = Entry("file", 0, _UNREAD, size)
            if path not in alone and any(one and one.size == size for one in same):
                read = file_entry(root, path)
                if read is None:
                    del found[path]
                else:  # Where it cannot be read, it is there, and whose it is cannot be told.
                    found[path] = Entry("file", 0, read) if isinstance(read, str) else read
    return found


def _clear(folder: Path, plan: _Plan, done: Restored) -> None:
    """Remove what is not in the revision, and what stands in the way."""
    wrong = {path: plan.remove.get(path) for path in [*plan.remove, *plan.write]}
    with _parents(folder) as parents:
        for path in sorted(wrong, reverse=True):  # What is in a folder before the folder.
            entry = wrong[path]
            try:
                parent, name = parents.of(path)
                if entry is None:
                    _make_way(parent, name, plan.write[path])
                elif entry.kind == "folder":
                    os.rmdir(name, dir_fd=parent)
                else:
                    os.unlink(name, dir_fd=parent)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                if entry is not None and entry.kind == "folder":
                    done.kept.append(path)  # It still holds what is ignored or was left out.
                    continue
                raise _failed(path, "removed", error) from error
            if entry is not None:
                done.removed.append(path)


def _make_way(parent: int, name: str, entry: Entry) -> None:
    """Remove what has another kind than what is to be written there; a file is replaced."""
    there = stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode)
    if there and entry.kind != "folder":
        os.rmdir(name, dir_fd=parent)
    elif not there and entry.kind == "folder":
        os.unlink(name, dir_fd=parent)


def _write(
    folder: Path, batch: Manifest, content: dict[str, tuple[int, bytes]], done: Restored
) -> None:
    spare = f".{secrets.token_hex(8)}.tmp"
    with _parents(folder) as parents:
        for path, entry in batch.items():
            try:
                parent, name = parents.of(path)
                if entry.kind == "folder":
                    _write_folder(parent, name, entry.mode)
                elif entry.kind == "link":
                    _write_link(parent, name, spare, entry.value)
                else:
                    data = blobs.unpacked(entry.value, *content[entry.value])
                    _write_file(parent, name, spare, data, entry.mode)
            except OSError as error:
                raise _failed(path, "written", error) from error
            except ValueError as error:
                raise RevisionError(f"the revision holds no path: {error}.") from error
            done.written.append(path)


@contextmanager
def _parents(folder: Path) -> Iterator[Parents]:
    with open_root(folder) as root, closing(Parents(root)) as parents:
        yield parents


def _write_folder(parent: int, name: str, mode: int) -> None:
    with suppress(FileExistsError):
        os.mkdir(name, dir_fd=parent)
    # Never without the right to write into it: that is what comes next.
    fd = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
    try:
        os.fchmod(fd, mode | stat.S_IRWXU)
    finally:
        os.close(fd)


def _write_link(parent: int, name: str, spare: str, target: str) -> None:
    os.symlink(target, spare, dir_fd=parent)
    _put_in_place(parent, spare, name)


def _write_file(parent: int, name: str, spare: str, data: bytes, mode: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(spare, flags, mode, dir_fd=parent)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(fd, rest) :]
        # The umask may have taken something away; asking is cheaper than setting.
        if stat.S_IMODE(os.fstat(fd).st_mode) != mode:
            os.fchmod(fd, mode)
    except BaseException:
        os.unlink(spare, dir_fd=parent)
        raise
    finally:
        os.close(fd)
    _put_in_place(parent, spare, name)


def _put_in_place(parent: int, new: str, name: str) -> None:
    try:
        os.rename(new, name, src_dir_fd=parent, dst_dir_fd=parent)
    except BaseException:
        os.unlink(new, dir_fd=parent)
        raise


def _batches(write: Manifest) -> list[Manifest]:
    """In the given order, each of bounded size."""
    batches: list[Manifest] = []
    room = 0
    for path, entry in write.items():
        if room <= 0 or len(batches[-1]) >= _BATCH_FILES:
            batches.append({})
            room = _BATCH_BYTES
        batches[-1][path] = entry
        room -= entry.size
    return batches


def _failed(path: str, what: str, error: OSError) -> RevisionError:
    shown = path.encode("utf-8", "backslashreplace").decode()
    return RevisionError(
        f"{shown} cannot be {what}: {error.strerror or error}.",
        "Other files may be restored already. Mend that, and restore again.",
    )
