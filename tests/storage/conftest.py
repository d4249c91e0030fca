"""Revisions on the session's real Postgres, and a workspace for them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from replan.storage.database import Database
from replan.storage.persistence import open_persistence
from replan.storage.revisions import Revisions


@pytest.fixture
async def revisions(database: Database) -> AsyncIterator[Revisions]:
    async with open_persistence(database) as kept:
        yield Revisions(kept.pool)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "workspace"
    made.mkdir()
    return made
