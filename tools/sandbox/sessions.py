"""The open sessions of this process, one a task, closed when the task ends or after idle time."""

import asyncio
import atexit
import threading
import time
from pathlib import Path

from replan.tools.sandbox.choose import choose
from replan.tools.sandbox.protocol import Confinement
from replan.tools.sandbox.session import LocalSession

_IDLE_SECONDS = 300.0
Key = tuple[str, Path, str, Confinement]


class Sessions:
    """Sessions by name (thread and task), workspace and confinement.

    A session that is gone, closed or lost with an earlier process starts anew when it is asked
    for; its first `Finished` then says `fresh`.
    """

    def __init__(self, idle_seconds: float = _IDLE_SECONDS) -> None:
        self._idle = idle_seconds
        self._open: dict[Key, LocalSession] = {}
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    def of(self, name: str, workspace: Path, confinement: Confinement) -> LocalSession:
        """The session of that name, opened when it is not there. Blocks.

        Raises:
            SandboxError: no sandbox can be used.
        """
        sandbox = choose(confinement.sandbox)
        key = (name, workspace, sandbox.name, confinement)
        with self._lock:
            session = self._open.get(key)
            if session is None or not session.open:
                session = LocalSession(sandbox, workspace, confinement.limits)
                self._open[key] = session
            session.used = time.monotonic()
            self._watch()
            return session

    async def close(self, name: str) -> None:
        """End the sessions of that name, and of all names below it (`name/...`)."""
        await asyncio.to_thread(self._end, name)

    def close_all(self) -> None:
        """End all of them, blocking."""
        self._end("")

    def _end(self, name: str) -> None:
        with self._lock:
            chosen = [key for key in self._open if not name or f"{key[0]}/".startswith(f"{name}/")]
            ended = [self._open.pop(key) for key in chosen]
            if not self._open and self._timer is not None:
                self._timer.cancel()
                self._timer = None
        for session in ended:
            session.end()

    def _watch(self) -> None:
        if self._timer is None:
            self._timer = threading.Timer(self._idle / 2, self._sweep)
            self._timer.daemon = True
            self._timer.start()

    def _sweep(self) -> None:
        now = time.monotonic()
        with self._lock:
            self._timer = None
            idle = [
                key
                for key, session in self._open.items()
                if now - session.used > self._idle and not session.busy
            ]
            ended = [self._open.pop(key) for key in idle]
            if self._open:
                self._watch()
        for session in ended:
            session.end()


SESSIONS = Sessions()
atexit.register(SESSIONS.close_all)
