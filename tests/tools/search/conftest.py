import os

import pytest

from replan.state.settings import settings


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch):
    """The services are local: nothing goes through a proxy, no setting stays."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name.startswith("SEARXNG_"):
            monkeypatch.delenv(name)
    settings.cache_clear()
    yield
    settings.cache_clear()
