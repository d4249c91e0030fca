"""Which texts hold one of the configured keys or passwords."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from mcp_settings import SECRET, mcp_settings

from replan.state.secret_values import holds_secret, secret_values
from replan.state.settings import settings


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("OPENAI_API_KEY", "sk-0123456789", "sk-0123456789"),
        ("TAVILY_API_KEY", "tvly-0123456789", "tvly-0123456789"),
        ("DATABASE_URL", "postgresql://me:open%40sesame@there:5432/mine", "open@sesame"),
        ("DATABASE_URL", "postgresql+psycopg://me:open%40sesame@there/mine", "open%40sesame"),
        ("DATABASE_URL", "host=there password=opensesame dbname=mine", "opensesame"),
        ("DATABASE_URL", r"host=there password = 'open \'sesame'", "open 'sesame"),
        ("OPENAI_BASE_URL", "https://me:opensesame@there/v1", "opensesame"),
    ],
)
def test_a_key_or_password_is_found(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, secret: str
) -> None:
    assert not holds_secret(f"The key is {secret}.")
    monkeypatch.setenv(name, value)
    settings.cache_clear()
    assert holds_secret(f"The key is {secret}.")
    assert not holds_secret("The key is in the safe of there, me and mine.")


def test_what_is_no_secret_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://[half an address")
    monkeypatch.setenv("DATABASE_URL", "postgresql://postgres:postgres@localhost/postgres")
    settings.cache_clear()
    assert secret_values() == []


def test_what_mcp_servers_are_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with mcp_settings(monkeypatch, tmp_path):
        assert holds_secret(f"its token is {SECRET}")
