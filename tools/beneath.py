"""Files and folders beneath a root folder, and nothing else.

Each is reached through file descriptors from the root on, and no symbolic link is followed on the
way: code that plants one between a check and its use gains nothing by it. Linux does that in one
call, `openat2`; elsewhere the way is walked folder by folder. Everything here blocks, and raises
OSError.
"""

import ctypes
import errno
import os
import secrets
import stat
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path, PurePath
from typing import BinaryIO

from replan.tools.trees import open_up, remove_tree

_OPENAT2 = 437  # the same number on every architecture that Python's wheels are made for
_NO_MAGICLINKS, _NO_SYMLINKS, _BENEATH = 0x02, 0x04, 0x08
_RESOLVE = _NO_MAGICLINKS | _NO_SYMLINKS | _BENEATH
_TO_PASS = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_TO_LIST = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Opening a named pipe would wait for a writer, were it not for O_NONBLOCK.
_TO_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_NOFOLLOW | os.O_CLOEXEC
_TO_MAKE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_REPLACE = 1
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class NotAFileError(OSError):
    """What is there is no regular file; `kind` says what it is, with its article."""

    def __init__(self, mode: int) -> None:
        super().__init__(errno.EINVAL, "not a regular file")
        self.kind = _KINDS.get(stat.S_IFMT(mode), "not a regular file")


@contextmanager
def folder(
    root: Path, inside: PurePath, *, make: bool = False, listed: bool = False
) -> Iterator[int]:
    """A descriptor of a folder.

    Args:
        root: where everything has to stay beneath; a real path.
        inside: the folder's path from there, without "..".
        make: make it, and those above it, when missing.
        listed: it can be listed, not only passed through.
    """
    held = os.open(root, _TO_PASS)
    try:
        if make:
            _make(held, inside)
        found = _open(held, inside, _TO_LIST if listed else _TO_PASS)
    finally:
        os.close(held)
    try:
        yield found
    finally:
        os.close(found)


@contextmanager
def opened(root: Path, inside: PurePath) -> Iterator[BinaryIO]:
    """A regular file, for reading. Raises NotAFileError for anything else, without opening it."""
    with folder(root, inside.parent) as parent, opened_at(parent, inside.name) as file:
        yield file


@contextmanager
def opened_at(parent: int, name: str) -> Iterator[BinaryIO]:
    """The same, of a file in an open folder."""
    mode = os.stat(name or ".", dir_fd=parent, follow_symlinks=False).st_mode
    if not stat.S_ISREG(mode):
        raise NotAFileError(mode)
    with open(os.open(name, _TO_READ, dir_fd=parent), "rb", buffering=0) as raw:  # noqa: PTH123
        if not stat.S_ISREG(mode := os.fstat(raw.fileno()).st_mode):
            raise NotAFileError(mode)
        yield raw


def read(file: BinaryIO, limit: int) -> bytes:
    """The next `limit` bytes of a file, fewer only at its end, however fast it grows."""
    parts = []
    while limit > 0 and (data := file.read(min(limit, 1 << 20))):
        parts.append(data)
        limit -= len(data)
    return b"".join(parts)


def replace(root: Path, inside: PurePath, data: bytes) -> None:
    """Write a file whole under another name and put it in place, making its folders.

    Nobody sees half of it, and other names of the old file (hard links) keep the old content. It
    keeps the old one's permissions. Raises NotAFileError where something else than a file is.
    """
    with folder(root, inside.parent, make=True) as parent:
        old = _lstat(parent, inside.name or ".")
        # A symbolic link is none of ours to follow: it goes, and what it points to stays.
        if old is not None and not (stat.S_ISREG(old.st_mode) or stat.S_ISLNK(old.st_mode)):
            raise NotAFileError(old.st_mode)
        new = f".{secrets.token_hex(8)}.tmp"
        try:
            with open(os.open(new, _TO_MAKE, 0o666, dir_fd=parent), "wb") as file:  # noqa: PTH123
                file.write(data)
                if old is not None and stat.S_ISREG(old.st_mode):
                    os.fchmod(file.fileno(), old.st_mode & 0o777)
            os.replace(new, inside.name, src_dir_fd=parent, dst_dir_fd=parent)
        except BaseException:
            with suppress(OSError):
                os.unlink(new, dir_fd=parent)
            raise


