"""The way on which code in the sandbox calls tools: this side of a pair of sockets.

What comes from there is untrusted. A message is bounded before it is read, has to be a call and
nothing else, and one that is not ends the channel. One call is made at a time, so that code that
does not take its answers is not read from any further.
"""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from replan.tools.sandbox.functions import LENGTH_BYTES

# What is written into a file goes through here.
MOST_BYTES = 1_000_000
_DEEP = "the JSON is too deep"


@dataclass(frozen=True)
class Function:
    """A tool as code sees it: the function's name, the tool's, its arguments in order."""

    function: str
    tool: str
    arguments: Sequence[str]
    description: str


@dataclass(frozen=True)
class Answer:
    """What a call gives: its text, or why it failed."""

    ok: bool
    text: str


class Asked(BaseModel):
    """The one message that code may send."""

    model_config = ConfigDict(extra="forbid", strict=True)

    tool: str
    args: dict[str, Any]


Make = Callable[[str, dict[str, Any]], Awaitable[Answer]]


class BadMessageError(Exception):
    """What came from the sandbox is no call."""


class CallChannel:
    """An open channel.

    Attributes:
        handle: the file descriptor that the process in the sandbox inherits.
        broken: why it was ended before the code was, "" when it was not.
    """

    def __init__(self, handle: int) -> None:
        self.handle = handle
        self.broken = ""

    async def serve(
        self,
        functions: Sequence[Function],
        make: Make,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        """Answer one call after the other until the other side closes, or sends what is none."""
        try:
            await _send(writer, [vars(one) for one in functions])
            while (asked := await _next(reader)) is not None:
                await _send(writer, vars(await make(asked.tool, asked.args)))
        except BadMessageError as error:
            self.broken = str(error)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # The code has ended.
        finally:
            writer.close()


@asynccontextmanager
async def call_channel(functions: Sequence[Function], make: Make) -> AsyncIterator[CallChannel]:
    """A channel that is served until the block ends; a call that is under way then is cancelled.

    Args:
        functions: what code finds.
        make: carries a call out. BadMessageError ends the channel; what else it raises, the block.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        reader, writer = await asyncio.open_connection(sock=ours)
        channel = CallChannel(theirs.fileno())
        serving = asyncio.create_task(channel.serve(functions, make, reader, writer))
        try:
            yield channel
        finally:
            serving.cancel()
            await asyncio.wait({serving})
            failed = None if serving.cancelled() else serving.exception()
            with suppress(ConnectionError):
                await writer.wait_closed()
    if failed is not None:
        raise failed


async def _next(reader: asyncio.StreamReader) -> Asked | None:
    """The next call; None when the other side has closed.

    Raises:
        BadMessageError: it is none.
    """
    try:
        length = int.from_bytes(await reader.readexactly(LENGTH_BYTES), "little")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise BadMessageError("a message broke off") from None
        return None
    if length > MOST_BYTES:
        raise BadMessageError(f"a call has {length:,} bytes, and may have {MOST_BYTES:,}")
    body = await reader.readexactly(length)
    try:
        return await asyncio.to_thread(_read, body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"]))[:60]
        raise BadMessageError(f"a message is no call: {where or 'it'}: {first['msg']}") from None
    except (ValueError, RecursionError) as error:
        why = _DEEP if isinstance(error, RecursionError) else "it is no JSON"
        raise BadMessageError(f"a message is no call: {why}") from None


def _read(body: bytes) -> Asked:
    # Its numbers are those of JSON: no infinities, and none of a million digits.
    return Asked.model_validate(json.loads(body, parse_constant=_no_number))


def _no_number(name: str) -> None:
    raise ValueError(name)


async def _send(writer: asyncio.StreamWriter, value: Any) -> None:
    data = json.dumps(value).encode()
    writer.write(len(data).to_bytes(LENGTH_BYTES, "little") + data)
    await writer.drain()
