"""Killed at any instant and resumed, a run ends as an undisturbed one. In full: `make chaos`."""

from collections.abc import Iterator

import pytest
from chaos.kills import KEY, Chaos, Death, Ended, differences, instants, scripted

from replan.storage.database import Database

_EVERY = 3


@pytest.fixture(scope="module")
def chaos(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chaos]:
    with scripted() as server:
        variables = {
            "OPENAI_BASE_URL": server.url,
            "OPENAI_API_KEY": KEY,
            "DATABASE_URL": database.url,
        }
        yield Chaos(tmp_path_factory.mktemp("chaos"), variables, lambda: database.url)


@pytest.fixture(scope="module")
def undisturbed(chaos: Chaos) -> Ended:
    ended = chaos.undisturbed()
    assert ended.values["status"] == "done"
    assert ended.files == {"alpha.txt": "alpha\n", "beta.txt": "alphaalpha"}
    assert ended.entries == ["first", "second"]
    return ended


@pytest.mark.parametrize("event", [26])
def test_at_the_boundary_of_a_node(chaos: Chaos, undisturbed: Ended, event: int) -> None:
    ended = chaos.run([Death("event", event)])
    assert ended.kills == 1
    assert differences(ended, undisturbed) == []


def test_in_the_middle_of_calls(chaos: Chaos, undisturbed: Ended) -> None:
    """Behind effects, before they are noted, and behind notes: every third, all in one thread."""
    ended = chaos.run([Death("moment", moment) for moment in range(1, 13, _EVERY)])
    assert ended.kills >= 3
    assert differences(ended, undisturbed) == []


@pytest.mark.parametrize("seed", [1])
def test_at_random_instants(chaos: Chaos, undisturbed: Ended, seed: int) -> None:
    ended = chaos.run(instants(4, 1.0, seed))
    assert ended.kills >= 2
    assert differences(ended, undisturbed) == []
