"""Which files are beneath a folder, and what is in them: paths and hashes, links not followed."""

import hashlib
import os
import stat
import time
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path, PurePath

from replan.tools.beneath import NotAFileError, folder, opened_at

IGNORED = frozenset({".git", "__pycache__", ".venv", "node_modules", ".pytest_cache"})
MOST_FILES = 20_000
HASHED_BYTES = 50 * 1024 * 1024

# A file written this recently may change again without its time stamps telling.
_SETTLED_NS = 200_000_000

Stamp = tuple[int, int, int, int]


def printable(name: str) -> str:
    """A file name that may hold bytes that are not UTF-8: as surrogates they would break JSON."""
    if name.isascii():
        return name
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def walk(root: Path, limit: int) -> Iterator[tuple[str, int, os.DirEntry[str]]]:
    """Every file and symbolic link: its printable path, its folder's descriptor, its entry.

    At most `limit` of them, out of at most `limit` folders. The descriptor is good until the next
    step. A folder that cannot be read, or is gone, holds nothing.
    """
    count = 0
    waiting = [PurePath()]
    for _ in range(limit):
        if not waiting:
            return
        place = waiting.pop()
        try:
            with folder(root, place, listed=True) as held:
                inner = []
                prefix = "".join(f"{printable(part)}/" for part in place.parts)
                with os.scandir(held) as entries:
                    found = sorted(entries, key=lambda entry: entry.name)
                for entry in found:
                    if entry.name in IGNORED:
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        inner.append(place / entry.name)
                        continue
                    if count == limit:
                        return
                    count += 1
                    yield prefix + printable(entry.name), held, entry
                waiting += reversed(inner)
        except OSError:
            continue


def hashes(root: Path) -> dict[str, str]:
    """sha256 by path; see `Workspace.hashes`."""
    known = _known_hashes(root)
    found: dict[str, str] = {}
    for path, held, entry in walk(root, MOST_FILES):
        value = _hash(known, path, held, entry.name)
        if value:
            found[path] = value
    for path in known.keys() - found.keys():
        known.pop(path, None)
    return found


def hash_one(root: Path, inside: PurePath) -> str:
    """The same value as in `hashes`, of one file; "" when there is none."""
    try:
        with folder(root, inside.parent) as held:
            shown = printable(inside.as_posix())
            return _hash(_known_hashes(root), shown, held, inside.name or ".")
    except OSError:
        return ""


def note_hashes(root: Path, known: Iterable[tuple[str, Stamp, str]]) -> None:
    """Take as known what was hashed elsewhere.

    Args:
        root: the folder; a real path.
        known: path in the spelling of `os.fsdecode`, stamp and sha256 of files of it, that were
            stamped when they could no more change unseen.
    """
    _known_hashes(root).update(
        (printable(path), (stamp, sha256))
        for path, stamp, sha256 in known
        if stamp[0] <= HASHED_BYTES
    )


@lru_cache(maxsize=64)
def _known_hashes(root: Path) -> dict[str, tuple[Stamp, str]]:
    """What was hashed before, shared by all objects for the same folder: nodes make their own."""
    return {}


def _hash(known: dict[str, tuple[Stamp, str]], path: str, held: int, name: str) -> str:
    try:
        seen = os.stat(name, dir_fd=held, follow_symlinks=False)
        if stat.S_ISLNK(seen.st_mode):
            return f"link:{printable(os.readlink(name, dir_fd=held))}"
        if stat.S_ISREG(seen.st_mode) and seen.st_size <= HASHED_BYTES:
            before = known.get(path)
            if before and before[0] == _stamp(seen):
                return before[1]
            with opened_at(held, name) as file:
                seen = os.fstat(file.fileno())
                value = _digest(file.fileno())
        elif stat.S_ISREG(seen.st_mode):
            return f"large:{seen.st_size}:{seen.st_mtime_ns}"
        else:
            return f"special:{stat.S_IFMT(seen.st_mode)}"
    except FileNotFoundError:
        return ""
    except NotAFileError as error:
        return f"special:{error.kind}"
    except OSError as error:
        return f"unreadable:{error.errno}"
    if time.time_ns() - max(seen.st_mtime_ns, seen.st_ctime_ns) > _SETTLED_NS:
        known[path] = (_stamp(seen), value)
    return value


def _stamp(seen: os.stat_result) -> Stamp:
    return (seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino)


def _digest(file: int) -> str:
    """Of at most 50 MB: a file may grow while it is read."""
    digest = hashlib.sha256()
    left = HASHED_BYTES
    while left > 0 and (data := os.read(file, min(left, 1 << 20))):
        digest.update(data)
        left -= len(data)
    return digest.hexdigest()
