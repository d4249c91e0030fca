"""Deleting files and folders of the workspace."""

import asyncio
import re
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

from replan.state.task import Observation
from replan.tools import beneath
from replan.tools.bounds import clipped
from replan.tools.listing import IGNORED, printable
from replan.tools.protocol import CallContext, ToolError, schema
from replan.tools.trees import everything
from replan.tools.workspace import Workspace

_MOST_FILES = 100_000
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
    repeatable = True

    def unavailable(self) -> str:
        """Always available."""
        return ""

    def told_of(self, goal: str) -> bool:
        """Only where something is to go."""
        return speaks_of_deleting(goal)

    def subjects(self, args: dict[str, Any], workspace: Workspace) -> list[str]:
        """What is deleted: the path, and of a folder every file in it. Blocking.

        Raises:
            ToolError: the path leads out of the workspace, or is not to be deleted.
        """
        inside = _place(workspace, str(args["path"]))
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
    inside = _place(workspace, path)
    workspace.spare_own_code(inside, whole=True)
    try:
        seen = beneath.status(workspace.path, inside)
        if seen is None:
            raise FileNotFoundError
        is_folder = stat.S_ISDIR(seen.st_mode)
        held = _files_in(workspace, inside) if is_folder else []
        if not stat.S_ISLNK(seen.st_mode):
            _allow(workspace, shown, [printable(inside.as_posix()), *held], protected)
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


def _place(workspace: Workspace, path: str) -> Path:
    inside = workspace.place(path)
    if not inside.name or IGNORED.intersection(inside.parts):
        raise ToolError(f"{clipped(path, 100)} is not to be deleted.")
    return inside


def _allow(
    workspace: Workspace, shown: str, files: Sequence[str], protected: Sequence[str]
) -> None:
    """Raise when one of the files is protected; a link that leads to one may go."""
    known: set[str] = set()
    for path in protected:
        with suppress(ToolError):
            places = workspace.place(path), workspace.inside(path)
            known.update(printable(place.as_posix()) for place in places)
    if known.intersection(files):
        raise ToolError(f"{shown} must not be changed.", "Leave it where it is.")


def _files_in(workspace: Workspace, inside: Path) -> list[str]:
    """All files and links in a folder, by their paths in the workspace; none of what is no folder.

    Those that other tools leave out are among them: they would go too.

    Raises:
        ToolError: they are too many, some cannot be seen, or a repository is among them.
    """
    shown = clipped(printable(inside.as_posix()), 100)
    above, found = printable(inside.as_posix()), []
    try:
        seen = beneath.status(workspace.path, inside)
        if seen is None or not stat.S_ISDIR(seen.st_mode):
            return []
        with beneath.folder(workspace.path, inside, listed=True) as held:
            for path, is_folder in everything(held):
                if f"/{path}".endswith("/.git"):
                    raise ToolError(
                        f"{shown} holds a repository of git.", "Delete single files in it."
                    )
                if not is_folder:
                    found.append(f"{above}/{printable(path)}")
                if len(found) > _MOST_FILES:
                    raise ToolError(
                        f"{shown} holds more than {_MOST_FILES:,} files.",
                        "Delete the folders in it one by one.",
                    )
    except OSError as error:
        raise workspace.failure(error, shown, "be looked through") from error
    return sorted(found)
