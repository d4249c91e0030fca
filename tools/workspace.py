"""The folder the agent works in. No path leads out of it."""

import asyncio
import errno
import hashlib
import os
import secrets
import stat
from pathlib import Path

from replan.state.errors import WorkspaceError
from replan.tools import beneath
from replan.tools.bounds import clipped
from replan.tools.listing import MOST_FILES, hash_one, hashes, printable, walk
from replan.tools.own_code import own_code_in
from replan.tools.protocol import ToolError
from replan.tools.text import decode


class Workspace:
    """A folder and what may be done in it. The async methods do their I/O in threads.

    Args:
        path: an existing folder; `open_workspace` makes sure of it.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(os.path.realpath(path))

    def confine(self, relative: str, named: str = "") -> Path:
        """The real path of a path given by the model; "" and "." are the workspace itself.

        It is for showing and comparing, and for asking what is there. To open what it names use
        `read_bytes` and its like: meanwhile a link may have taken its place. Does a little I/O (it
        follows symbolic links): call it in a thread.

        Args:
            relative: the path.
            named: what an error names in its place.

        Raises:
            ToolError: it leads out of the workspace, or is no path at all.
        """
        shown = _checked(relative)
        shown = clipped(named, 100) if named else shown
        try:
            found = Path(os.path.realpath(self.path / relative))
        except (OSError, ValueError, RuntimeError) as error:
            raise ToolError(f"{shown!r} is not a path: {error}") from error
        if not found.is_relative_to(self.path):
            raise ToolError(
                f"{shown!r} is outside the workspace.", "Use a path relative to the workspace."
            )
        return self._as_spelled(found) if "\ufffd" in relative else found

    def relative(self, path: Path) -> str:
        """A path inside the workspace as the model is shown it."""
        return printable(path.relative_to(self.path).as_posix())

    def inside(self, path: str) -> Path:
        """`confine`, from the workspace on: what the functions of `beneath` take. Blocking."""
        return self.confine(path).relative_to(self.path)

    def place(self, path: str) -> Path:
        """Like `inside`, but of a link it is the link itself, not what it points to. Blocking."""
        _checked(path)
        parent, name = os.path.split(path.rstrip("/"))
        if name in ("", ".", ".."):
            return self.inside(path)
        found = self.confine(parent, path) / name
        return (self._as_spelled(found) if "\ufffd" in name else found).relative_to(self.path)

    def read_bytes(self, path: str, limit: int) -> bytes:
        """The first `limit` bytes of a file. Blocking.

        Raises:
            ToolError: it does not exist, is not a file, or cannot be read.
        """
        inside = self.inside(path)
        try:
            with beneath.opened(self.path, inside) as file:
                return beneath.read(file, limit)
        except OSError as error:
            raise self.failure(error, path, "be read") from error

    def write_bytes(self, path: str, data: bytes) -> None:
        """Write a file whole or not at all, creating its folders. Blocking.

        Raises:
            ToolError: the path cannot be written.
        """
        inside = self.inside(path)
        self.spare_own_code(inside)
        try:
            beneath.replace(self.path, inside, data)
        except OSError as error:
            raise self.failure(error, path, "be written") from error

    def spare_own_code(self, inside: Path, *, whole: bool = False) -> None:
        """Nothing, unless what is there is code from which replan itself runs. Blocking.

        Args:
            inside: a path from the workspace on.
            whole: it is to be moved or removed with all that it holds.

        Raises:
            ToolError: it is such code, or, where `whole`, holds some.
        """
        own = own_code_in(self.path)
        place = self.path / inside
        if own.moves_with(place) if whole else own.holds(place):
            raise ToolError(
                f"{clipped(printable(inside.as_posix()), 100)} must not be changed: "
                "replan itself runs from it.",
                "Leave it as it is.",
            )

    def failure(self, error: OSError, path: str, what: str) -> ToolError:
        """An error of the system in words: which path, and what cannot be done with it."""
        shown = clipped(path, 100)
        if not self.path.is_dir():
            return ToolError(
                "the workspace itself is gone: its folder was deleted or moved.",
                "Nothing can be done in it until it is back.",
            )
        if isinstance(error, beneath.NotAFileError):
            return ToolError(f"{shown} is {error.kind}.", "Give the path of a file.")
        if isinstance(error, FileNotFoundError):
            return ToolError(f"{shown} does not exist.")
        why = _WHY.get(error.errno or 0, error.strerror or str(error))
        return ToolError(f"{shown} cannot {what}: {why}.")

    async def files(self, limit: int = MOST_FILES) -> list[str]:
        """Relative paths of files (and symbolic links), sorted; at most `limit`."""
        return await asyncio.to_thread(
            lambda: sorted(path for path, _, _ in walk(self.path, limit))
        )

    async def hashes(self) -> dict[str, str]:
        """sha256 by path, of at most 20,000 files; what did not change is not read again.

        Above 50 MB, size and time of change stand for the content; a symbolic link is known by
        where it points.
        """
        return await asyncio.to_thread(hashes, self.path)

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
        return await asyncio.to_thread(lambda: hash_one(self.path, self.place(path)))

    async def read_text(self, path: str, max_chars: int) -> str:
        """The first `max_chars` characters of a file, in whatever encoding.

        What is no text comes as UTF-8 with the bytes replaced that are not.

        Raises:
            ToolError: there is no such file in the workspace, or it cannot be read.
        """

        def read() -> str:
            limit = max_chars * 4 + 4
            data = self.read_bytes(path, limit)
            found = decode(data, whole=len(data) < limit)
            return (found.text if found else data.decode("utf-8-sig", "replace"))[:max_chars]

        return await asyncio.to_thread(read)

    async def write_text(self, path: str, text: str) -> None:
        """Write a file in UTF-8, whole or not at all, creating its folders.

        Raises:
            ToolError: the path cannot be written.
        """
        try:
            data = text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise ToolError(f"the text for {clipped(path, 100)} is not valid Unicode.") from error
        await asyncio.to_thread(self.write_bytes, path, data)

    def _as_spelled(self, path: Path) -> Path:
        """The path whose name is shown so: bytes that are not UTF-8 are shown replaced."""
        found = self.path
        for part in path.relative_to(self.path).parts:
            below = found / part
            if "\ufffd" in part and found.is_dir() and not os.path.lexists(below):
                same = (entry for entry in found.iterdir() if printable(entry.name) == part)
                below = next(same, below)
            found = below
        return found


# Where the system's own words would not help.
_WHY = {
    errno.ELOOP: "a symbolic link is in the way",
    errno.ENOTDIR: "a file is in the way",
    errno.EEXIST: "a file is in the way",
    errno.ENOTEMPTY: "it is not empty",
    errno.ENOSPC: "the disk is full; nothing was changed",
    errno.EDQUOT: "the disk quota is used up; nothing was changed",
}


def _checked(path: str) -> str:
    """The path, cut for showing, unless it can be none."""
    if "\0" in path:
        raise ToolError("a path cannot hold a NUL character.")
    shown = clipped(path, 100)
    try:
        parts = os.fsencode(path).split(b"/")
    except UnicodeEncodeError as error:
        raise ToolError(f"{shown!r} is not a path: it holds half a character.") from error
    if len(path) > 2000 or any(len(part) > 255 for part in parts):
        raise ToolError(f"the path is too long: {shown}")
    return shown


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


def _try_writing(folder: Path) -> None:
    """A full disk is no reason to refuse: what is there can be read, and removed to make room."""
    probe = folder / f".{secrets.token_hex(8)}.tmp"
    try:
        probe.write_bytes(b"replan")
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
    finally:
        probe.unlink(missing_ok=True)
