"""Reading, writing and listing the files of the workspace."""

import asyncio
import os
import time
from collections.abc import Sequence
from typing import Any, BinaryIO, ClassVar, NamedTuple

from replan.state.task import Action, Observation
from replan.tools import beneath, outputs
from replan.tools.formats import fault
from replan.tools.listing import MOST_FILES, walk
from replan.tools.outside import outside
from replan.tools.protection import is_protected
from replan.tools.protocol import CallContext, ToolError, schema
from replan.tools.text import Text, decode, kind
from replan.tools.workspace import Workspace

_SHOWN = 6000
_READ = 20 * 1024 * 1024
_WINDOW = 1024 * 1024
_LISTED = 200
_LINE = {"type": "integer", "minimum": 1}


class ReadFile:
    """Shows a text file, or a range of its lines; or an earlier output that was kept."""

    name = "read_file"
    description = "show a text file of the workspace"
    parameters: ClassVar[dict[str, Any]] = schema(
        ["path"],
        path={"type": "string", "minLength": 1, "description": "the file"},
        start={**_LINE, "description": "first line to show, from 1"},
        end={**_LINE, "description": "last line to show"},
    )
    subject = "path"
    content = None
    content_language = ""
    repeatable = True
    reads_only = True

    def unavailable(self) -> str:
        """Always available."""
        return ""

    async def call(self, args: dict[str, Any], context: CallContext) -> Observation:
        """Show at most about 6,000 characters, with a note of how to read on."""
        path, start, end = str(args["path"]), int(args.get("start") or 1), args.get("end")
        last = int(end) if end else None
        if outputs.is_reference(path):
            lines = (await outputs.read(path)).splitlines()
            text, following = _range(path, lines, start, last)
            text = outside(text, "An earlier output")
        else:
            stop = time.monotonic() + context.seconds
            text, following = await asyncio.to_thread(
                _shown, context.workspace, path, start, last, stop
            )
        more = Action(tool=self.name, args={"path": path, "start": following})
        return Observation(ok=True, text=text, rest=more if following else None)


class WriteFile:
    """Writes a text file whole."""

    name = "write_file"
    description = "write source code or prose whose full text you know; never computed data"
    parameters: ClassVar[dict[str, Any]] = schema(
        ["path", "text"],
        path={"type": "string", "minLength": 1, "description": "the file"},
        text={"type": "string", "description": "its complete text"},
    )
    subject = "path"
    content = "text"
    content_language = ""
    repeatable = True

    def unavailable(self) -> str:
        """Always available."""
        return ""

    async def call(self, args: dict[str, Any], context: CallContext) -> Observation:
        """Write, and say at once when the text is not what its extension promises.

        Over a text in another encoding, or with CRLF line ends, it is written likewise.
        """
        path, text = str(args["path"]), str(args["text"])
        workspace = context.workspace
        if await asyncio.to_thread(is_protected, workspace, path, context.protected):
            raise ToolError(f"{path} must not be changed.", "Write another file.")
        encoding = await asyncio.to_thread(_write, workspace, path, text)
        lines = len(text.splitlines())
        said = f"wrote {path} ({lines} line{'' if lines == 1 else 's'}, {len(text):,} characters)"
        if encoding != "utf-8":
            said += f" in {encoding}, as it was"
        wrong = await asyncio.to_thread(fault, path, text.encode())
        return Observation(ok=True, text=f"{said}, but {wrong}" if wrong else said)


class ListFiles:
    """Lists the files with their sizes."""

    name = "list_files"
    description = "list the files of the workspace with their sizes"
    parameters: ClassVar[dict[str, Any]] = schema(
        folder={"type": "string", "description": "only what is in this folder"}
    )
    subject = "folder"
    content = None
    content_language = ""
    repeatable = True
    reads_only = True

    def unavailable(self) -> str:
        """Always available."""
        return ""

    async def call(self, args: dict[str, Any], context: CallContext) -> Observation:
        """List at most 200 files."""
        workspace = context.workspace
        folder = str(args.get("folder") or "")
        prefix = await asyncio.to_thread(_prefix, workspace, folder)
        lines = await asyncio.to_thread(_lines, workspace, prefix)
        more = [f"(and {len(lines) - _LISTED} more)"] if len(lines) > _LISTED else []
        nothing = f"{folder} holds no files" if prefix else "the workspace holds no files"
        return Observation(ok=True, text="\n".join([*lines[:_LISTED], *more]) or nothing)


class _Part(NamedTuple):
    """What is shown, and the line after it when there is more to show; otherwise 0."""

    text: str
    following: int = 0


