"""Deleting files and folders of the workspace."""

import asyncio
import os
import re
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

from replan.state.task import Observation
from replan.tools import beneath
from replan.tools.bounds import clipped
from replan.tools.listing import IGNORED, MOST_FILES, printable, walk
from replan.tools.protocol import CallContext, ToolError, schema
from replan.tools.workspace import Workspace

_DELETING = re.compile(
    r"\b(?:delete[sd]?|deleting|deletion|remove[sd]?|removing|removal|erase[sd]?|erasing|rm)\b"
    r"|\bget(?:ting)? rid of\b|删除|删掉|删去|删了|移除|清除|清理|去除",
    re.IGNORECASE,
)


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

    def told_of(self, goal: str) -> bool:
        """Only where something is to go."""
        return speaks_of_deleting(goal)

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


def speaks_of_deleting(text: str) -> bool:
    """Whether a text, English or Chinese, speaks of deleting or removing something."""
    return bool(_DELETING.search(text))


def _delete(workspace: Workspace, path: str, whole: bool, protected: Sequence[str]) -> str:
    shown = clipped(path, 100)
    inside = workspace.place(path)
    if not inside.name or IGNORED.intersection(inside.parts):
        raise ToolError(f"{shown} is not to be deleted.")
    try:
        seen = beneath.status(workspace.path, inside)
        if seen is None:
            raise FileNotFoundError
        is_folder = stat.S_ISDIR(seen.st_mode)
        held = _files_in(workspace, inside) if is_folder else []
        if not stat.S_ISLNK(seen.st_mode):
            _allow(workspace, shown, [printable(inside.as_posix()), *held], protected)
        if is_folder and any(".git" in names for _, names, _ in os.walk(workspace.path / inside)):
            raise ToolError(f"{shown} holds a repository of git.", "Delete single files in it.")
        count = f"{len(held)} file{'' if len(held) == 1 else 's'}"
        if held and not whole:
            raise ToolError(
                f"{shown} is a folder with {count}.",
                "To delete it with all that is in it, say whole: true.",
            )
        beneath.remove(workspace.path, inside, whole=whole)
    except OSError as error:
        raise workspace.failure(error, path, "be deleted") from error
    return f"deleted the folder {shown} with {count}" if is_folder else f"deleted {shown}"


def _allow(
    workspace: Workspace, shown: str, files: Sequence[str], protected: Sequence[str]
) -> None:
    """Raise when one of the files is protected; a link that leads to one may go."""
    known = set()
    for path in protected:
        with suppress(ToolError):
            known |= {workspace.place(path), workspace.inside(path)}
    if known and any(workspace.place(path) in known for path in files):
        raise ToolError(f"{shown} must not be changed.", "Leave it where it is.")


def _files_in(workspace: Workspace, inside: Path) -> list[str]:
    """Files and links in a folder, by their paths in the workspace."""
    above = f"{printable(inside.as_posix())}/" if inside.name else ""
    return [path for path, _, _ in walk(workspace.path, MOST_FILES) if path.startswith(above)]
