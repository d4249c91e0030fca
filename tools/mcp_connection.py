"""One MCP server of one run: started when it is needed, called, and started anew when it is gone.

A session has to be opened and closed by the same asyncio task, so each has an owner task of its
own. All sessions live on one event loop in a thread of its own: they outlast the node that opened
them, whichever loop it ran on, and starting a server blocks nobody. Everything here runs on that
loop, but for `on_mcp_loop`.
"""

import asyncio
import logging
import os
import threading
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from replan.state.mcp_servers import McpServer
from replan.tools.bounds import clipped
from replan.tools.protocol import ServerEndedError, TimeLimitError, ToolError

if TYPE_CHECKING:
    from langchain_core.messages import ToolMessage
    from langchain_core.tools import BaseTool
    from mcp import ClientSession

ResultT = TypeVar("ResultT")

IDLE_SECONDS = 600.0
_ANEW = "The next call starts it anew."
_CLOSED = -32000  # JSON-RPC's code where the connection was closed
_SILENT = logging.NullHandler()
_CLOSE_SECONDS = 8.0


@lru_cache(maxsize=1)
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="replan-mcp", daemon=True).start()
    return loop


async def on_mcp_loop(work: Coroutine[Any, Any, ResultT]) -> ResultT:
    """Have the work done on the loop of the sessions; cancelling this cancels it there."""
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, _loop()))


class Connection:
    """A server, and its tools by their names there as far as they are known."""

    def __init__(self, name: str, server: McpServer) -> None:
        self.name = name
        self.server = server
        self.tools: dict[str, BaseTool] = {}
        self.tried = False
        self.why_down = ""
        self._owner: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()
        self._starting = asyncio.Lock()
        self._idle: asyncio.TimerHandle | None = None
        self._leaving: set[asyncio.Task[None]] = set()

    @property
    def up(self) -> bool:
        """Whether there is a session, as far as one can tell without using it."""
        return self._owner is not None and not self._owner.done() and not self._stop.is_set()

    async def start(self) -> None:
        """Start the server, unless it is up.

        Raises:
            ToolError: it does not start, or not in its time; the message says why.
        """
        async with self._starting:
            if self.up:
                return
            self._leave()
            self.tried = True
            ready: asyncio.Future[dict[str, BaseTool]] = asyncio.get_running_loop().create_future()
            self._stop = asyncio.Event()
            self._owner = asyncio.create_task(self._own(ready, self._stop))
            try:
                await asyncio.wait([ready])  # `_own` holds to the time
            except asyncio.CancelledError:
                self._owner.cancel()  # it waits for the server, not for being told to stop
                self._leave()
                raise
            if (error := ready.exception()) is not None:
                self.why_down = self.clean(_why(error))
            else:
                self.tools, self.why_down = ready.result(), ""
                self._stay()
                return
            self._leave()
            raise ToolError(
                f"the MCP server {self.name} is not running: {self.why_down}.",
                "Work without it.",
            )

    async def call(self, tool: str, args: dict[str, Any], seconds: float) -> "ToolMessage":
        """Call a tool; a server that is gone is started anew, once.

        Raises:
            ToolError: the server cannot be started, has no such tool, refuses the call, ends in
                the middle of it, or does not answer in time.
        """
        await self.start()
        known = self.tools.get(tool)
        if known is None or self._owner is None:
            raise ToolError(
                f"the MCP server {self.name} has no tool {clipped(tool, 60)!r}.",
                f"It has: {clipped(', '.join(self.tools), 400)}.",
            )
        asked = {"type": "tool_call", "id": "call", "name": known.name, "args": args}
        call, owner = asyncio.ensure_future(known.ainvoke(asked)), self._owner
        call.add_done_callback(_taken_note_of)
        try:
            await asyncio.wait([call, owner], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            call.cancel()
            self._stay()
        if not call.done() or call.cancelled():
            ended, why = owner.done(), self.why_down
            self._leave()
            if not ended:
                raise TimeLimitError(
                    f"the MCP server {self.name} did not answer within {seconds:g} s.", _ANEW
                )
            raise ServerEndedError(
                f"the MCP server {self.name} ended during the call: {why or 'no reason'}.", _ANEW
            )
        if (error := call.exception()) is None:
            return call.result()  # type: ignore[no-any-return]
        if not _still_speaks(error):
            self._leave()
            raise ServerEndedError(f"the MCP server {self.name} ended during the call.", _ANEW)
        said = clipped(self.clean(str(error)), 400)
        raise ToolError(f"the MCP server {self.name} refuses the call: {said}.")

    async def close(self) -> None:
        """End the session, and a server that was started for it."""
        self._leave()
        if self._leaving:
            await asyncio.wait(self._leaving, timeout=2 * _CLOSE_SECONDS)

    def _leave(self) -> None:
        """Begin to end the session; whoever hangs on is cancelled."""
        owner, self._owner = self._owner, None
        self._stop.set()
        if self._idle:
            self._idle.cancel()
        if owner is not None and not owner.done():
            self._leaving.add(owner)
            owner.add_done_callback(self._leaving.discard)
            asyncio.get_running_loop().call_later(_CLOSE_SECONDS, owner.cancel)

    def clean(self, text: str) -> str:
        """The text without the server's secrets."""
        for secret in self.server.secrets():
            text = text.replace(secret, "***")
        return text

    def _stay(self) -> None:
        """Not used for a while, a session is closed; the next call opens it anew."""
        if self._idle:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._stop.set)

    async def _own(self, ready: "asyncio.Future[Any]", stop: asyncio.Event) -> None:
        """Keeps the session open until it is told to stop. Errors go to `ready`, or nowhere."""
        try:
            if missing := self.server.missing():
                raise ToolError(f"the variable {missing[0]} is not set")
            # In a thread, since `langgraph dev` lets no loop import, not even this one.
            await asyncio.to_thread(_import_libraries)
            async with _session(self.server) as session:
                from langchain_mcp_adapters.tools import load_mcp_tools

                limit = self.server.start_seconds
                try:
                    # Not around the start of the process: the library leaks, cancelled there.
                    async with asyncio.timeout(limit):
                        await session.initialize()
                        tools = await load_mcp_tools(session, server_name=self.name)
                except TimeoutError:
                    ready.set_exception(ToolError(f"it did not start within {limit:g} s"))
                    return
                ready.set_result({tool.name: tool for tool in tools})
                await stop.wait()
        except BaseException as error:
            if not ready.done():
                ready.set_exception(error if isinstance(error, Exception) else ToolError("ended"))
            elif asyncio.current_task() is self._owner:
                self.why_down = self.clean(_why(error))


