"""Reading, writing and listing the files of the workspace."""

import asyncio
from typing import Any, ClassVar

from replan.state.task import Observation
from replan.tools.formats import fault
from replan.tools.protection import is_protected
from replan.tools.protocol import CallContext, ToolError, schema
from replan.tools.workspace import Workspace, read_bytes

_SHOWN = 6000
_READ = 20 * 1024 * 1024
_LISTED = 200
_MAGIC = {
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a zip archive (or .xlsx, .docx)",
    b"\x1f\x8b": "gzip data",
    b"SQLite format 3": "an SQLite database",
    b"\x7fELF": "a program",
}
_LINE = {"type": "integer", "minimum": 1}


class ReadFile:
    """Shows a text file, or a range of its lines."""

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
    reads_only = True

    def unavailable(self) -> str:
        """Always available."""
        return ""

    async def call(self, args: dict[str, Any], context: CallContext) -> Observation:
        """Show at most about 6,000 characters, with a note of how to read on."""
        path, start, end = str(args["path"]), int(args.get("start") or 1), args.get("end")
        data = await asyncio.to_thread(_read, context.workspace, path)
        if _is_binary(data):
            return Observation(ok=True, text=_described(path, data))
        return Observation(ok=True, text=_range(path, data, start, int(end) if end else None))


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

    def unavailable(self) -> str:
        """Always available."""
        return ""

    async def call(self, args: dict[str, Any], context: CallContext) -> Observation:
        """Write, and say at once when the text is not what its extension promises."""
        path, text = str(args["path"]), str(args["text"])
        workspace = context.workspace
        if await asyncio.to_thread(is_protected, workspace, path, context.protected):
            raise ToolError(f"{path} must not be changed.", "Write another file.")
        await workspace.write_text(path, text)
        lines = len(text.splitlines())
        said = f"wrote {path} ({lines} line{'' if lines == 1 else 's'}, {len(text):,} characters)"
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
    reads_only = True

    def unavailable(self) -> str:
        """Always available."""
        return ""

    async def call(self, args: dict[str, Any], context: CallContext) -> Observation:
        """List at most 200 files."""
        workspace = context.workspace
        folder = str(args.get("folder") or "")
        prefix = await asyncio.to_thread(_prefix, workspace, folder)
        paths = [path for path in await workspace.files() if path.startswith(prefix)]
        lines = await asyncio.to_thread(_sizes, workspace, paths[:_LISTED])
        if len(paths) > _LISTED:
            lines.append(f"(and {len(paths) - _LISTED} more)")
        nothing = f"{folder} holds no files" if prefix else "the workspace holds no files"
        return Observation(ok=True, text="\n".join(lines) or nothing)


def _read(workspace: Workspace, path: str) -> bytes:
    return read_bytes(workspace.confine(path), path, _READ)


def _is_binary(data: bytes) -> bool:
    return b"\0" in data[:8192] or any(data.startswith(magic) for magic in _MAGIC)


def _described(path: str, data: bytes) -> str:
    kind = next((kind for magic, kind in _MAGIC.items() if data.startswith(magic)), "binary data")
    size = f"{len(data):,}" if len(data) < _READ else f"at least {_READ:,}"
    return f"{path} is not text but {kind}: {size} bytes, beginning with {data[:16].hex(' ')}"


def _range(path: str, data: bytes, start: int, end: int | None) -> str:
    """The lines asked for, as they are, and a note when there is more."""
    lines = data.decode("utf-8-sig", "replace").splitlines()
    total = f"{len(lines):,}" if len(data) < _READ else f"at least {len(lines):,}"
    if not data:
        return f"({path} is empty)"
    if start > len(lines):
        return f"({path} has only {total} lines)"
    last = min(end or len(lines), len(lines))
    shown: list[str] = []
    room = _SHOWN
    for line in lines[start - 1 : last]:
        if len(line) + 1 > room:
            if not shown:
                shown.append(line[:room] + f" [... the line has {len(line):,} characters]")
            break
        shown.append(line)
        room -= len(line) + 1
    upto = start + len(shown) - 1
    text = "\n".join(shown)
    if upto < last:
        text += f"\n[lines {start} to {upto} of {total}; to read on: start {upto + 1}]"
    return text


def _prefix(workspace: Workspace, folder: str) -> str:
    place = workspace.confine(folder)
    if not place.is_dir():
        raise ToolError(f"there is no folder {folder}.")
    return "" if place == workspace.path else f"{workspace.relative(place)}/"


def _sizes(workspace: Workspace, paths: list[str]) -> list[str]:
    lines = []
    for path in paths:
        try:
            lines.append(f"{path}  {(workspace.path / path).lstat().st_size:,} bytes")
        except OSError:
            continue
    return lines
