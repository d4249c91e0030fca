"""Says what the variables in a failing line were, and where a script was when its time was up.

A small model that wrote `row['total']` reads "KeyError: 'total'" and writes `row['total']` again;
told that `row` has the keys 'region' and 'amount', it does not. Runs inside the sandbox; standard
library only.

A copy of it lies in the sandbox's own Python environment, where a .pth file installs it. It never
raises, and what it says is bounded: at most six names and 500 characters, on one line.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Seconds after which a script says where it is: shortly before it is stopped.
SPEAK_AFTER = "REPLAN_SPEAK_AFTER"
STOPPED = "Timeout ("  # how the standard library's report begins
_NAMES, _CHARS, _VALUE = 6, 500, 80
_KEYS = 8
# A name, not one behind a dot.
_NAME = r"(?<![\w.])[A-Za-z_]\w*"
_STRING = r"""\b[rbuRBU]*(?:"[^"]*"|'[^']*')"""
_DULL = (type(sys), type(lambda: 0), type(len), type)


def install() -> None:
    """Have an uncaught exception described into the file that REPLAN_VARIABLES names."""
    if seconds := os.environ.pop(SPEAK_AFTER, ""):
        import faulthandler

        faulthandler.dump_traceback_later(float(seconds))
    place = os.environ.pop("REPLAN_VARIABLES", "")
    if not place:
        return
    before = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: "Any") -> None:
        before(kind, error, trace)
        said = describe(trace)
        if said:
            try:
                with open(place, "w", encoding="utf-8", errors="replace") as file:
                    file.write(said)
            except OSError:
                pass

    sys.excepthook = hook


def describe(trace: "Any") -> str:
    """The variables of the innermost line of the script itself, in words; "" without any."""
    try:
        frame, line = _innermost(trace)
        if frame is None:
            return ""
        parts = []
        for name in _names(line):
            scope = frame.f_locals if name in frame.f_locals else frame.f_globals
            if name not in scope or isinstance(scope[name], _DULL):
                continue
            if form := _form(scope[name]):
                parts.append(f"{name} is {form}")
            if len(parts) == _NAMES:
                break
        said = " ".join("; ".join(parts).split())
        return said if len(said) <= _CHARS else said[: _CHARS - 3] + "..."
    except Exception:
        return ""


def _innermost(trace: "Any") -> "tuple[Any, str]":
    found: tuple[Any, str] = (None, "")
    while trace is not None:
        code = trace.tb_frame.f_code
        if _own(code.co_filename):
            found = trace.tb_frame, _line(trace, code)
        trace = trace.tb_next
    return found


def _own(file: str) -> bool:
    """Whether it is the script, or another file beside it, and not a library."""
    if file.startswith("<frozen"):
        return False
    full = os.path.realpath(file)
    libraries = (os.path.dirname(os.__file__), sys.prefix, sys.base_prefix)
    return not any(full.startswith(os.path.realpath(folder) + os.sep) for folder in libraries)


def _line(trace: "Any", code: "Any") -> str:
    """The text of the failing expression's lines."""
    import linecache

    first = last = trace.tb_lineno
    for number, place in enumerate(code.co_positions()):
        if number == trace.tb_lasti // 2:
            last = max(first, min(place[1] or first, first + 5))
            break
    return " ".join(
        linecache.getline(code.co_filename, number) for number in range(first, last + 1)
    )


def _names(line: str) -> list[str]:
    """The names of the line in their order, each once; with those that an f-string shows."""
    import keyword
    import re

    bare = re.sub(_STRING, "''", re.sub(r"#.*", "", line))
    shown = re.findall(r"\{(\w+)", line) if re.search(r"\b[rR]?[fF][\"']", line) else []
    found = [name for name in (*re.findall(_NAME, bare), *shown) if not keyword.iskeyword(name)]
    return list(dict.fromkeys(found))


def _form(value: "Any") -> str:
    kind = type(value).__name__
    if type(value).__module__.split(".")[0] == "pandas":
        if kind == "DataFrame":
            return f"DataFrame of {len(value)} rows with columns {_list(value.columns)}"
        if kind == "Series":
            return f"Series with keys {_list(value.index)}"
    if isinstance(value, dict):
        return f"{kind} with keys {_list(value)}" if value else f"empty {kind}"
    if isinstance(value, (list, tuple)):
        whole = repr(value) if len(value) < _KEYS else ""
        if 0 < len(whole) <= _VALUE:
            return whole
        return f"{kind} of {len(value)}, the first is {_short(value[0])}"
    if isinstance(value, (bool, int, float, str, bytes, type(None))):
        return _short(value)
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple):
        return f"{kind} of shape {shape}"
    shown = _short(value)
    # An address in memory tells nobody anything.
    return "" if shown.startswith("<") else f"{kind} {shown}"


def _list(values: "Any") -> str:
    shown = []
    for number, value in enumerate(values):
        if number == _KEYS:
            shown.append("...")
            break
        shown.append(_short(value, 30))
    return ", ".join(shown)


def _short(value: "Any", most: int = _VALUE) -> str:
    import reprlib

    form = reprlib.Repr()
    form.maxstring = form.maxother = form.maxlong = most
    said = form.repr(value)
    return said if len(said) <= most else said[: most - 3] + "..."
