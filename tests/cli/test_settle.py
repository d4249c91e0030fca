"""From options to the context of a run."""

from pathlib import Path

import pytest

from replan.cli.settle import context_from, overrides
from replan.state.errors import SettingError


def given(*pairs: str, sandbox: str | None = None) -> dict[str, object]:
    return overrides(None, pairs, None, None, None, None, sandbox=sandbox)


def test_roles_and_settings_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    context = context_from(given("plan=dag", "max_memory_mb=512", "documents=papers"))
    assert (context.plan, context.max_memory_mb) == ("dag", 512)
    assert context.documents == str(tmp_path / "papers")


def test_what_is_given_replaces_what_the_run_had() -> None:
    before = {"sandbox": "landlock", "max_disk_mb": 7, "plan": "dag"}
    context = context_from(given("max_disk_mb=9", sandbox="bubblewrap"), before)
    assert (context.sandbox, context.max_disk_mb, context.plan) == ("bubblewrap", 9, "dag")


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        ("max_memory_mb=much", "max_memory_mb: Input should be a valid integer"),
        ("max_memory_mb=0", "max_memory_mb: Input should be greater"),
        ("sandbox=none", "sandbox: Input should be 'auto', 'bubblewrap', 'landlock' or 'unsafe'"),
        ("memory=1", "--set takes NAME=VALUE, not 'memory=1'. Roles: recall"),
        ("workspace=a", "Settings: documents, max_attempts"),
        ("max_steps=", "--set takes NAME=VALUE"),
    ],
)
def test_what_means_nothing(pair: str, said: str) -> None:
    with pytest.raises(SettingError) as raised:
        context_from(given(pair))
    assert said in str(raised.value)
