"""`replan memory` in this process, on a database and an embedding model of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import psycopg

from replan.storage.database import Database


def database_of_its_own(database: Database) -> str:
    """The address of a new database on the same server, which goes when that does."""
    name = f"own_{uuid4().hex}"
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return database.url.replace("postgres@/postgres", f"postgres@/{name}")


@dataclass(frozen=True)
class MemoryCommands:
    """Calls a command; `inside` is the fixture of that name, `env` the settings."""

    inside: Callable[..., Any]
    env: dict[str, str]

    def __call__(self, *args: str, **env: str) -> Any:
        return self.inside("memory", *args, **{**self.env, **env})

    def add(self, text: str, *args: str) -> str:
        """Adds a memory; gives its id."""
        done = self("add", text, *args, "--json")
        assert done.code == 0, done.err
        return str(done.result["id"])

    def rows(self, *owner: str, **env: str) -> list[dict[str, Any]]:
        """All memories of an owner, ended ones too."""
        done = self("list", "--all", "--limit", "10000", "--json", *owner, **env)
        assert done.code == 0, done.err
        return list(done.result["memories"])
