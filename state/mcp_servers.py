"""The section `[mcp.servers.NAME]` of the settings file: how an MCP server is reached."""

import os
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

_VARIABLE = re.compile(r"\$\{(\w+)\}")
# Shorter ones are no secrets, and to black them out would spoil ordinary text.
_SECRET_CHARS = 6
_SECRET_NAME = re.compile(r"auth|cookie|credential|key|pass|secret|token", re.IGNORECASE)

# No two underscores in a row: they part the server from the tool in `mcp__SERVER__TOOL`.
ServerName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9](?:_?[A-Za-z0-9\-])*$", max_length=24)
]


class McpServer(BaseModel):
    """A server: either a `command` to start, spoken to through its pipes, or a `url`.

    `${VARIABLE}` in `env` and `headers` is taken from the environment, so that no secret stands in
    the file. Nothing else of the environment reaches the server, but for what every program needs
    (PATH, HOME and the like).

    Attributes:
        start_seconds: how long it may take to start and to list its tools.
    """

    # Names and values stay out of errors: they may be secrets.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    transport: Literal["", "stdio", "streamable_http", "http"] = ""
    command: str = ""
    args: list[str] = Field(default_factory=list)
    env: dict[str, str] = Field(default_factory=dict)
    cwd: str = ""
    url: str = ""
    headers: dict[str, str] = Field(default_factory=dict)
    start_seconds: float = Field(30.0, gt=0, le=600)

    @model_validator(mode="after")
    def _one_way(self) -> "McpServer":
        if bool(self.command) == bool(self.url):
            raise ValueError("give either command or url")
        if self.transport and (self.transport == "stdio") != bool(self.command):
            raise ValueError("transport stdio goes with command, streamable_http with url")
        if self.url and not self.url.startswith(("http://", "https://")):
            raise ValueError("url must begin with http:// or https://")
        if self.url and (self.args or self.env or self.cwd):
            raise ValueError("args, env and cwd go with command")
        if self.command and self.headers:
            raise ValueError("headers go with url")
        return self

    def missing(self) -> list[str]:
        """Variables that it wants and the environment does not have."""
        return sorted({name for name in self._wanted() if name not in os.environ})

    def filled(self, values: Mapping[str, str]) -> dict[str, str]:
        """`env` or `headers` with the variables put in."""
        return {
            name: _VARIABLE.sub(lambda found: os.environ.get(found[1], ""), value)
            for name, value in values.items()
        }

    def secrets(self) -> list[str]:
        """What must never be shown, longest first: the variables' values, and what stands in the
        file under a name such as Authorization or API_KEY.
        """
        found = {os.environ.get(name, "") for name in self._wanted()}
        given = {**self.filled(self.env), **self.filled(self.headers)}
        found.update(value for name, value in given.items() if _SECRET_NAME.search(name))
        return sorted((one for one in found if len(one) >= _SECRET_CHARS), key=len, reverse=True)

    def _wanted(self) -> Iterator[str]:
        for value in (*self.env.values(), *self.headers.values()):
            yield from _VARIABLE.findall(value)


class Mcp(BaseModel):
    """The section `[mcp]`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    servers: dict[ServerName, McpServer] = Field(default_factory=dict)
