import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from replan.models import chat
from replan.state.settings import settings

Configure = Callable[..., None]


@pytest.fixture(autouse=True)
def own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Nothing of the machine: no keys, no proxy, no .env file, a cache folder of its own."""
    for name in list(os.environ):
        ours = name.startswith(("OPENAI_", "REPLAN_MODEL", "HF_"))
        if ours or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("REPLAN_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(chat, "_opened", {})
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch) -> Configure:
    """Sets environment variables, which the settings then show."""

    def set_all(**variables: object) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, str(value))
        settings.cache_clear()

    return set_all
