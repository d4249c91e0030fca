"""The Python of a session: runs code as it is sent and keeps the variables. Runs as a file.

`python worker.py FD`, FD being a stream socket. In come eight bytes that mark the call, four bytes
of length, and the code in UTF-8; when it has run, out go four bytes of length, the mark, one byte
with the exit code, and what the variables of the failing line were. Standard library only. The code
runs in this process and may do to it what it likes; who reads the answers must not trust them.
"""

import builtins
import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_NAME = "script.py"


def _read(handle: int, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = os.read(handle, count - len(data))
        if not part:
            # The other side has gone. Not sys.exit: threads of the code must not keep this alive.
            os._exit(0)
        data += part
    return data


def _send(handle: int, mark: bytes, ended: int, said: str) -> None:
    data = mark + bytes([ended & 0xFF]) + said.encode("utf-8", "replace")
    data = len(data).to_bytes(4, "little") + data
    while data:
        data = data[os.write(handle, data) :]


def _run(code: str, scope: "dict[str, Any]", describe: "Callable[[Any], str]") -> "tuple[int, str]":
    """Exit code, and the variables of the failing line."""
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        exec(compile(code, _NAME, "exec"), scope)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0, ""
        print(end.code, file=sys.stderr)
        return 1, ""
    except BaseException as error:
        import linecache
        import traceback

        linecache.cache[_NAME] = (len(code), None, code.splitlines(keepends=True), _NAME)
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
    module = type(sys)("__main__")
    module.__dict__["__builtins__"] = builtins
    sys.modules["__main__"] = module
    sys.argv = [""]
    _send(handle, bytes(8), 0, "")
    while True:
        mark = _read(handle, 8)
        code = _read(handle, int.from_bytes(_read(handle, 4), "little"))
        try:
            ended, said = _run(code.decode(), module.__dict__, describe)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        except KeyboardInterrupt:  # it came a moment too late
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            ended, said = 1, ""
        sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
        for stream in (sys.stdout, sys.stderr):
            try:
                if stream is not None:
                    stream.flush()
            except Exception:
                ended = ended or 1
        _send(handle, mark, ended, said)


if __name__ == "__main__":
    main()
