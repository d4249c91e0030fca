"""Revisions on the session's real Postgres, and a workspace for them."""

import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from uuid import uuid4

import pytest

from replan.storage.database import Database
from replan.storage.known_folder import known_folder
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


def content_of(folder: Path) -> dict[str, tuple[int, bytes | str]]:
    """Mode and content of everything in a folder, by path."""
    found: dict[str, tuple[int, bytes | str]] = {}
    for path in sorted(folder.rglob("*")):
        name, mode = os.fsdecode(path.relative_to(folder)), path.lstat().st_mode & 0o777
        if path.is_symlink():
            found[name] = (0, str(path.readlink()))
        else:
            found[name] = (mode, "" if path.is_dir() else path.read_bytes())
    return found


@pytest.fixture
def content() -> Callable[[Path], dict[str, tuple[int, bytes | str]]]:
    return content_of


@pytest.fixture
def thread() -> str:
    return str(uuid4())


def as_another_process() -> None:
    """What this process knows of folders is forgotten."""
    known_folder.cache_clear()


@pytest.fixture
def forget() -> Callable[[], None]:
    return as_another_process
