"""From options to the context of a run."""

import errno
from pathlib import Path

import psycopg
import pytest

from replan.cli.settle import Errand, complain, context_from, from_outside, overrides
from replan.state.errors import DatabaseError, ReplanError, SettingError


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
        ("workspace=a", "Settings: best_of, documents, max_attempts"),
        ("max_steps=", "--set takes NAME=VALUE"),
    ],
)
def test_what_means_nothing(pair: str, said: str) -> None:
    with pytest.raises(SettingError) as raised:
        context_from(given(pair))
    assert said in str(raised.value)


def test_a_full_disk_is_found_behind_what_it_led_to() -> None:
    broken = psycopg.OperationalError("the connection is lost")
    assert "stopped answering" in str(from_outside(broken, True))
    broken.__context__ = psycopg.errors.DiskFull("could not extend file")
    found = from_outside(broken, True)
    assert isinstance(found, DatabaseError)
    assert "the disk of the database is full" in found.what


def test_without_a_run_there_is_nothing_to_go_on_with() -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    assert "resume" not in str(from_outside(full, False))
    assert "resume" in str(from_outside(full, True))


def test_the_line_names_the_thread_and_once_begun_how_it_goes_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    back = ReplanError("it is gone.", "Go on with: replan resume THREAD.")
    down = ReplanError("nothing answers.", "Look at THREAD.")
    for error, errand, said in (
        (back, Errand("7"), "it is gone. Go on with: replan resume 7"),
        (back, Errand("7", True), "it is gone. Go on with: replan resume 7"),
        (down, Errand("7"), "nothing answers. Look at THREAD."),
        (down, Errand("7", True), "nothing answers. Look at THREAD. Go on with: replan resume 7"),
        (down, None, "nothing answers. Look at THREAD."),
    ):
        complain(error, errand)
        assert capsys.readouterr().err == f"replan: {said}\n"
