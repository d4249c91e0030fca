"""The tools as functions of a script in the sandbox. Standard library only.

A copy of it lies in the sandbox's own Python environment, where a .pth file installs it when
REPLAN_FUNCTIONS names a file descriptor: one end of a pair of stream sockets. In comes the list of
the functions; for each call, out goes `{"tool": ..., "args": {...}}` and in comes `{"ok": ...,
"text": ...}`, all of them JSON behind four bytes of length. The script runs in this process and may
send on that descriptor what it likes; who reads there must not trust it.
"""

import builtins
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

HANDLE = "REPLAN_FUNCTIONS"
LENGTH_BYTES = 4


class ToolError(RuntimeError):
    """A tool was called and failed; its text says why."""

    __module__ = "builtins"


def install() -> None:
    """Make the functions built-in names, so that modules of the script find them too."""
    import json
    import threading

    handle = int(os.environ.pop(HANDLE))
    os.set_inheritable(handle, False)
    lock = threading.Lock()

    def ask(tool: str, args: "dict[str, Any]") -> str:
        try:
            told = json.dumps({"tool": tool, "args": args}).encode()
        except (TypeError, ValueError) as error:
            raise TypeError(f"{tool} takes texts, numbers, lists and dicts: {error}") from None
        with lock:
            _send(handle, told)
            answer = json.loads(_receive(handle))
        if not answer["ok"]:
            raise ToolError(answer["text"])
        return str(answer["text"])

    builtins.ToolError = ToolError  # type: ignore[attr-defined]
    for one in json.loads(_receive(handle)):
        setattr(builtins, one["function"], _function(one, ask))


def _function(one: "dict[str, Any]", ask: "Callable[[str, dict[str, Any]], str]") -> "Any":
    name, names = one["function"], one["arguments"]

    def call(*values: "Any", **named: "Any") -> str:
        if len(values) > len(names):
            raise TypeError(f"{name}() takes {len(names)} arguments: {', '.join(names)}")
        args = dict(zip(names, values))  # noqa: B905
        for twice in args.keys() & named.keys():
            raise TypeError(f"{name}() got {twice!r} twice")
        return ask(one["tool"], {**args, **named})

    call.__name__ = call.__qualname__ = name
    call.__doc__ = one["description"]
    return call


def _send(handle: int, data: bytes) -> None:
    data = len(data).to_bytes(LENGTH_BYTES, "little") + data
    try:
        while data:
            data = data[os.write(handle, data) :]
    except OSError:
        raise ToolError("tools cannot be called any more") from None


def _receive(handle: int) -> bytes:
    length = int.from_bytes(_read(handle, LENGTH_BYTES), "little")
    return _read(handle, length)


def _read(handle: int, count: int) -> bytes:
    parts = []
    while count:
        try:
            part = os.read(handle, min(count, 1 << 16))
        except OSError:
            part = b""
        if not part:
            raise ToolError("tools cannot be called any more")
        parts.append(part)
        count -= len(part)
    return b"".join(parts)
