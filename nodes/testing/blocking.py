"""Notices when a coroutine blocks the event loop, and where."""

import asyncio
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib.util import find_spec
from typing import Any

_LONGEST_SECONDS = 1.0
_LOOK_SECONDS = 0.05


class Blocked:
    """Where the event loop stood still; "" as long as it did not."""

    def __init__(self) -> None:
        self.where = ""


@contextmanager
def watched_loop() -> Iterator[Blocked]:
    """Look from another thread whether the running loop goes on.

    A loop that stands still for a second is blocked, whatever by. Where the package `blockbuster`
    is installed, sync I/O of any length raises its BlockingError in the coroutine.
    """
    blocked, ended = Blocked(), threading.Event()
    loop, thread = asyncio.get_running_loop(), threading.get_ident()

    def look() -> None:
        while not ended.wait(_LOOK_SECONDS):
            alive = threading.Event()
            loop.call_soon_threadsafe(alive.set)
            began = time.monotonic()
            while not alive.wait(_LOOK_SECONDS) and not ended.is_set():
                if time.monotonic() - began > _LONGEST_SECONDS and not blocked.where:
                    blocked.where = _innermost(thread)

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        with _strict():
            yield blocked
    finally:
        ended.set()


def is_blocking(error: BaseException) -> bool:
    """Whether it is blockbuster's error."""
    return type(error).__name__ == "BlockingError"


def _strict() -> AbstractContextManager[Any]:
    return nullcontext() if find_spec("blockbuster") is None else _without_blocking()


@contextmanager
def _without_blocking() -> Iterator[None]:
    """Blockbuster, and nothing left of it afterwards.

    What it puts into built-in types is put back through forbiddenfruit, which keeps what it
    replaces under another name: a function that holds sys.stdout stays in the type of file objects,
    and the interpreter crashes at its end where stdout is buffered.
    """
    from blockbuster import blockbuster_ctx
    from forbiddenfruit import reverse

    functions: list[Any] = []
    try:
        with blockbuster_ctx() as strict:
            functions += strict.functions.values()
            yield
    finally:
        for function in functions:
            kept = f"_c_{function.func_name}"
            if isinstance(function.module, type) and kept in vars(function.module):
                reverse(function.module, kept)


def _innermost(thread: int) -> str:
    frame = sys._current_frames().get(thread)
    stack = traceback.extract_stack(frame) if frame else []
    return f"{stack[-1].filename}:{stack[-1].lineno} in {stack[-1].name}" if stack else "somewhere"
