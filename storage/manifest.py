"""A manifest: what a workspace holds, path by path, without the content."""

import json
import zlib
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

_LEVEL = 1


class Entry(NamedTuple):
    """One path of a workspace.

    Attributes:
        kind: a regular file, a symbolic link, or a folder.
        mode: permission bits, without setuid, setgid and sticky.
        value: the sha256 of a file's content in hex; where a link points; "" for a folder.
        size: bytes of a file, otherwise 0.
    """

    kind: Literal["file", "link", "folder"]
    mode: int
    value: str
    size: int = 0

    @property
    def content(self) -> tuple[str, str]:
        """What is lost when it is overwritten: a mode is not."""
        return self.kind, self.value


# By path relative to the workspace, with "/", in the spelling of `os.fsdecode`.
Manifest = dict[str, Entry]


def encode(value: Any) -> bytes:
    """Plain JSON, compressed. Names that are not UTF-8 survive as escaped surrogates."""
    return zlib.compress(json.dumps(value, separators=(",", ":")).encode("ascii"), _LEVEL)


def decode(data: bytes) -> Any:
    """What `encode` was given, tuples as lists."""
    return json.loads(zlib.decompress(data))


def difference(base: Mapping[str, Entry], manifest: Mapping[str, Entry]) -> dict[str, Any]:
    """What turns `base` into `manifest`: entries to set, paths to remove."""
    # Entries are mostly the very same objects, which is quicker seen than that they are equal.
    changed = {
        path: entry
        for path, entry in manifest.items()
        if (old := base.get(path)) is not entry and old != entry
    }
    same = len(manifest) == len(base) and all(path in base for path in changed)
    removed = [] if same else [path for path in base if path not in manifest]
    return {"set": changed, "removed": removed}


def whole(manifest: Mapping[str, Entry]) -> dict[str, Any]:
    """A manifest in the form of a difference from nothing."""
    return {"set": dict(manifest), "removed": []}


def applied(base: Mapping[str, Entry], change: Mapping[str, Any]) -> Manifest:
    """The manifest that a decoded difference makes of `base`."""
    manifest = {**base, **{path: Entry(*entry) for path, entry in change["set"].items()}}
    for path in change["removed"]:
        manifest.pop(path, None)
    return manifest
