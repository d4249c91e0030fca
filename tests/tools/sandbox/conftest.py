import functools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import replan.tools.sandbox.environment as environments
from replan.state.settings import settings

HERE = Path(__file__).parent
NOBODY = 65534
# In a mount namespace of its own, the closed folder above the interpreter is an open one that
# holds nothing else.
OPEN_UP = """\
set -e
if [ -n "$CLOSED" ]; then
    mkdir -p "$SHADOW/$INNER"
    chmod -R 0755 "$SHADOW"
    mount --bind "$CLOSED/$INNER" "$SHADOW/$INNER"
    mount --rbind "$SHADOW" "$CLOSED"
fi
exec setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
"""


def _closed_above(folder: Path) -> Path | None:
    closed = [place for place in folder.parents if not place.stat().st_mode & 0o001]
    return closed[-1] if closed else None


@pytest.fixture(scope="session")
def open_cache() -> Iterator[Path]:
    """A cache folder that every user can read, with the sandbox's environment in it."""
    made = Path(tempfile.mkdtemp(prefix="replan-cache-"))
    made.chmod(0o755)
    before = settings().replan_cache
    settings().replan_cache = made
    environments.python_environment()
    settings().replan_cache = before
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="session")
def run_as(open_cache: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a Python program of this folder as a user."""

    @functools.lru_cache
    def run(user: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *arguments]
        told = {
            "PATH": os.environ["PATH"],
            "REPLAN_CACHE": str(open_cache),
            "AGENT_KEY": "s3cret",
            "HOME": "/nonexistent",
        }
        scratch = tempfile.mkdtemp(prefix="replan-user-")
        if user == "ordinary" and os.geteuid() == 0:
            closed = _closed_above(Path(sys.base_prefix).resolve())
            if closed:
                inner = Path(sys.base_prefix).resolve().relative_to(closed)
                told.update(CLOSED=str(closed), INNER=str(inner), SHADOW=f"{scratch}/shadow")
            command = ["unshare", "--mount", "sh", "-c", OPEN_UP, "sh", *command]
            os.chown(scratch, NOBODY, NOBODY)
            Path(scratch).chmod(0o755)
        told["TMPDIR"] = scratch
        try:
            return subprocess.run(
                command, cwd=HERE, env=told, capture_output=True, text=True, timeout=150
            )
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    return run