def move(root: Path, source: PurePath, target: PurePath) -> None:
    """Give a file, folder or symbolic link another place, whose folder exists; never over another.

    Raises FileExistsError when something is there, also when it came just now.
    """
    with folder(root, source.parent) as old, folder(root, target.parent) as new:
        if (exclusive := _renameat2()) is not None:
            names = os.fsencode(source.name), os.fsencode(target.name)
            if exclusive(old, names[0], new, names[1], _NO_REPLACE) == 0:
                return
            code = ctypes.get_errno()
            if code not in (errno.EINVAL, errno.ENOSYS, errno.EPERM):
                raise OSError(code, os.strerror(code))
        # The file system, or the platform, cannot: look, then rename.
        if _lstat(new, target.name) is not None:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        os.rename(source.name, target.name, src_dir_fd=old, dst_dir_fd=new)


def make_folder(root: Path, inside: PurePath) -> None:
    """Make a folder, and those above it; it may be there."""
    with folder(root, inside, make=True):
        pass


def remove(root: Path, inside: PurePath, *, whole: bool = False) -> None:
    """Remove a file, a symbolic link, or a folder: an empty one, or `whole` with all it holds."""
    with folder(root, inside.parent) as parent:
        mode = os.stat(inside.name, dir_fd=parent, follow_symlinks=False).st_mode
        if not stat.S_ISDIR(mode):
            os.unlink(inside.name, dir_fd=parent)
        elif whole:
            remove_tree(parent, inside.name)
        else:
            os.rmdir(inside.name, dir_fd=parent)


def clear_way(root: Path, inside: PurePath) -> None:
    """Remove what stands where a file or one of its folders was, so that nothing is followed.

    Folders above the file stay, and can be written afterwards; a file that is there stays too.
    """
    for up in [*reversed(inside.parents), inside]:
        if not up.name:
            with suppress(OSError), folder(root, up) as held:
                open_up(held, ".")
            continue
        with suppress(FileNotFoundError), folder(root, up.parent) as parent:
            mode = os.stat(up.name, dir_fd=parent, follow_symlinks=False).st_mode
            if up == inside and stat.S_ISDIR(mode):
                remove_tree(parent, up.name, by_force=True)
            elif up == inside and stat.S_ISREG(mode):
                pass
            elif stat.S_ISDIR(mode):
                with suppress(OSError):
                    open_up(parent, up.name)
            else:
                os.unlink(up.name, dir_fd=parent)


def status(root: Path, inside: PurePath) -> os.stat_result | None:
    """`lstat` of what is there; None when there is nothing, or a link on the way to it."""
    try:
        with folder(root, inside.parent) as parent:
            return _lstat(parent, inside.name or ".")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:
            return None
        raise


def _lstat(parent: int, name: str) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _make(root: int, inside: PurePath) -> None:
    for up in [*reversed(inside.parents), inside]:
        if up.name:
            parent = _open(root, up.parent, _TO_PASS)
            try:
                with suppress(FileExistsError):
                    os.mkdir(up.name, dir_fd=parent)
            finally:
                os.close(parent)


def _open(root: int, inside: PurePath, flags: int) -> int:
    if inside.is_absolute() or ".." in inside.parts:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
    call = _openat2()
    if call is None:
        return _walk(root, inside, flags)
    how = struct.pack("=QQQ", flags, 0, _RESOLVE)
    while (found := call(_OPENAT2, root, os.fsencode(inside), how, len(how))) < 0:
        code = ctypes.get_errno()
        if code not in (errno.EINTR, errno.EAGAIN):
            raise OSError(code, os.strerror(code))
    return found


def _walk(root: int, inside: PurePath, flags: int) -> int:
    """What `openat2` does, folder by folder."""
    here = os.open(".", _TO_PASS if inside.parts else flags, dir_fd=root)
    for number, part in enumerate(inside.parts, 1):
        try:
            below = os.open(part, flags if number == len(inside.parts) else _TO_PASS, dir_fd=here)
        finally:
            os.close(here)
        here = below
    return here


@lru_cache(maxsize=1)
def _openat2() -> Callable[..., int] | None:
    """`syscall(2)`, where the kernel has openat2 and no filter forbids it."""
    if not sys.platform.startswith("linux"):
        return None
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long
    call.argtypes = [
        ctypes.c_long,
        ctypes.c_int,
        ctypes.c_char_p,
        ctypes.c_char_p,
        ctypes.c_size_t,
    ]
    how = struct.pack("=QQQ", _TO_PASS, 0, 0)
    root = os.open("/", _TO_PASS)
    try:
        found = call(_OPENAT2, root, b".", how, len(how))
    finally:
        os.close(root)
    if found < 0:
        return None
    os.close(found)
    return call


@lru_cache(maxsize=1)
def _renameat2() -> Callable[..., int] | None:
    """`renameat2(2)`, where the C library has it."""
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is not None:
        call.argtypes = [
            ctypes.c_int,
            ctypes.c_char_p,
            ctypes.c_int,
            ctypes.c_char_p,
            ctypes.c_uint,
        ]
    return call