def _import_libraries() -> None:
    import httpx  # noqa: F401
    import jsonschema  # noqa: F401
    import langchain_core.utils.json_schema  # noqa: F401
    import langchain_mcp_adapters.tools  # noqa: F401


@asynccontextmanager
async def _session(server: McpServer) -> "AsyncIterator[ClientSession]":
    """A session, not yet initialised."""
    from langchain_mcp_adapters.sessions import create_session
    from mcp import ClientSession, StdioServerParameters
    from mcp.client.stdio import stdio_client

    # What the library logs can hold what a server sent.
    logging.getLogger("mcp").addHandler(_SILENT)
    if server.url:
        headers = server.filled(server.headers)
        async with create_session(
            {"transport": "streamable_http", "url": server.url, "headers": headers}
        ) as session:
            yield session
        return
    started = StdioServerParameters(
        command=server.command,
        args=server.args,
        env=server.filled(server.env),
        cwd=server.cwd or None,
    )
    # The server's own messages would come in between ours, and may hold its secrets.
    with Path(os.devnull).open("w") as nowhere:  # noqa: ASYNC230
        async with (
            stdio_client(started, errlog=nowhere) as (read, write),
            ClientSession(read, write) as session,
        ):
            yield session


def _taken_note_of(call: "asyncio.Future[Any]") -> None:
    """An error of a call that nobody waits for any more is no news."""
    if not call.cancelled():
        call.exception()


def _still_speaks(error: BaseException) -> bool:
    """Whether the server answered, though not with a result that can be used."""
    from mcp import McpError

    if isinstance(error, McpError):
        return error.error.code != _CLOSED and error.error.message != "Session terminated"
    # What the adapters cannot convert.
    return isinstance(error, NotImplementedError | ValueError | TypeError)


def _why(error: BaseException) -> str:
    """Why a server does not run, in a few words. Only what is surely no secret is told."""
    import anyio
    import httpx

    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, ToolError):
        return error.what
    if isinstance(error, ImportError):
        return "the extra is missing: pip install 'replan[mcp]'"
    if isinstance(error, FileNotFoundError | PermissionError | NotADirectoryError):
        return f"its command or folder cannot be used ({error.strerror})"
    if isinstance(error, httpx.HTTPStatusError):
        return f"it answers with HTTP {error.response.status_code}"
    if isinstance(error, httpx.HTTPError):
        return f"it cannot be reached ({type(error).__name__})"
    ended = (OSError, anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream)
    if "closed" in str(error).lower() or isinstance(error, ended):
        return "it ended"
    return f"it failed ({type(error).__name__})"
