"""Deleting files and folders of the workspace."""

import asyncio
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from replan.state.task import Observation
from replan.tools import beneath
from replan.tools.bounds import clipped
from replan.tools.listing import IGNORED, MOST_FILES, printable, walk
from replan.tools.protection import is_protected
from replan.tools.protocol import CallContext, ToolError, schema
from replan.tools.workspace import Workspace


class DeleteFile:
    """Deletes a file, a link (not what it points to), an empty folder, or a folder whole."""

    name = "delete_file"
    description = "delete a file"
    parameters: ClassVar[dict[str, Any]] = schema(
        ["path"],
        path={"type": "string", "minLength": 1, "description": "the file, or an empty folder"},
        whole={"type": "boolean", "description": "a folder with all that is in it"},
    )
    content = None
    content_language = ""

    def unavailable(self) -> str:
        """Always available."""
        return ""

    def subjects(self, args: dict[str, Any], workspace: Workspace) -> list[str]:
        """What is deleted: the path, and of a folder every file in it. Blocking.

        Raises:
            ToolError: the path leads out of the workspace.
        """
        inside = workspace.place(str(args["path"]))
        return [printable(inside.as_posix()), *_files_in(workspace, inside)]

    async def call(self, args: dict[str, Any], context: CallContext) -> Observation:
        """Delete, unless it holds files and is not said to go whole, or must not be changed."""
        text = await asyncio.to_thread(
            _delete,
            context.workspace,
            str(args["path"]),
            bool(args.get("whole")),
            tuple(context.protected),
        )
        return Observation(ok=True, text=text)


def _delete(workspace: Workspace, path: str, whole: bool, protected: Sequence[str]) -> str:
    shown = clipped(path, 100)
    inside = workspace.place(path)
    if not inside.name or IGNORED.intersection(inside.parts):
        raise ToolError(f"{shown} is not to be deleted.")
    held = _allow(workspace, shown, inside, protected)
    try:
        seen = beneath.status(workspace.path, inside)
        if seen is None:
            raise FileNotFoundError
        if held and not whole:
            raise ToolError(
                f"{shown} is a folder with {len(held)} file{'' if len(held) == 1 else 's'}.",
                "To delete it with all that is in it, say whole: true.",
            )
        beneath.remove(workspace.path, inside, whole=whole)
    except OSError as error:
        raise workspace.failure(error, path, "be deleted") from error
    if not stat.S_ISDIR(seen.st_mode):
        return f"deleted {shown}"
    return f"deleted the folder {shown} with {len(held)} file{'' if len(held) == 1 else 's'}"


def _allow(workspace: Workspace, shown: str, inside: Path, protected: Sequence[str]) -> list[str]:
    """The files in it, none of which, nor it itself, is protected."""
    root = workspace.path
    held = _files_in(workspace, inside)
    if not (root / inside).is_symlink():
        for file in (printable(inside.as_posix()), *held):
            if not (root / file).is_symlink() and is_protected(workspace, file, protected):
                raise ToolError(f"{shown} must not be changed.", "Leave it where it is.")
    return held


def _files_in(workspace: Workspace, inside: Path) -> list[str]:
    """Files and links in a folder, by their paths in the workspace."""
    above = f"{printable(inside.as_posix())}/" if inside.name else ""
    return [path for path, _, _ in walk(workspace.path, MOST_FILES) if path.startswith(above)]
