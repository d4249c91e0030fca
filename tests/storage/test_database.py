"""Which database is used, and what is said when it cannot be."""

import asyncio
import socket
from collections.abc import Iterator

import psycopg
import pytest

from replan.state.errors import DatabaseError
from replan.state.settings import settings
from replan.storage.database import Database, open_database


@pytest.fixture(autouse=True)
def fresh_settings() -> Iterator[None]:
    yield
    settings.cache_clear()


def use(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    settings.cache_clear()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def test_the_embedded_one_has_pgvector(database: Database) -> None:
    assert database.kind == "embedded"
    assert database.place == "embedded"
    assert int(database.server_version.split(".")[0]) >= 16
    assert database.vector_version.startswith("0.")
    with psycopg.connect(database.url) as connection:
        near = connection.execute("SELECT '[1,2]'::vector <-> '[1,4]'::vector").fetchone()
    assert near == (2.0,)


async def test_database_url_is_used_with_an_sqlalchemy_scheme_too(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, database.url.replace("postgresql://", "postgresql+psycopg://"))
    found = await open_database()
    assert found.kind == "url"
    assert found.vector_version == database.vector_version


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://me:hush@127.0.0.1:{port}/mine", r"127\.0\.0\.1:\d+/mine .*nothing listens"),
        (
            "postgresql://me:hu@hush@127.0.0.1:{port}/mine",
            "The database at DATABASE_URL cannot be used: the host is unknown.*%40",
        ),
        ("postgresql://me:hush@no-such-host.invalid/mine", "the host is unknown"),
        ("postgresql://me:hush/7@127.0.0.1:{port}/mine", "DATABASE_URL cannot .*Percent-encode"),
        ("mysql://me:hush@127.0.0.1/mine", "not a connection string"),
    ],
)
async def test_a_database_that_does_not_answer_is_named_without_its_password(
    monkeypatch: pytest.MonkeyPatch, url: str, said: str
) -> None:
    use(monkeypatch, url.format(port=free_port()))
    with pytest.raises(DatabaseError, match=said) as raised:
        await open_database()
    assert "hush" not in str(raised.value)
    assert "\n" not in str(raised.value)
    assert raised.value.exit_code == 2


async def test_a_silent_server_is_given_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        use(monkeypatch, f"postgresql://me:hush@127.0.0.1:{port}/mine?connect_timeout=2")
        with pytest.raises(DatabaseError, match="no answer in time"):
            async with asyncio.timeout(8):
                await open_database()


async def test_a_database_without_pgvector_says_what_to_ask_for(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("CREATE ROLE guest LOGIN")
        connection.execute("CREATE DATABASE bare")
    guest = database.url.replace("postgres@/postgres", "guest@/bare")
    use(monkeypatch, guest)
    with pytest.raises(DatabaseError, match="CREATE EXTENSION vector"):
        await open_database()
    use(monkeypatch, guest.replace("bare", "absent"))
    with pytest.raises(DatabaseError, match="does not exist"):
        await open_database()
    use(monkeypatch, guest.replace("guest@", "postgres@"))
    both = await asyncio.gather(open_database(), open_database())  # It is made, at once by two.
    assert {found.vector_version for found in both} == {database.vector_version}


async def test_the_embedded_one_is_not_to_be_asked_with_psql(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    url = "postgresql://postgres@127.0.0.1:9/postgres"
    monkeypatch.setattr("replan.storage.database._start_embedded", lambda progress: url)
    settings.cache_clear()
    with pytest.raises(DatabaseError, match=r"embedded database.*REPLAN_HOME") as raised:
        await open_database()
    assert "DATABASE_URL" not in str(raised.value)
