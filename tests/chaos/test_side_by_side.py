"""Killed while tasks work side by side, or while their files are joined: nothing is lost."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from chaos.kills import KEY, Chaos, Death, Ended, differences, scripted

from replan.storage.database import Database


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def chaos(
    database: Database, home: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Chaos]:
    with scripted() as server:
        variables = {
            "OPENAI_BASE_URL": server.url,
            "OPENAI_API_KEY": KEY,
            "DATABASE_URL": database.url,
            "REPLAN_HOME": str(home),
        }
        yield Chaos(tmp_path_factory.mktemp("chaos"), variables, lambda: database.url)


@pytest.fixture(scope="module")
def undisturbed(chaos: Chaos) -> Ended:
    """The first two of its tasks are independent."""
    ended = chaos.undisturbed()
    assert (ended.values["status"], ended.values["copies"]) == ("done", {})
    return ended


@pytest.mark.parametrize("moments", [(4, 3, 2), (11,)])
def test_what_each_has_done_is_there_and_made_once(
    chaos: Chaos, undisturbed: Ended, home: Path, moments: tuple[int, ...]
) -> None:
    ended = chaos.run([Death("moment", moment) for moment in moments])
    assert ended.kills == len(moments)
    assert differences(ended, undisturbed) == []
    assert list((home / "workspaces").glob("*.copies")) == []
