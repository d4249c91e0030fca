"""Which Postgres is used: `DATABASE_URL`, or the embedded one."""

import asyncio
import os
import re
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

import psycopg
from psycopg.conninfo import conninfo_to_dict

from replan.state.errors import DatabaseError
from replan.state.settings import settings

CONNECT_SECONDS = 5
UNCLEAR = "DATABASE_URL"
ENCODE_IT = "Percent-encode the special characters of its password: @ as %40, / as %2F, : as %3A."
CHECK_IT = "Check it with: psql \"$DATABASE_URL\" -c 'select 1'."
# A column of the last statement of a transaction that another one of this database follows at once:
# its commit does not wait for the disk. The order of commits stands, so nothing that follows is
# ever there without it; what a power cut may cost is the last moment.
UNHURRIED = "set_config('synchronous_commit', 'off', true)"

MAKE_ROOM = "Make sure that there is room in REPLAN_HOME and that it can be written."
REASONS = (
    ("no space left", "its disk is full"),
    ("password authentication failed", "it refuses the user or the password"),
    ("no password supplied", "it wants a password"),
    ("does not exist", "the database or the user does not exist"),
    ("pg_hba.conf", "it does not let this user in from here"),
    ("ssl", "TLS could not be agreed on"),
    ("certificate", "TLS could not be agreed on"),
    ("timeout", "no answer in time"),
    ("timed out", "no answer in time"),
    ("refused", "nothing listens there"),
    ("no such file", "nothing listens there"),
    ("resolve", "the host is unknown"),
    ("name or service", "the host is unknown"),
    ("nodename", "the host is unknown"),
    ("no address", "the host is unknown"),
    ("unreachable", "there is no way to the host"),
    ("too many", "it has no connection left"),
    ("starting up", "it is still starting"),
)


@dataclass(frozen=True)
class Database:
    """A Postgres that answered and has pgvector.

    Args:
        url: connection string; may hold a password, so it is kept out of the repr.
        kind: "embedded", or "url" for a server named by DATABASE_URL.
        server_version: such as "18.4".
        vector_version: version of pgvector, such as "0.8.5".
    """

    url: str = field(repr=False)
    kind: Literal["embedded", "url"]
    server_version: str
    vector_version: str

    @property
    def place(self) -> str:
        """Where it is, in words, without a secret."""
        return _place(self.url) if self.kind == "url" else "embedded"


async def open_database(progress: Callable[[str], None] | None = None) -> Database:
    """Find the database, start it if it is the embedded one, and check that it can be used.

    Args:
        progress: told, in a few words, about what takes longer. May be called from a thread.

    Raises:
        DatabaseError: it is not installed, does not answer, or has no pgvector.
    """
    configured = (await asyncio.to_thread(settings)).database_url
    if configured is None:
        return await _checked(await asyncio.to_thread(_start_embedded, progress), "embedded")
    # SQLAlchemy names the driver in the scheme; the connection is the same.
    url = re.sub(r"^postgres(ql)?\+\w+://", "postgresql://", configured.get_secret_value().strip())
    return await _checked(url, "url")


def warm_up_database() -> None:
    """Begin to start the embedded database in the background, if it is the one to use.

    Returns at once. Whatever goes wrong comes up again, and is reported, in `open_database`.
    One that has to be made first is left alone: that takes longer, and its progress is shown.
    """

    def start() -> None:
        with suppress(Exception):
            if settings().database_url is None and os.name == "posix":
                from replan.storage.embedded import is_initialised, start_embedded

                if is_initialised():
                    start_embedded(None)

    threading.Thread(target=start, daemon=True).start()


def _start_embedded(progress: Callable[[str], None] | None) -> str:
    if os.name != "posix":
        raise DatabaseError(
            "The embedded database runs on Linux and macOS only.",
            "Set DATABASE_URL to a Postgres server that has pgvector.",
        )
    from replan.storage.embedded import start_embedded  # It imports what only these systems have.

    return start_embedded(progress)


async def _checked(url: str, kind: Literal["embedded", "url"]) -> Database:
    try:
        seconds = int(conninfo_to_dict(url).get("connect_timeout") or CONNECT_SECONDS)
    except (
        psycopg.ProgrammingError,
        ValueError,
    ):  # Its text may hold the password: it is not passed on.
        raise DatabaseError(
            "DATABASE_URL is not a connection string.",
            "Write it as postgresql://USER:PASSWORD@HOST:5432/NAME, with special characters "
            "in the password percent-encoded.",
        ) from None
    try:
        connection = await psycopg.AsyncConnection.connect(
            url, autocommit=True, connect_timeout=seconds
        )
    except psycopg.OperationalError as error:
        place = _place(url)
        if kind == "embedded":
            what = f"The embedded database cannot be used: {_reason(error)}."
            raise DatabaseError(what, MAKE_ROOM) from None
        what = f"The database at {place} cannot be used: {_reason(error)}."
        raise DatabaseError(what, ENCODE_IT if place == UNCLEAR else CHECK_IT) from None
    async with connection:
        vector = await _vector_version(connection, _place(url))
        version = connection.info.parameter_status("server_version") or "unknown"
    return Database(url, kind, version.split()[0], vector)


async def _vector_version(connection: psycopg.AsyncConnection, place: str) -> str:
    """The version of pgvector in the database, which is added if it may be."""
    if version := await _installed_vector(connection):
        return version
    try:
        await connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
    except (psycopg.errors.UniqueViolation, psycopg.errors.DuplicateObject):
        pass  # Another process created it in this moment.
    except psycopg.errors.InsufficientPrivilege:
        raise DatabaseError(
            f"The database at {place} has no extension vector, and this user may not create it.",
            "Ask its owner to run there: CREATE EXTENSION vector;",
        ) from None
    except psycopg.Error:
        raise DatabaseError(
            f"The database at {place} has no extension vector, and its server does not offer it.",
            "Install pgvector (0.5 or newer) on the server, or unset DATABASE_URL to use the "
            "embedded database.",
        ) from None
    return await _installed_vector(connection) or "unknown"


async def _installed_vector(connection: psycopg.AsyncConnection) -> str | None:
    cursor = await connection.execute("SELECT extversion FROM pg_extension WHERE extname='vector'")
    row = await cursor.fetchone()
    return str(row[0]) if row else None


def _place(url: str) -> str:
    """Host, port and database name, unless parts of a password may have got into them.

    They do where a password holds an unencoded `@`, `/` or `:`.
    """
    parts = {key: str(value) for key, value in conninfo_to_dict(url).items() if value}
    place = f"{parts.get('host', 'localhost')}:{parts.get('port', 5432)}/{parts.get('dbname', '')}"
    return place.rstrip("/") if re.fullmatch(r"[^@]+:\d+/[^@/]*", place) else UNCLEAR


def _reason(error: psycopg.OperationalError) -> str:
    """Why a connection failed, in words of our own: the driver's may repeat the address."""
    text = str(error).lower()
    return next((reason for sign, reason in REASONS if sign in text), "it does not answer")
