"""The folder the agent works in. No path leads out of it."""

import asyncio
import hashlib
import os
import secrets
import stat
import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from replan.state.errors import WorkspaceError
from replan.tools.protocol import ToolError

IGNORED = frozenset({".git", "__pycache__", ".venv", "node_modules", ".pytest_cache"})
MOST_FILES = 2000
HASHED_BYTES = 50 * 1024 * 1024

# A file written this recently may change again without its time stamps telling.
_SETTLED_NS = 200_000_000

Stamp = tuple[int, int, int, int]


@lru_cache(maxsize=16)
def _known_hashes(root: Path) -> dict[str, tuple[Stamp, str]]:
    """What was hashed before, shared by all objects for the same folder: nodes make their own."""
    return {}


class Workspace:
    """A folder and what may be done in it. The async methods do their I/O in threads.

    Args:
        path: an existing folder; `open_workspace` makes sure of it.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(os.path.realpath(path))
        self._known = _known_hashes(self.path)

    def confine(self, relative: str) -> Path:
        """The real path of a path given by the model; "" and "." are the workspace itself.

        Does a little I/O (it follows symbolic links): call it in a thread.

        Raises:
            ToolError: it leads out of the workspace, or is no path at all.
        """
        if "\0" in relative:
            raise ToolError("a path cannot hold a NUL character.")
        shown = relative if len(relative) <= 100 else relative[:97] + "..."
        parts = relative.encode("utf-8", "replace").split(b"/")
        if len(relative) > 2000 or any(len(part) > 255 for part in parts):
            raise ToolError(f"the path is too long: {shown}")
        try:
            found = Path(os.path.realpath(self.path / relative))
        except (OSError, ValueError, RuntimeError) as error:
            raise ToolError(f"{shown!r} is not a path: {error}") from error
        if not found.is_relative_to(self.path):
            raise ToolError(
                f"{shown!r} is outside the workspace.", "Use a path relative to the workspace."
            )
        return found

    def relative(self, path: Path) -> str:
        """A path inside the workspace as the model is shown it."""
        return _printable(path.relative_to(self.path).as_posix())

    async def files(self, limit: int = MOST_FILES) -> list[str]:
        """Relative paths of files (and symbolic links), sorted; at most `limit`."""
        return await asyncio.to_thread(lambda: sorted(self._walk(limit)))

    async def hashes(self) -> dict[str, str]:
        """sha256 by path, of at most 2,000 files.

        Above 50 MB, size and time of change stand for the content; a symbolic link is known by
        where it points.
        """
        return await asyncio.to_thread(self._hashes)

    async def digest(self) -> str:
        """One sha256 over all paths and their content."""
        found = await self.hashes()
        lines = "\n".join(f"{path}\0{value}" for path, value in sorted(found.items()))
        return hashlib.sha256(lines.encode("utf-8", "replace")).hexdigest()

    async def hash(self, path: str) -> str:
        """The same value as in `hashes`, of one file; "" when there is none.

        Raises:
            ToolError: the path leads out of the workspace.
        """

        def one() -> str:
            self.confine(path)
            return self._hash(path, self.path / path) or ""

        return await asyncio.to_thread(one)

    async def read_text(self, path: str, max_chars: int) -> str:
        """The first `max_chars` characters of a file; bytes that are not UTF-8 are replaced.

        Raises:
            ToolError: there is no such file in the workspace, or it cannot be read.
        """

        def read() -> str:
            data = read_bytes(self.confine(path), path, max_chars * 4 + 4)
            return data.decode("utf-8-sig", "replace")[:max_chars]

        return await asyncio.to_thread(read)

    async def write_text(self, path: str, text: str) -> None:
        """Write a file whole or not at all, creating its folders.

        Raises:
            ToolError: the path cannot be written.
        """
        await asyncio.to_thread(self._write, path, text)

    def _write(self, path: str, text: str) -> None:
        target = self.confine(path)
        if target.is_dir():
            raise ToolError(f"{path} is a folder.", "Give the path of a file.")
        try:
            data = text.encode("utf-8")
            replace_bytes(target, data)
        except (FileExistsError, NotADirectoryError) as error:
            raise ToolError(f"{path} cannot be written: a file is in the way.") from error
        except UnicodeEncodeError as error:
            raise ToolError(f"the text for {path} is not valid Unicode.") from error
        except OSError as error:
            raise ToolError(f"{path} cannot be written: {error.strerror or error}") from error

    def _walk(self, limit: int) -> Iterator[str]:
        count = 0
        for folder, folders, names in os.walk(self.path):
            here = Path(folder)
            links = [name for name in folders if (here / name).is_symlink()]
            folders[:] = sorted(set(folders) - IGNORED - set(links))
            for name in sorted([*names, *links]):
                if count >= limit:
                    return
                if name in IGNORED:
                    continue
                count += 1
                yield self.relative(here / name)

    def _hashes(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for path in self._walk(MOST_FILES):
            value = self._hash(path, self.path / path)
            if value is not None:
                found[path] = value
        for path in list(self._known):
            if path not in found:
                self._known.pop(path, None)
        return dict(sorted(found.items()))

    def _hash(self, path: str, file: Path) -> str | None:
        try:
            seen = file.lstat()
            if stat.S_ISLNK(seen.st_mode):
                return f"link:{_printable(str(file.readlink()))}"
            if not stat.S_ISREG(seen.st_mode):
                # Opening a named pipe would wait for ever.
                return f"special:{stat.S_IFMT(seen.st_mode)}"
            stamp = (seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino)
            if seen.st_size > HASHED_BYTES:
                return f"large:{seen.st_size}:{seen.st_mtime_ns}"
            known = self._known.get(path)
            if known and known[0] == stamp:
                return known[1]
            with file.open("rb") as opened:
                value = hashlib.file_digest(opened, "sha256").hexdigest()
        except FileNotFoundError:
            return None
        except OSError as error:
            return f"unreadable:{error.errno}"
        if time.time_ns() - max(seen.st_mtime_ns, seen.st_ctime_ns) > _SETTLED_NS:
            self._known[path] = (stamp, value)
        return value


def open_workspace(path: str | Path, create: bool) -> Workspace:
    """The workspace at `path`, after really writing in it. Blocking.

    A folder whose mode has no write bit at all is refused even for root, who could write: its
    owner has said that it is not to be written.

    Args:
        path: the folder; `~` is the home folder.
        create: make the folder, and those above it, when missing.

    Raises:
        WorkspaceError: it is missing, not a folder, or not writable.
    """
    try:
        folder = Path(os.path.realpath(Path(path).expanduser()))
        if create:
            folder.mkdir(parents=True, exist_ok=True)
        mode = folder.stat().st_mode
        if not stat.S_ISDIR(mode):
            raise WorkspaceError(f"the workspace {path} is not a folder.", "Name a folder.")
        if not mode & 0o222:
            raise PermissionError(13, "it is marked read-only")
        _try_writing(folder)
    except (FileExistsError, NotADirectoryError) as error:
        raise WorkspaceError(f"the workspace {path} is not a folder.", "Name a folder.") from error
    except FileNotFoundError as error:
        raise WorkspaceError(
            f"the workspace {path} does not exist.", "Create it, or name another folder."
        ) from error
    except (OSError, ValueError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or error
        raise WorkspaceError(
            f"the workspace {str(path)[:300]!r} is not writable: {why}.", "Name another folder."
        ) from error
    return Workspace(folder)


def read_bytes(file: Path, shown: str, limit: int) -> bytes:
    """The first `limit` bytes of a file; `shown` is its name in errors.

    Raises:
        ToolError: it does not exist, is not a file, or cannot be read.
    """
    try:
        if not file.exists():
            raise ToolError(f"{shown} does not exist.")
        if not file.is_file():
            kind = "a folder" if file.is_dir() else "not a regular file"
            raise ToolError(f"{shown} is {kind}.", "Give the path of a file.")
        with file.open("rb") as opened:
            return opened.read(limit)
    except OSError as error:
        raise ToolError(f"{shown} cannot be read: {error.strerror or error}") from error


def replace_bytes(target: Path, data: bytes) -> None:
    """Write a file under another name first, so that nobody sees half of it. Raises OSError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    new = target.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        # Not mkstemp: its files are for their owner alone, whatever the umask says.
        with new.open("xb") as opened:
            opened.write(data)
            if target.exists():
                os.fchmod(opened.fileno(), stat.S_IMODE(target.stat().st_mode))
        new.replace(target)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def _try_writing(folder: Path) -> None:
    probe = folder / f".{secrets.token_hex(8)}.tmp"
    try:
        probe.write_bytes(b"replan")
    finally:
        probe.unlink(missing_ok=True)


def _printable(text: str) -> str:
    # File names may hold bytes that are not UTF-8; as surrogates they would break JSON later.
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
