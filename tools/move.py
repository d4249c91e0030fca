"""Moving and renaming files of the workspace."""

import asyncio
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

from replan.state.task import Observation
from replan.tools import beneath
from replan.tools.bounds import named_up_to
from replan.tools.listing import IGNORED, MOST_FILES
from replan.tools.protection import is_protected
from replan.tools.protocol import CallContext, ToolError, schema
from replan.tools.workspace import Workspace

_SHOWN = 8
_PATTERN = "*?["
_MOVE = schema(
    ["files", "to"],
    files={
        "type": "array",
        "minItems": 1,
        "items": {"type": "string", "minLength": 1},
        "description": "names, or patterns such as *.md",
    },
    to={
        "type": "string",
        "minLength": 1,
        "description": "a folder; for a single file also its new name",
    },
)


class MoveFiles:
    """Moves files into folders, or renames one. All moves are made, or none."""

    name = "move_files"
    description = "move or rename files; a pattern such as *.md means many; folders are made"
    parameters: ClassVar[dict[str, Any]] = schema(
        ["moves"], moves={"type": "array", "minItems": 1, "maxItems": 100, "items": _MOVE}
    )
    content = None
    content_language = ""
    repeatable = True

    def unavailable(self) -> str:
        """Always available."""
        return ""

    def subjects(self, args: dict[str, Any], workspace: Workspace) -> list[str]:
        """Every file that is moved, by its old and its new path. Blocking.

        Raises:
            ToolError: the moves cannot be made.
        """
        found: list[str] = []
        for source, target in plan_moves(workspace, args["moves"]).items():
            for file in (source, *_inside(source)):
                place = target / file.relative_to(source) if file != source else target
                found += [workspace.relative(file), workspace.relative(place)]
        return found

    async def call(self, args: dict[str, Any], context: CallContext) -> Observation:
        """Move, and never over a file that is there."""
        text = await asyncio.to_thread(
            _move, context.workspace, args["moves"], tuple(context.protected)
        )
        return Observation(ok=True, text=text)


def _move(workspace: Workspace, moves: list[dict[str, Any]], protected: Sequence[str]) -> str:
    planned = plan_moves(workspace, moves)
    for source, target in planned.items():
        workspace.spare_own_code(source.relative_to(workspace.path), whole=True)
        workspace.spare_own_code(target.relative_to(workspace.path))
        for file in (source, *_inside(source)):
            if not file.is_symlink() and is_protected(workspace, str(file), protected):
                path = workspace.relative(source)
                raise ToolError(f"{path} must not be changed.", "Leave it where it is.")
    _carry_out(workspace, planned)
    by_folder: dict[str, list[str]] = {}
    for source, target in planned.items():
        folder = workspace.relative(target.parent)
        by_folder.setdefault("" if folder == "." else f"{folder}/", []).append(
            source.name if source.name == target.name else f"{source.name} as {target.name}"
        )
    return "\n".join(_told(folder, names) for folder, names in by_folder.items())


def _carry_out(workspace: Workspace, planned: dict[Path, Path]) -> None:
    """All renames, or, when one fails, none: neither files nor new folders remain of them."""
    root = workspace.path
    done: list[tuple[Path, Path]] = []
    made: list[Path] = []
    try:
        for source, target in planned.items():
            old, new = source.relative_to(root), target.relative_to(root)
            made += [up for up in new.parents if not (root / up).exists()][::-1]
            beneath.make_folder(root, new.parent)
            beneath.move(root, old, new)
            done.append((old, new))
    except OSError as error:
        for old, new in reversed(done):
            with suppress(OSError):
                beneath.move(root, new, old)
        for folder in reversed(made):
            with suppress(OSError):
                beneath.remove(root, folder)
        raise ToolError(f"nothing was moved: {error.strerror or error}.") from error


