"""The folder that a replay looks at in place of the workspace: what it held, step by step."""

import asyncio
from pathlib import Path

from replan.storage.manifest import Manifest
from replan.storage.restore import turn_into
from replan.storage.revisions import Revision, Revisions


class ReplayedFolder:
    """A folder of our own that becomes one revision after another; only differences are written.

    Args:
        path: an empty folder.
        revisions: where the revisions are.

    Attributes:
        revision: the one it holds; "" while empty.
        missing: paths that no revision so far held, and why.
    """

    def __init__(self, path: Path, revisions: Revisions) -> None:
        self.path = path
        self.revision = ""
        self.missing: dict[str, str] = {}
        self._revisions = revisions
        self._now: Manifest = {}
        self._loaded: dict[str, Revision] = {}
        self._lock = asyncio.Lock()

    async def become(self, revision: str) -> None:
        """Hold that revision; "" leaves it as it is.

        Raises:
            RevisionError: it is not there any more.
        """
        async with self._lock:
            if not revision or revision == self.revision:
                return
            target = await self._load(revision)
            await turn_into(self._revisions, target, self.path, self._now)
            self._now, self.revision = target.manifest, revision
            self.missing |= target.left_out

    async def missing_since(self, before: str, after: str) -> dict[str, str]:
        """What a revision lacks and the one before it did not."""
        if not after or before == after:
            return {}
        known = (await self._load(before)).left_out if before else {}
        lacks = (await self._load(after)).left_out
        return {path: why for path, why in lacks.items() if path not in known}

    async def _load(self, revision: str) -> Revision:
        if revision not in self._loaded:
            latest = list(self._loaded)[-1:]
            self._loaded = {name: self._loaded[name] for name in latest}
            self._loaded[revision] = await self._revisions.load(revision)
        return self._loaded[revision]
