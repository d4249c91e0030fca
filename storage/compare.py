"""What differs between the files of two revisions."""

import asyncio
import difflib
from dataclasses import dataclass
from typing import Literal

from replan.storage import blobs
from replan.storage.manifest import Entry, Manifest
from replan.storage.revisions import Revisions

_TEXT_BYTES = 1_000_000
_DIFF_FILES = 50
_BINARY_SIGN = b"\0"


@dataclass(frozen=True)
class FileChange:
    """A path whose content, kind or mode differs. `before` and `after` are None where it is not."""

    path: str
    before: Entry | None
    after: Entry | None

    @property
    def shown(self) -> str:
        """The path as text: bytes of a name that are not UTF-8 are written out."""
        return self.path.encode("utf-8", "backslashreplace").decode()

    @property
    def change(self) -> Literal["created", "removed", "changed", "mode"]:
        """What happened to it; `mode` where only the permissions changed."""
        if self.before is None:
            return "created"
        if self.after is None:
            return "removed"
        return "mode" if self.before.content == self.after.content else "changed"


@dataclass(frozen=True)
class FileDiff:
    """A change, with the lines of a unified diff, or why there are none."""

    change: FileChange
    lines: list[str]
    why_not: str = ""


def changes(before: Manifest, after: Manifest) -> list[FileChange]:
    """The differences between two manifests, by path."""
    return [
        FileChange(path, before.get(path), after.get(path))
        for path in sorted(before.keys() | after.keys())
        if before.get(path) != after.get(path)
    ]


async def changed_files(revisions: Revisions, before: str, after: str) -> list[FileChange]:
    """What differs between two revisions; "" is one without files.

    Raises:
        RevisionError: one of them is not there.
    """
    if before == after:
        return []
    old = (await revisions.load(before)).manifest if before else {}
    new = (await revisions.load(after)).manifest if after else {}
    return await asyncio.to_thread(changes, old, new)


async def unified_diffs(revisions: Revisions, found: list[FileChange]) -> list[FileDiff]:
    """A unified diff of every text file among the changes; of the others, a line.

    Raises:
        RevisionError: content of a file is not in the database.
    """
    return [
        await _diff(revisions, change, number < _DIFF_FILES) for number, change in enumerate(found)
    ]


async def _diff(revisions: Revisions, change: FileChange, wanted: bool) -> FileDiff:
    sides = (change.before, change.after)
    if not any(side is not None and side.kind == "file" for side in sides):
        return FileDiff(change, [], " -> ".join(_shown(side) for side in sides if side))
    if change.change == "mode":
        return FileDiff(change, [], " -> ".join(f"{side.mode:o}" for side in sides if side))
    if not wanted:
        return FileDiff(change, [], f"only the first {_DIFF_FILES} files are compared")
    if any(side is not None and side.size > _TEXT_BYTES for side in sides):
        return FileDiff(change, [], f"more than {_TEXT_BYTES / 1e6:.0f} MB")
    names = [side.value for side in sides if side is not None and side.kind == "file"]
    stored = await revisions.content(names)
    return await asyncio.to_thread(_compared, change, stored)


def _compared(change: FileChange, stored: dict[str, tuple[int, bytes]]) -> FileDiff:
    texts: list[list[str]] = []
    for side in (change.before, change.after):
        if side is None or side.kind != "file":
            texts.append([])
            continue
        data = blobs.unpacked(side.value, *stored[side.value])
        if _BINARY_SIGN in data:
            sizes = " -> ".join(
                f"{one.size:,} bytes" for one in (change.before, change.after) if one
            )
            return FileDiff(change, [], f"binary, {sizes}")
        texts.append(data.decode("utf-8", "replace").splitlines())
    path = change.shown
    old = f"a/{path}" if change.before else "/dev/null"
    new = f"b/{path}" if change.after else "/dev/null"
    before, after = texts
    return FileDiff(change, list(difflib.unified_diff(before, after, old, new, lineterm="")))


def _shown(side: Entry) -> str:
    return f"link to {side.value}" if side.kind == "link" else side.kind
