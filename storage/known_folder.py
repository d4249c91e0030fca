"""What this process knows of a folder: stamps of its files, and what was stored of it last."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from pathlib import Path

from replan.storage.folder_scan import (
    Known,
    Limits,
    Look,
    ReadFile,
    Stamp,
    Walk,
    ignored_by,
    open_root,
    read_file,
)
from replan.storage.manifest import Manifest

_BATCH_BYTES = 16_000_000
_BATCH_FILES = 2000


@dataclass
class KnownFolder:
    """What this process knows of a folder: its files' stamps, and what was stored last."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    known: Known = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    base: int | None = None
    base_manifest: Manifest = field(default_factory=dict)
    last: str = ""
    last_thread: str = ""
    last_manifest: Manifest = field(default_factory=dict)
    last_left_out: dict[str, str] = field(default_factory=dict)


@lru_cache(maxsize=64)
def known_folder(folder: Path, database: str, loop: int) -> KnownFolder:
    """Kept between nodes: each makes its own `Revisions`."""
    return KnownFolder()


@dataclass
class FreshFiles:
    """What a look found, and the first of the files that have to be read, as they were read.

    `batch` are the paths that were tried, `rest` those still to be read, with their stamps.
    """

    look: Look
    batch: list[str]
    read: list[ReadFile]
    rest: Iterator[tuple[str, Stamp]]


def look_and_read(here: KnownFolder, folder: Path, limits: Limits) -> FreshFiles:
    """Look at the folder, and read the first batch of what is new in it: mostly all. Blocking.

    Raises:
        WorkspaceError: it is not there.
        SettingError: a pattern of what is ignored means nothing.
    """
    look = look_at(here, folder, limits)
    rest = iter(list(look.fresh.items()))
    batch = batch_of(rest)
    read = read_all(folder, batch, look, limits.file_bytes) if batch else []
    return FreshFiles(look, batch, read, rest)


def look_at(here: KnownFolder, folder: Path, limits: Limits) -> Look:
    """What is new, changed, gone or left out in the folder. Blocking.

    Raises:
        WorkspaceError: it is not there.
        SettingError: a pattern of what is ignored means nothing.
    """
    ask_again = here.limits != limits
    ignored = ignored_by(limits.ignore)
    look = Walk(folder, here.known, ignored, limits.file_bytes, ask_again).look()
    _fit(here.known, look, limits.total_bytes)
    return look


def _fit(known: Known, look: Look, total_bytes: int) -> None:
    """Leave out the largest files until the rest fits."""
    if (
        sum(entry.size for _, entry in known.values())
        + sum(stamp[0] for stamp in look.fresh.values())
        <= total_bytes
    ):
        return
    gone = set(look.gone)
    sizes = {path: entry.size for path, (_, entry) in known.items() if path not in gone}
    sizes.update((path, stamp[0]) for path, stamp in look.fresh.items())
    total = sum(sizes.values())
    if total <= total_bytes:
        return
    for path in sorted(sizes, key=lambda path: (-sizes[path], path)):
        if total <= total_bytes:
            return
        total -= sizes[path]
        look.fresh.pop(path, None)
        look.gone.append(path)
        look.left_out[path] = f"all files together are more than {total_bytes / 1e6:,.0f} MB"


def batch_of(fresh: Iterator[tuple[str, Stamp]]) -> list[str]:
    """The next paths, up to a number of bytes and of files; at least one while there are any."""
    batch, room = [], _BATCH_BYTES
    for path, stamp in islice(fresh, _BATCH_FILES):
        batch.append(path)
        room -= stamp[0]
        if room <= 0:
            break
    return batch


def read_all(folder: Path, paths: list[str], look: Look, most_bytes: int) -> list[ReadFile]:
    """Read files; why one is left out is noted in the look. Blocking."""
    read = []
    with open_root(folder) as root:
        for path in paths:
            file = read_file(root, path, most_bytes)
            if isinstance(file, ReadFile):
                read.append(file)
            elif file:
                look.left_out[path] = file
    return read
