"""A three-way merge of manifests: what several copies of a folder changed, brought together.

A path that one side changed is taken from it, and the same change made twice is one. Different
changes of one path are a conflict: what is there already stays, and the version that comes later
is kept under `KEPT`. Content and mode of a file are merged apart; lines within a file are not.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TypeVar

from replan.storage.manifest import Entry, Manifest

# Hidden, so that neither tests nor imports find the versions in it by chance.
KEPT = ".conflicts"
_FOLDER = Entry("folder", 0o755, "")
Part = TypeVar("Part")
_PART_CHARS = 40


@dataclass(frozen=True)
class Conflict:
    """A path that one side would make something else of than what is there.

    Attributes:
        path: the path, in the manifest's spelling.
        side: name of the side whose version was not taken.
        other: name of the side whose version it is against; "" where no side is known.
        kept: where the version that was not taken is; "" where it has no content: the path was to
            be removed, to become a folder, or to get another mode.
    """

    path: str
    side: str
    other: str = ""
    kept: str = ""


class Merging:
    """A manifest that takes in one side after another.

    Args:
        now: the manifest to begin with; it is not changed.

    Attributes:
        manifest: what has come of it.
        conflicts: of all sides so far, in their order.
    """

    def __init__(self, now: Mapping[str, Entry]) -> None:
        self.manifest: Manifest = dict(now)
        self.conflicts: list[Conflict] = []
        self._from: dict[str, str] = {}
        self._below = Counter(_above(path) for path in now)

    def take_in(self, side: str, base: Mapping[str, Entry], theirs: Mapping[str, Entry]) -> None:
        """Merge what a side changed.

        Args:
            side: its name.
            base: what it began with.
            theirs: what it has made of it.
        """
        changed = [
            path for path in base.keys() | theirs.keys() if base.get(path) != theirs.get(path)
        ]
        gone = sorted((path for path in changed if path not in theirs), reverse=True)
        for path in gone:  # What is in a folder before the folder.
            self._remove(side, path, base[path])
        for path in sorted(path for path in changed if path in theirs):
            self._set(side, path, base.get(path), theirs[path], theirs)

    def _remove(self, side: str, path: str, before: Entry) -> None:
        now = self.manifest.get(path)
        if now is None:
            return
        if before.kind == now.kind == "folder":
            if not self._below[path]:  # Otherwise another side has put something into it.
                self._drop(side, path)
        elif now == before:
            self._drop(side, path)
        else:
            self._conflict(side, path, None)

    def _set(
        self, side: str, path: str, before: Entry | None, new: Entry, theirs: Mapping[str, Entry]
    ) -> None:
        now = self.manifest.get(path)
        merged = _merged(before, now, new)
        if merged is None or not self._has_room(path, merged):
            self._conflict(side, path, new)
        elif merged != now:
            for above in _all_above(path):
                if above not in self.manifest:
                    self._put(side, above, theirs.get(above, _FOLDER))
            self._put(side, path, merged)

    def _has_room(self, path: str, entry: Entry) -> bool:
        """Whether only folders are above it, and nothing is below it that is to be no folder."""
        above = (self.manifest.get(folder) for folder in _all_above(path))
        if any(one is not None and one.kind != "folder" for one in above):
            return False
        return entry.kind == "folder" or not self._below[path]

    def _conflict(self, side: str, path: str, new: Entry | None) -> None:
        now = self.manifest.get(path)
        kept = ""
        if new is not None and new.kind != "folder" and (now is None or now.content != new.content):
            kept = self._keep(side, path, new)
        self.conflicts.append(Conflict(path, side, self._other(path), kept))

    def _keep(self, side: str, path: str, new: Entry) -> str:
        """Put the version where it is in nobody's way, beside one that was kept before."""
        number = 1
        while True:
            top = KEPT if number == 1 else f"{KEPT}.{number}"
            place = f"{top}/{as_part(side)}/{path}"
            there = self.manifest.get(place)
            if there is not None and there.content == new.content:
                return place
            if there is None and self._has_room(place, new):
                break
            number += 1
        for above in _all_above(place):
            if above not in self.manifest:
                self._put(side, above, _FOLDER)
        self._put(side, place, new)
        return place

    def _other(self, path: str) -> str:
        """The side that made the path, or what is above or below it, what it is."""
        places = [path, *_all_above(path)]
        places += [place for place in self._from if place.startswith(f"{path}/")]
        return next((self._from[place] for place in places if place in self._from), "")

    def _put(self, side: str, path: str, entry: Entry) -> None:
        if path not in self.manifest:
            self._below[_above(path)] += 1
        self.manifest[path] = entry
        self._from[path] = side

    def _drop(self, side: str, path: str) -> None:
        del self.manifest[path]
        self._below[_above(path)] -= 1
        self._from[path] = side


def _merged(before: Entry | None, now: Entry | None, new: Entry) -> Entry | None:
    """What comes of an entry that one side has made new; None where it cannot be both."""
    if now in (before, new):
        return new
    if now is None:
        return None
    if now.kind == new.kind == "folder":
        return new if before is not None and now.mode == before.mode else now
    if before is None or not before.kind == now.kind == new.kind == "file":
        return None
    content = _either(before[2:], now[2:], new[2:])
    mode = _either((before.mode,), (now.mode,), (new.mode,))
    if content is None or mode is None:
        return None
    return Entry("file", mode[0], *content)


def _either(before: Part, now: Part, new: Part) -> Part | None:
    """The one that is not as it was before, None where both are, and differ."""
    if now in (before, new):
        return new
    return now if new == before else None


def as_part(name: str) -> str:
    """A side's name as a part of a path."""
    return re.sub(r"[^\w.-]", "_", name).lstrip(".")[:_PART_CHARS] or "_"


def _above(path: str) -> str:
    return path.rpartition("/")[0]


def _all_above(path: str) -> Iterator[str]:
    """The folders that a path is in, from the top down."""
    return (str(folder) for folder in list(PurePosixPath(path).parents)[-2::-1])
