"""Says in one line why a script failed: the error, and the line of the script it happened in."""

import re
from pathlib import Path

from replan.tools.bounds import clipped
from replan.tools.failure_hints import hint_for
from replan.tools.sandbox.variables import STOPPED

_FRAME = re.compile(r'^ +File "(?P<file>[^"\n]+)", line (?P<line>\d+)')
_PLACE = re.compile(r' +File "(?P<file>[^"\n]+)", line (?P<line>\d+) in (?P<function>\S+)')
_REPORT = re.compile(
    re.escape(STOPPED) + r"[^\n]*\n(?:Thread 0x[^\n]*\n(?: +(?:File [^\n]*|\.\.\.)(?:\n|\Z))*\n?)+"
)
_RECURSION = 5
_START = "Traceback (most recent call last):"


def failure(stderr: str, sources: dict[str, str], folder: Path | None = None) -> str:
    """The error of the last traceback in `stderr`; "" when there is none.

    Args:
        stderr: what the script wrote to standard error, file names already shortened.
        sources: text of the script, and of other files of the workspace, by shown name.
        folder: the workspace, to tell where a file is that was not found. Blocking.
    """
    lines = without_report(stderr.rstrip()).splitlines()
    frames = [number for number, line in enumerate(lines) if _FRAME.match(line)]
    if not frames:
        return ""
    start = _last_start(lines, frames)
    message = _message(lines[frames[-1] + 1 :])
    if not message:
        return ""
    where = _where([lines[number] for number in frames if number > start], sources)
    hint = hint_for(message, folder, where)
    return message + (f" ({where})" if where else "") + (f"; {hint}" if hint else "")


def stuck(stderr: str, sources: dict[str, str]) -> str:
    """Where a script was when its time was up, and what may be done about it.

    Args:
        stderr: what the script wrote to standard error, file names already shortened.
        sources: text of the script, and of other files of the workspace, by shown name.
    """
    report = stderr.partition(STOPPED)[2].splitlines()
    frames = [found for line in report if (found := _PLACE.match(line))]
    place = next((frame for frame in frames if frame["file"] in sources), None)
    if place is None:
        return ""
    deep = sum(frame["function"] == place["function"] for frame in frames)
    where = _where([place.group()], sources)
    if deep > _RECURSION and place["function"] != "<module>":
        name = place["function"]
        return f"it was in {where}; {name} calls itself far too often: write it as a loop"
    return f"it was in {where}; that never ends, or is far too slow: do it in a faster way"


def without_report(stderr: str) -> str:
    """Standard error as the script wrote it."""
    return re.sub(_REPORT, "", stderr)


def without_traceback(stderr: str) -> str:
    """What stands before the first traceback: of that, `failure` says all in one line."""
    return without_report(stderr).partition(_START)[0].rstrip()


def shorten(text: str, scratch: str, workspace: str) -> str:
    """Takes the temporary folder and the workspace's place out of the file names of tracebacks."""
    for folder in (scratch, workspace):
        text = text.replace(f'File "{folder}/', 'File "')
    return text


def _last_start(lines: list[str], frames: list[int]) -> int:
    starts = [number for number, line in enumerate(lines) if line.strip() == _START]
    return max((number for number in starts if number < frames[-1]), default=-1)


def _message(rest: list[str]) -> str:
    """The first line after the last frame that is not indented, and what it is continued by."""
    for number, line in enumerate(rest):
        if line and not line[0].isspace():
            more = [part.strip() for part in rest[number + 1 : number + 4] if part.strip()]
            return clipped(" ".join([line.strip(), *more]), 400)
    return ""


def _where(frames: list[str], sources: dict[str, str]) -> str:
    """The innermost frame in the script itself; a frame in a library helps nobody."""
    for frame in reversed(frames):
        found = _FRAME.match(frame)
        if found and found["file"] in sources:
            lines = sources[found["file"]].splitlines()
            number = int(found["line"])
            line = lines[number - 1].strip() if 0 < number <= len(lines) else ""
            return f"{found['file']} line {number}{': ' + clipped(line) if line else ''}"
    return ""
