"""A settings file that names the server of `mcp_server.py`, with a secret in its environment."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from replan.state.settings import settings

SERVER = Path(__file__).with_name("mcp_server.py")
SECRET = "s3cret-0123456789"


def settings_text() -> str:
    return f"""
[mcp.servers.things]
command = "{sys.executable}"
args = ["{SERVER}", "stdio"]
env = {{ GIVEN = "${{THINGS_TOKEN}}" }}
"""


@contextmanager
def mcp_settings(patch: pytest.MonkeyPatch, folder: Path) -> Iterator[str]:
    """The settings in use; yields the secret."""
    file = folder / "settings.toml"
    file.write_text(settings_text())
    patch.setenv("REPLAN_SETTINGS", str(file))
    patch.setenv("THINGS_TOKEN", SECRET)
    settings.cache_clear()
    yield SECRET
    settings.cache_clear()
