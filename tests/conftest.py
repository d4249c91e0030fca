"""What many tests share: a REPLAN_HOME of their own and one real embedded Postgres."""

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from replan.state.settings import Settings, settings
from replan.storage.database import Database, open_database
from replan.storage.embedded import release_embedded


def _in_memory() -> str | None:
    """A folder in memory, where there is room: the databases of the tests are many files, which on
    a slow disk take longer to make and to remove than the tests take. None: wherever else.
    """
    shared = Path("/dev/shm")
    try:
        room = shutil.disk_usage(shared).free if os.access(shared, os.W_OK | os.X_OK) else 0
    except OSError:
        room = 0
    return str(shared) if room > _ROOM else None


_ROOM = 4 * 1024**3


@pytest.fixture(scope="session")
def make_home() -> Iterator[Callable[[], Path]]:
    """Make an empty REPLAN_HOME, removed at the end of the session.

    Not under tmp_path: as root the server runs as another user, to whom pytest's folders are
    closed, so that its data would go to /var/lib/replan and stay there.
    """
    made: list[Path] = []

    def make() -> Path:
        home = Path(tempfile.mkdtemp(prefix="replan-test-", dir=_in_memory()))
        home.chmod(0o711)
        made.append(home)
        return home

    yield make
    for home in made:
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def replan_home(make_home: Callable[[], Path]) -> Iterator[Path]:
    """No test sees the user's own folder, database or keys."""
    home = make_home()
    patch = pytest.MonkeyPatch()
    for name in list(os.environ):
        if name == "DATABASE_URL" or name.startswith(("OPENAI_", "TAVILY_", "SEARXNG_", "REPLAN_")):
            patch.delenv(name)
    patch.setenv("REPLAN_HOME", str(home))
    patch.setenv("LANGGRAPH_STRICT_MSGPACK", "true")
    patch.setitem(Settings.model_config, "env_file", None)
    settings.cache_clear()
    yield home
    release_embedded()
    patch.undo()
    settings.cache_clear()


@pytest.fixture(autouse=True)
def own_memories() -> Iterator[None]:
    """What one test's runs learn is not recalled in another's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REPLAN_MEMORY_PROJECT", f"test-{uuid4()}")
        settings.cache_clear()
        yield
    settings.cache_clear()


@pytest.fixture(scope="session")
def database(replan_home: Path) -> Database:
    """The embedded Postgres of this test session, running."""
    return asyncio.run(open_database())


def pytest_configure() -> None:
    """A shell that runs the tests in the background has them, and theirs, ignore Ctrl-C."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
