"""The Python of a session: runs code as it is sent and keeps the variables. Runs as a file.

`python worker.py FD`, FD being a stream socket. Each message is four bytes of length and JSON: in
comes {"code", "name"}, out goes {"exit", "variables"} when it has run. Standard library only. The
code runs in this process and may do to it what it likes; who reads the answers must not trust
them.
"""

import builtins
import contextlib
import json
import linecache
import os
import signal
import struct
import sys
import traceback
import types
from collections.abc import Callable
from typing import Any


def _read(handle: int, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = os.read(handle, count - len(data))
        if not part:
            # The other side has gone. Not sys.exit: threads of the code must not keep this alive.
            os._exit(0)
        data += part
    return data


def _send(handle: int, message: dict[str, Any]) -> None:
    data = json.dumps(message).encode()
    data = struct.pack("=I", len(data)) + data
    while data:
        data = data[os.write(handle, data) :]


def _run(code: str, name: str, scope: dict[str, Any], describe: Callable[[Any], str]) -> Any:
    """Exit code, and the variables of the failing line."""
    linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        exec(compile(code, name, "exec"), scope)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0, ""
        print(end.code, file=sys.stderr)
        return 1, ""
    except BaseException as error:
        # Without the frame of this file.
        trace = error.__traceback__.tb_next if error.__traceback__ else None
        traceback.print_exception(type(error), error, trace)
        return 1, describe(trace)
    return 0, ""


def main() -> None:
    """Serve until the other side closes."""
    handle = int(sys.argv[1])
    os.set_inheritable(handle, False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        # From the sandbox's own environment.
        describe = __import__("replan_variables").describe
    except ImportError:
        describe = lambda trace: ""  # noqa: E731
    module = types.ModuleType("__main__")
    module.__dict__["__builtins__"] = builtins
    sys.modules["__main__"] = module
    sys.argv = [""]
    _send(handle, {"exit": 0, "variables": ""})
    while True:
        (length,) = struct.unpack("=I", _read(handle, 4))
        asked = json.loads(_read(handle, length))
        try:
            ended, said = _run(asked["code"], asked["name"], module.__dict__, describe)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        except KeyboardInterrupt:  # it came a moment too late
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            ended, said = 1, ""
        sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        _send(handle, {"exit": ended & 0xFF, "variables": said})


if __name__ == "__main__":
    main()