def plan_moves(workspace: Workspace, moves: Sequence[dict[str, Any]]) -> dict[Path, Path]:
    """Where each file goes; files that are there already are left out. Blocking.

    Raises:
        ToolError: nothing matches, two files would have one name, a file is in the way, a path
            leads out of the workspace, or nothing would change.
    """
    planned: dict[Path, Path] = {}
    for move in moves:
        asked, to = [str(one) for one in move["files"]], str(move["to"])
        found = [file for pattern in asked for file in _matching(workspace, pattern)]
        target = workspace.confine(to)
        if IGNORED.intersection(target.relative_to(workspace.path).parts):
            raise ToolError(f"nothing is to be put into {to}.")
        renames = len(found) == 1 and _is_new_name(found[0], target, to, not _is_pattern(asked[0]))
        for file in dict.fromkeys(found):
            place = target if renames else target / file.name
            if place != file:
                _allow(workspace, file, place, planned)
                planned[file] = place
    for file in planned:
        if any(file.is_relative_to(other) for other in planned if other != file):
            raise ToolError(f"{workspace.relative(file)} lies in what is to be moved.")
    if not planned:
        raise ToolError("every file is where it was to be moved: nothing changes.")
    return planned


def _allow(workspace: Workspace, file: Path, place: Path, planned: dict[Path, Path]) -> None:
    shown = workspace.relative(place)
    if planned.get(file, place) != place:
        raise ToolError(f"{workspace.relative(file)} is to be moved to two places.")
    if any(other != file and taken == place for other, taken in planned.items()):
        raise ToolError(f"two files would become {shown}.", "Give them other names.")
    if place.exists() or place.is_symlink():
        raise ToolError(f"{shown} is there already.", "Choose another name or folder.")
    if place.is_relative_to(file):
        raise ToolError(f"{shown} lies in what is to be moved.")
    in_the_way = next((up for up in place.parents if up.is_file()), None)
    if in_the_way is not None:
        raise ToolError(f"{workspace.relative(in_the_way)} is a file, not a folder.")


def _is_new_name(file: Path, target: Path, to: str, named: bool) -> bool:
    """Whether `to` is what the one file shall be called, and not the folder to put it in."""
    if to.endswith("/") or target.is_dir():
        return False
    return (
        file.is_dir()
        or (named and target.suffix[1:].isalpha())
        or target.suffix == file.suffix != ""
    )


def _matching(workspace: Workspace, pattern: str) -> list[Path]:
    """The files that a name or pattern means; a folder only by its name."""
    workspace.confine(pattern)
    named = workspace.path / pattern
    # A link itself is moved, not what it points to; its folder must be the workspace's own.
    place = Path(os.path.realpath(named.parent), named.name)
    if named.exists() or named.is_symlink():
        inside = place.is_relative_to(workspace.path) and ".." not in named.parts
        if not inside or IGNORED.intersection(place.relative_to(workspace.path).parts):
            raise ToolError(f"{pattern} is not to be moved.")
        return [place]
    if not _is_pattern(pattern):
        raise ToolError(f"there is no file {pattern}.", _there(workspace))
    try:
        hidden = pattern.rsplit("/", 1)[-1].startswith(".")
        found = [
            file
            for file in workspace.path.glob(pattern)
            if _movable(workspace, file) and (hidden or not file.name.startswith("."))
        ]
    except (ValueError, NotImplementedError, OSError) as error:
        raise ToolError(f"{pattern!r} is no pattern: {error}.") from error
    if not found:
        raise ToolError(f"no file matches {pattern}.", _there(workspace))
    return sorted(found)[:MOST_FILES]


def _is_pattern(text: str) -> bool:
    return any(mark in text for mark in _PATTERN)


def _movable(workspace: Workspace, file: Path) -> bool:
    if os.path.realpath(file.parent) != str(file.parent):
        return False  # reached through a link
    parts = file.relative_to(workspace.path).parts
    return (file.is_file() or file.is_symlink()) and not IGNORED.intersection(parts)


def _there(workspace: Workspace) -> str:
    if not workspace.path.is_dir():
        return "The workspace itself is gone."
    names = sorted(entry.name for entry in workspace.path.iterdir() if entry.name not in IGNORED)
    return f"There are: {', '.join(names[:20])}." if names else "The workspace is empty."


def _inside(source: Path) -> Iterator[Path]:
    if source.is_dir() and not source.is_symlink():
        yield from (file for file in source.rglob("*") if file.is_file())


def _told(folder: str, names: list[str]) -> str:
    count = f"{len(names)} file{'' if len(names) == 1 else 's'}"
    return f"moved {count} to {folder or 'the workspace'}: {named_up_to(names, _SHOWN)}"
