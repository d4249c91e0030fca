"""Says what the names in a failing line stood for, and where a script was when its time was up.

A small model that wrote `row['total']` reads "KeyError: 'total'" and writes `row['total']` again;
told that `row` has the keys 'region' and 'amount', it does not. Laid beside the script as
`sitecustomize.py`, this runs inside the script's own process: standard library only, nothing of
this project. Whatever goes wrong here is silent: the error that matters is the script's.
"""

import contextlib
import os
import re
import reprlib
import sys
from types import FrameType, TracebackType
from typing import Any

MARK = "Where it failed: "
# Seconds after which a script says where it is: shortly before it is stopped.
SPEAK_AFTER = "REPLAN_SPEAK_AFTER"
STOPPED = "Timeout ("  # how the standard library's report begins
_NAMES = 6
_KEYS = 8
_SHORT = 80
_CHARS = 500


def describe(value: Any) -> str:
    """A value in few words: what it is, and what may be asked of it; "" when no words help."""
    kind = type(value).__name__
    if kind in ("DataFrame", "Series") and hasattr(value, "index"):
        held = value.columns if kind == "DataFrame" else value.index
        return f"{kind} with {'columns' if kind == 'DataFrame' else 'keys'} {_some(held)}"
    if isinstance(value, dict):
        return f"{kind} with keys {_some(value)}" if value else f"empty {kind}"
    if isinstance(value, list | tuple | set | frozenset):
        whole = repr(value) if len(value) < _KEYS else ""
        first = f", the first is {_short(next(iter(value)))}" if value else ""
        return whole if 0 < len(whole) <= _SHORT else f"{kind} of {len(value)}{first}"
    if value is None or isinstance(value, str | bytes | int | float):
        return _short(value)
    shown = _short(value)
    # An address in memory tells nobody anything.
    return "" if shown.startswith("<") else f"{kind} {shown}"


def names_in(line: str, frame: FrameType) -> str:
    """The names of a line with their values, "" when there is nothing to say."""
    said: list[str] = []
    for name in dict.fromkeys(re.findall(r"(?<![\w.])[A-Za-z_]\w*", line)):
        value = frame.f_locals.get(name, frame.f_globals.get(name, said))
        if value is said or callable(value) or type(value).__name__ == "module":
            continue
        with contextlib.suppress(Exception):
            if words := describe(value):
                said.append(f"{name} is {words}")
    return "; ".join(said[:_NAMES])[:_CHARS]


def own_frame(
    trace: TracebackType | None, folders: tuple[str, ...]
) -> tuple[FrameType, int] | None:
    """The innermost frame, and its line, of a file that lies in one of the folders."""
    found = None
    while trace:
        file = os.path.realpath(trace.tb_frame.f_code.co_filename)
        if os.path.dirname(file) in folders:  # noqa: PTH120
            found = (trace.tb_frame, trace.tb_lineno)
        trace = trace.tb_next
    return found


def _some(keys: Any) -> str:
    shown = [_short(key) for _, key in zip(range(_KEYS), keys, strict=False)]
    return ", ".join(shown) + (", ..." if len(keys) > _KEYS else "")


def _short(value: Any) -> str:
    cut = reprlib.Repr()
    cut.maxstring = cut.maxother = _SHORT
    text = " ".join(cut.repr(value).split())
    return text if len(text) <= _SHORT else text[: _SHORT - 3] + "..."


def _tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    sys.__excepthook__(kind, error, trace)
    with contextlib.suppress(Exception):
        import linecache

        folders = tuple(os.path.realpath(folder) for folder in (sys.path[0], "."))
        found = own_frame(trace, folders)
        if not found:
            return
        frame, number = found
        line = linecache.getline(frame.f_code.co_filename, number)
        if said := names_in(line, frame):
            print(MARK + said, file=sys.stderr)


def _speak_later() -> None:
    import faulthandler

    if seconds := os.environ.get(SPEAK_AFTER):
        faulthandler.dump_traceback_later(float(seconds))


if __name__ == "sitecustomize":
    sys.excepthook = _tell
    with contextlib.suppress(Exception):
        _speak_later()
