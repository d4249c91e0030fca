"""What is in a folder now, and which of it has to be read again.

Nothing outside the folder is touched: every step down is made from the folder above, symbolic
links are never followed, and what is neither file, link nor folder is not opened. All blocking.
"""

import hashlib
import os
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pathspec import GitIgnoreSpec

from replan.state.errors import SettingError, WorkspaceError
from replan.storage.manifest import Entry, Manifest

IGNORED = (
    ".git", "__pycache__", ".venv", "node_modules", ".pytest_cache", ".mypy_cache",
    ".ruff_cache", ".ipynb_checkpoints", ".DS_Store",
)  # fmt: skip
MOST_FILES = 100_000
_MOST_DEPTH = 64
_READ_TRIES = 3
_BLOCK = 1 << 20

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

# A file written this recently may change again without its time stamps telling; a file system
# that keeps whole seconds may be as coarse as FAT, with two.
_GRAIN_NS = 200_000_000
_COARSE_GRAIN_NS = 2_000_000_000

Stamp = tuple[int, int, int, int]  # size, mtime_ns, ctime_ns, inode
Known = dict[str, tuple[Stamp | None, Entry]]


@dataclass(frozen=True)
class Limits:
    """What a revision may hold.

    Attributes:
        file_bytes: of one file; a larger one is left out.
        total_bytes: of all files; the largest are left out until the rest fits.
        ignore: patterns as in .gitignore, beside `IGNORED`.
    """

    file_bytes: int = 50_000_000
    total_bytes: int = 1_000_000_000
    ignore: tuple[str, ...] = ()


@dataclass
class Look:
    """What a walk through the folder found.

    Attributes:
        fresh: files to be read, with their stamp: new, changed, or changed too recently to tell.
        changed: links and folders that are new or changed.
        gone: known paths that are not there any more.
        left_out: what cannot be in a revision, with the reason.
    """

    fresh: dict[str, Stamp] = field(default_factory=dict)
    changed: Manifest = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)


def ignored_by(patterns: Sequence[str]) -> GitIgnoreSpec:
    """Matches what is left alone; patterns as in .gitignore.

    Raises:
        SettingError: a pattern means nothing.
    """
    try:
        return GitIgnoreSpec.from_lines([*IGNORED, *patterns])
    except ValueError as error:
        raise SettingError(f"revision_ignore: {error}.", "Write patterns as in .gitignore.") from (
            error
        )


class Walk:
    """One walk through a folder.

    Args:
        root: the folder.
        known: what is known of its paths.
        ignored: what is left alone.
        file_bytes: larger files are left out.
        ask_again: whether known paths may be ignored now.
    """

    def __init__(
        self,
        root: Path,
        known: Known,
        ignored: GitIgnoreSpec,
        file_bytes: int,
        ask_again: bool = False,
    ) -> None:
        self._root = root
        self._known = known
        self._ignored = ignored
        self._file_bytes = file_bytes
        self._ask_again = ask_again
        self._seen: list[str] = []
        self._look = Look()

    def look(self) -> Look:
        """The whole folder.

        Raises:
            WorkspaceError: it is not there.
        """
        with open_root(self._root) as root:
            self._folder(root, "", 0)
        seen = set(self._seen)
        if not seen.issuperset(self._known):
            self._look.gone = [path for path in self._known if path not in seen]
        return self._look

    def _folder(self, fd: int, prefix: str, depth: int) -> None:
        known, seen, ask_again = self._known, self._seen, self._ask_again
        below: list[str] = []
        with os.scandir(fd) as entries:
            for entry in entries:
                path = prefix + entry.name
                try:
                    now = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                before = known.get(path)
                # Most files are as they were: these lines are what a walk spends its time on.
                stamp = (now.st_size, now.st_mtime_ns, now.st_ctime_ns, now.st_ino)
                if before is not None and before[0] == stamp and not ask_again:
                    seen.append(path)
                elif self._wanted(path, now, before is not None):
                    if stat.S_ISREG(now.st_mode):
                        seen.append(path)
                        if before is None or before[0] != stamp:
                            self._look.fresh[path] = stamp
                    elif stat.S_ISDIR(now.st_mode):
                        self._note(path, Entry("folder", now.st_mode & 0o777, ""))
                        below.append(entry.name)
                    else:
                        self._link(fd, entry.name, path)
        for name in below:
            self._below(fd, name, f"{prefix}{name}", depth + 1)

    def _wanted(self, path: str, found: os.stat_result, is_known: bool) -> bool:
        """Whether it belongs into a revision; what cannot be in one is noted."""
        if not is_known or self._ask_again:
            shown = f"{path}/" if stat.S_ISDIR(found.st_mode) else path
            if self._ignored.match_file(shown.encode("utf-8", "replace").decode()):
                return False
        why = ""
        if stat.S_ISREG(found.st_mode):
            if found.st_size > self._file_bytes:
                why = too_large(found.st_size, self._file_bytes)
        elif not (stat.S_ISDIR(found.st_mode) or stat.S_ISLNK(found.st_mode)):
            why = "not a file, link or folder"
        if not why and len(self._seen) >= MOST_FILES:
            why = f"more than {MOST_FILES:,} files"
        if why:
            self._look.left_out[path] = why
        return not why

    def _below(self, fd: int, name: str, path: str, depth: int) -> None:
        if depth > _MOST_DEPTH:
            self._look.left_out[path] = f"more than {_MOST_DEPTH} folders deep"
            return
        try:
            inner = os.open(name, _FOLDER, dir_fd=fd)
        except PermissionError:
            self._look.left_out[path] = "it may not be read"
            return
        except OSError:  # Gone, or something else by now.
            return
        try:
            self._folder(inner, f"{path}/", depth)
        finally:
            os.close(inner)

    def _link(self, fd: int, name: str, path: str) -> None:
        try:
            self._note(path, Entry("link", 0o777, os.readlink(name, dir_fd=fd)))
        except OSError:
            return

    def _note(self, path: str, entry: Entry) -> None:
        before = self._known.get(path)
        self._seen.append(path)
        if before is None or before[1] != entry:
            self._look.changed[path] = entry