def _shown(workspace: Workspace, path: str, start: int, end: int | None, stop: float) -> _Part:
    inside = workspace.inside(path)
    try:
        with beneath.opened(workspace.path, inside) as file:
            size = os.fstat(file.fileno()).st_size
            data = beneath.read(file, _READ)
            whole = len(data) < _READ
            text = decode(data, whole)
            if text is None:
                return _Part(_described(path, data, max(size, len(data))))
            lines = text.text.splitlines()
            wide = text.encoding.startswith(("utf-16", "utf-32"))  # not to be gone far on in
            if not whole and not (wide and len(lines) == 1):
                lines.pop()  # cut
            if whole or wide or start <= len(lines):
                return _range(path, lines, start, end, total="" if whole else f"{size:,} bytes")
            return _far_on(file, path, text, start, end, stop)
    except OSError as error:
        raise workspace.failure(error, path, "be read") from error


def _far_on(
    file: BinaryIO, path: str, text: Text, start: int, end: int | None, stop: float
) -> _Part:
    """Lines of a large file behind its first 20 MB, of which nothing is kept on the way there."""
    size = os.fstat(file.fileno()).st_size
    file.seek(0)
    data, passed, position = b"", 0, 0
    while passed < start - 1:
        if time.monotonic() > stop:
            raise ToolError(f"line {start:,} of {path} was not reached in time.")
        before, data = data, file.read(_WINDOW)
        if not data:
            lines = passed if before.endswith(b"\n") else passed + 1
            return _Part(f"({path} has only {lines:,} lines)")
        passed += data.count(b"\n")
        position += len(data)
    # Too far by some lines: back to where the first one wanted begins.
    position -= len(b"\n".join(data.split(b"\n")[start - passed - 2 :]))
    file.seek(position)
    window = beneath.read(file, _WINDOW)
    if not window:
        return _Part(f"({path} has only {start - 1:,} lines)")
    rows = window.decode(text.encoding, "replace").removesuffix("\n").split("\n")
    rows = [row.removesuffix("\r") for row in rows]
    if len(window) < _WINDOW:
        return _range(path, rows, start, end, first=start)
    if len(rows) > 1:
        rows.pop()  # cut
    return _range(path, rows, start, end, total=f"{size:,} bytes", first=start)


def _described(path: str, data: bytes, size: int) -> str:
    return (
        f"{path} is not text but {kind(data)}: {size:,} bytes, beginning with {data[:16].hex(' ')}"
    )


def _range(
    path: str,
    lines: Sequence[str],
    start: int,
    end: int | None,
    *,
    total: str = "",
    first: int = 1,
) -> _Part:
    """The lines asked for, as they are, and a note when there is more.

    Args:
        path: what is read.
        lines: of the file, from number `first` on.
        start: number of the first to show.
        end: number of the last; None for all.
        total: the size of the whole, where `lines` is not all of it.
        first: the number of the first of `lines`.
    """
    upper = first + len(lines) - 1
    if not lines:
        return _Part(f"({path} is empty)")
    if start > upper:
        return _Part(f"({path} has only {upper:,} lines)")
    last = min(end or upper, upper)
    shown: list[str] = []
    room = _SHOWN
    for line in lines[start - first : last - first + 1]:
        if len(line) + 1 > room:
            if not shown:
                shown.append(line[:room] + f" [... the line has {len(line):,} characters]")
            break
        shown.append(line)
        room -= len(line) + 1
    upto = start + len(shown) - 1
    text = "\n".join(shown)
    if upto < last or (total and (not end or end > upper)):
        of = total or f"{upper:,}"
        text += f"\n[lines {start} to {upto} of {of}; to read on: start {upto + 1}]"
        return _Part(text, upto + 1)
    return _Part(text)


def _write(workspace: Workspace, path: str, text: str) -> str:
    """Write in the encoding and with the line ends of what is there; the encoding's name."""
    try:
        before = decode(workspace.read_bytes(path, _WINDOW), whole=False)
    except ToolError:
        before = None  # writing will say what is wrong, if anything is
    like = before or Text("")
    text = like.with_line_ends(text)
    try:
        data = like.encoded(text)
    except UnicodeEncodeError:
        like = Text("")
        try:
            data = like.encoded(text)
        except UnicodeEncodeError as error:
            raise ToolError(f"the text for {path} is not valid Unicode.") from error
    workspace.write_bytes(path, data)
    return like.encoding


def _prefix(workspace: Workspace, folder: str) -> str:
    place = workspace.confine(folder)
    if not place.is_dir():
        missing = FileNotFoundError()
        raise workspace.failure(missing, f"the folder {folder}", "be listed")
    return "" if place == workspace.path else f"{workspace.relative(place)}/"


def _lines(workspace: Workspace, prefix: str) -> list[str]:
    lines = {}
    for path, _, entry in walk(workspace.path, MOST_FILES):
        if path.startswith(prefix):
            try:
                size = entry.stat(follow_symlinks=False).st_size
            except OSError:  # gone again
                continue
            lines[path] = f"{path}  {size:,} bytes"
    return [lines[path] for path in sorted(lines)]
