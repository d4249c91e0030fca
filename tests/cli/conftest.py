"""The real `replan` command with a scripted model server.

`replan` runs it in a process of its own, which costs seconds for its imports; `inside` runs the
same command line in this process, for all that does not depend on signals, pipes or imports.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from embedding_server import EmbeddingServer, embedding_server
from memory_commands import MemoryCommands, database_of_its_own

from replan.cli.main import app
from replan.models.chat import WARMING_UP
from replan.state.settings import settings
from replan.storage.database import Database

KEY = "sk-scripted-0123456789"
SECONDS = 60


@dataclass(frozen=True)
class Ended:
    """What a finished command left behind."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def result(self) -> dict[str, Any]:
        """The one JSON object on standard output."""
        assert self.out.endswith("\n")
        assert self.out.count("\n") == 1, self.out
        value = json.loads(self.out)
        assert isinstance(value, dict)
        return value

    @property
    def complaint(self) -> str:
        """The last line on standard error, which must be the only one that is no progress."""
        lines = self.err.strip().splitlines()
        assert lines, "nothing on standard error"
        assert "Traceback" not in self.err
        assert [line for line in lines[:-1] if not line.startswith("[")] == []
        assert lines[-1].startswith("replan: "), self.err
        return lines[-1]


class Replan:
    """Starts the command, with the settings of the tests and those given."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def start(self, *args: str, **env: str) -> "subprocess.Popen[str]":
        variables = {
            name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")
        }
        return subprocess.Popen(
            [sys.executable, "-m", "replan.cli.main", *args],
            cwd=self.folder,
            env={**variables, "OPENAI_API_KEY": KEY, **env},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )

    def __call__(self, *args: str, input: str | None = None, **env: str) -> Ended:
        began = time.monotonic()
        process = self.start(*args, **env)
        return ended(process, began, input)


def ended(process: "subprocess.Popen[str]", began: float, input: str | None = None) -> Ended:
    """Waits for the command; one that hangs is a failure."""
    try:
        out, err = process.communicate(input, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        pytest.fail(f"the command hangs; so far it said:\n{out}\n{err}")
    return Ended(process.returncode, out, err, time.monotonic() - began)


@pytest.fixture(scope="module")
def replan(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Replan:
    """The command, in an empty folder; the session's database is running."""
    return Replan(tmp_path_factory.mktemp("cli"))


@pytest.fixture
def inside(
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> Iterator[Callable[..., Ended]]:
    """The command line in this process."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def call(*args: str, **env: str) -> Ended:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in {"OPENAI_API_KEY": KEY, **env}.items():
                patch.setenv(name, value)
            settings.cache_clear()
            capfd.readouterr()
            began = time.monotonic()
            with pytest.raises(SystemExit) as exit_:
                app(list(args), prog_name="replan")
            said = capfd.readouterr()
            # What goes on in the background would read these settings into the next command's.
            for thread in threading.enumerate():
                if thread.name == WARMING_UP:
                    thread.join()
        settings.cache_clear()
        code = exit_.value.code
        assert isinstance(code, int)
        return Ended(code, said.out, said.err, time.monotonic() - began)

    yield call
    settings.cache_clear()


@pytest.fixture
def workspace(tmp_path: Path) -> str:
    folder = tmp_path / "workspace"
    folder.mkdir()
    return str(folder)


@pytest.fixture
def thread() -> str:
    return str(uuid4())


@pytest.fixture(scope="module")
def vectors() -> Iterator[EmbeddingServer]:
    """A server of embeddings; set back for every test."""
    with embedding_server() as server:
        yield server


@pytest.fixture(scope="module")
def own_database(database: Database) -> str:
    """For tests that count: nobody else's memories are in it."""
    return database_of_its_own(database)


@pytest.fixture
def memory(
    inside: Callable[..., Ended], own_database: str, vectors: EmbeddingServer
) -> MemoryCommands:
    """The memory commands; the memories of earlier tests are gone."""
    env = {
        "DATABASE_URL": own_database,
        "OPENAI_BASE_URL": vectors.url,
        "OPENAI_EMBEDDING_MODEL": "m",
        "REPLAN_MEMORY_PROJECT": "default",
    }
    vectors.size, vectors.status, vectors.delay = 64, 200, 0.0
    commands = MemoryCommands(inside, env)
    commands.rows()  # makes the tables
    with psycopg.connect(own_database) as connection:
        connection.execute("TRUNCATE store, replan_memory_index CASCADE")
    return commands