@dataclass(frozen=True)
class ReadFile:
    """A file as it was read.

    `stamp` is None when it has changed too recently, or while it was read, so that it has to be
    read again the next time.
    """

    path: str
    stamp: Stamp | None
    entry: Entry
    data: bytes


def _opened(root: int, path: str) -> int | str | None:
    """A descriptor of a file; why it is left out, or None when it is gone."""
    try:
        with parent_of(root, path) as (folder, name):
            return os.open(name, _FILE, dir_fd=folder)
    except PermissionError:
        return "it may not be read"
    except OSError:
        return None


def read_file(root: int, path: str, most_bytes: int) -> ReadFile | str | None:
    """Read a file of the folder `root`; why it is left out, or None when it is gone."""
    fd = _opened(root, path)
    if not isinstance(fd, int):
        return fd
    with os.fdopen(fd, "rb", buffering=0) as opened:
        for _ in range(_READ_TRIES):
            began, before = time.time_ns(), os.fstat(fd)
            if not stat.S_ISREG(before.st_mode):
                return None
            opened.seek(0)
            try:
                data = _read(opened.fileno(), most_bytes + 1)
            except OSError as error:
                return f"it cannot be read: {error.strerror}"
            if len(data) > most_bytes:
                return too_large(len(data), most_bytes)
            after = os.fstat(fd)
            same = stamp_of(before) == stamp_of(after) and len(data) == after.st_size
            if same:
                break
    settled = same and began - max(after.st_mtime_ns, after.st_ctime_ns) > grain_ns(after)
    sha256 = hashlib.sha256(data).hexdigest()
    entry = Entry("file", after.st_mode & 0o777, sha256, len(data))
    return ReadFile(path, stamp_of(after) if settled else None, entry, data)


def file_entry(root: int, path: str) -> Entry | str | None:
    """The entry of a file of any size, of which no more than a block is in memory at a time.

    Why it cannot be read, or None when it is gone. One that changes meanwhile has the sha256 of
    what was read.
    """
    digest, size = hashlib.sha256(), 0
    fd = _opened(root, path)
    if not isinstance(fd, int):
        return fd
    with os.fdopen(fd, "rb", buffering=0) as opened:
        mode = os.fstat(fd).st_mode
        if not stat.S_ISREG(mode):
            return None
        try:
            while block := opened.read(_BLOCK):
                digest.update(block)
                size += len(block)
        except OSError as error:
            return f"it cannot be read: {error.strerror}"
    return Entry("file", mode & 0o777, digest.hexdigest(), size)


def too_large(size: int, limit: int) -> str:
    """The reason, with both in MB."""
    return f"{size / 1e6:,.1f} MB; {limit / 1e6:,.0f} MB are the most"


@contextmanager
def open_root(folder: Path) -> Iterator[int]:
    """A descriptor of the folder.

    Raises:
        WorkspaceError: it is not there, or not a folder.
    """
    try:
        fd = os.open(folder, _FOLDER)
    except OSError as error:
        raise WorkspaceError(
            f"the workspace {folder} cannot be opened: {error.strerror}.",
            "Its last revision comes back with: replan restore THREAD.",
        ) from error
    try:
        yield fd
    finally:
        os.close(fd)


@contextmanager
def parent_of(root: int, path: str) -> Iterator[tuple[int, str]]:
    """A descriptor of the folder that a path is in, and its name there; see `Parents.of`."""
    with closing(Parents(root)) as parents:
        yield parents.of(path)


class Parents:
    """The folders that paths are in; that of the last one is kept open for the next."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._folder = ""
        self._fd = root

    def of(self, path: str) -> tuple[int, str]:
        """A descriptor of the folder that the path is in, good until the next call, and its name;
        no link is followed.

        Raises:
            OSError: one of the folders is not there, or is something else.
            ValueError: the path is none inside the folder.
        """
        *folders, name = path.split("/")
        if any(part in ("", ".", "..") or "\0" in part for part in (*folders, name)):
            raise ValueError(f"{path!r} is no path inside a folder")
        folder = "/".join(folders)
        if folder != self._folder:
            self.close()
            try:
                for part in folders:
                    inner = os.open(part, _FOLDER, dir_fd=self._fd)
                    self.close()
                    self._fd = inner
            except OSError:
                self.close()  # Half way down is no folder of any path.
                raise
            self._folder = folder
        return self._fd, name

    def close(self) -> None:
        """Close what is open."""
        if self._fd != self._root:
            os.close(self._fd)
        self._fd, self._folder = self._root, ""


def _read(fd: int, most: int) -> bytes:
    parts = []
    while most > 0 and (part := os.read(fd, min(most, 1 << 24))):
        parts.append(part)
        most -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def stamp_of(found: os.stat_result) -> Stamp:
    """What tells without reading that a file was changed."""
    return (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


def grain_ns(found: os.stat_result) -> int:
    """For how many nanoseconds after a change another one may not show in the stamp."""
    return _COARSE_GRAIN_NS if found.st_ctime_ns % 1_000_000_000 == 0 else _GRAIN_NS
